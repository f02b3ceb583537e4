"""Asking for a database: what it becomes in Git, and everything that is refused before anything happens."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.effects import AwaitDatabase, AwaitHealthy, CommitFiles, EnterBook, ProtectDatabase, RetireDatabase
from bot.errors import Conflict, Invalid, NotFound, Refused, UsageError
from bot.model.platform import Platform
from bot.ports import NewRepository
from commands import database_request
from commands.database_request import DatabaseRequest
from tests.databases.house import PLATFORM, DatabaseHouse, found
from tests.releases.house import document, effects, ids


def with_platform(house: DatabaseHouse, **environments: Any) -> DatabaseHouse:
    told = PLATFORM.model_dump(mode="json", exclude_unset=True)
    for name, changed in environments.items():
        told["environments"][name] |= changed
    house.platform = Platform.model_validate(told)
    return house


async def test_one_commit_brings_the_database_and_what_binds_it(held: DatabaseHouse) -> None:
    assert held.made("cluster-orders-api-db")["spec"]["storage"]["size"] == "10Gi"
    env = held.object("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    (password,) = (one for one in env if one["name"] == "DATABASE_PASSWORD")
    assert password["valueFrom"]["secretKeyRef"]["name"] == "orders-api-db-app"
    wanted = held.told().database
    assert wanted is not None
    assert (wanted.engine, wanted.size, wanted.by, wanted.protected) == (
        "postgresql",
        "small",
        "user:default/author",
        True,
    )
    assert wanted.version == 17, "the number is written down: a later default changes no database"


async def test_the_database_is_waited_for_and_then_its_service(house: DatabaseHouse) -> None:
    await house.do("service.deploy", service="orders-api")
    plan = await house.plan("database.request", service="orders-api")
    assert ids(plan)[-4:] == ["await-database", "protect", "refresh-protected", "await-healthy"]
    wait = found(plan, AwaitDatabase)
    assert (wait.namespace, wait.secret, wait.contact) == ("orders-api-staging", "orders-api-db-app", "#databases")
    assert plan.owner == "group:default/team-orders"
    assert plan.lane == "deploy:orders-api/staging"
    assert plan.highlights[0] == "small: 10Gi, 512Mi, one instance, 20 EUR a month."
    assert found(plan, AwaitHealthy).service == "orders-api"


async def test_it_is_protected_once_it_is_ready_so_that_an_undo_before_leaves_nothing(house: DatabaseHouse) -> None:
    await house.do("service.deploy", service="orders-api")
    plan = await house.plan("database.request", service="orders-api")
    first, last = (effect for effect in effects(plan) if isinstance(effect, CommitFiles))
    written = [next(one.text for one in commit.files if "cluster-" in one.path) for commit in (first, last)]
    assert ["Prune=false" in str(text) for text in written] == [False, True]
    assert found(plan, RetireDatabase).application == "orders-api-staging"
    assert ids(plan).index("retire-database") < ids(plan).index("deliver"), "undone in reverse: after the commit"
    waits = [one for one in ids(plan) if one in ("await-database", "protect", "await-healthy")]
    assert waits == ["await-database", "protect", "await-healthy"], "a service may write long before it is healthy"
    assert found(plan, ProtectDatabase).database == "orders-api-db"
    assert not plan.undo_later, "what was written into it since would go with it"


async def test_an_undo_while_the_service_is_waited_for_deletes_nothing_that_it_may_have_written(
    house: DatabaseHouse,
) -> None:
    await house.do("service.deploy", service="orders-api")
    plan = await house.do("database.request", service="orders-api")
    await house.undo(plan)
    assert "Prune=false" in str(house.made("cluster-orders-api-db"))
    assert house.told().database is not None, "it is still bound, and `/database delete` finds it"


async def test_what_an_earlier_document_has_left_is_taken_over_and_never_undone(house: DatabaseHouse) -> None:
    house.push("Ask", database={"type": "postgresql", "size": "medium"})
    await house.do("service.deploy", service="orders-api")
    house.apply_git()
    house.push("Ask no more")
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(Conflict, match="stands there already, from an earlier document, with a disk of 50Gi"):
        await house.plan("database.request", service="orders-api", size="small")
    with pytest.raises(Conflict, match=r"A PostgreSQL database of the name orders-api-db .* Delete it first"):
        await house.plan("database.request", service="orders-api", engine="mysql", size="medium")
    plan = await house.plan("database.request", service="orders-api", size="medium")
    assert "it is kept with all that is in it" in plan.highlights[1]
    assert "retire-database" not in ids(plan)
    (only,) = (effect for effect in effects(plan) if isinstance(effect, CommitFiles))
    assert "Prune=false" in next(str(one.text) for one in only.files if "cluster-" in one.path)


async def test_a_service_that_never_ran_gets_one_too_and_its_first_deploy_binds_it(house: DatabaseHouse) -> None:
    plan = await house.do("database.request", service="orders-api")
    assert "await-healthy" not in ids(plan)
    await house.do("service.deploy", service="orders-api")
    assert house.made("cluster-orders-api-db") is not None
    env = house.object("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert "DATABASE_URL" in {one["name"] for one in env}


async def test_a_deploy_keeps_what_a_person_asked_for(held: DatabaseHouse) -> None:
    held.push("Say another size", database={"type": "postgresql", "size": "large"})
    await held.do("service.deploy", service="orders-api")
    assert held.made("cluster-orders-api-db")["spec"]["storage"]["size"] == "10Gi"


async def test_one_that_stands_alone_has_a_folder_an_application_and_a_line_in_the_book(house: DatabaseHouse) -> None:
    plan = await house.do("database.request", name="reports", owner="team-orders")
    assert house.made("cluster-reports-db", service="reports")["metadata"]["namespace"] == "reports-staging"
    assert house.files()["argocd/applications/reports-staging.yaml"]
    assert house.told("reports").current is None
    line = found(plan, EnterBook)
    assert ids(plan)[0] == line.id, "what is half made stands in the book too"
    assert (line.name, line.what, line.team, line.namespace) == (
        "reports.staging",
        "database",
        "team-orders",
        "reports-staging",
    )
    assert plan.owner == "group:default/team-orders"


async def test_the_channel_says_which_service_is_meant_and_a_lone_word_may_be_the_size(house: DatabaseHouse) -> None:
    plan = await house.plan("database.request", channel="C-ORDERS", service="medium")
    assert "medium: 50Gi" in plan.highlights[0]
    assert "for orders-api" in plan.summary


# --- refused


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        (
            {"service": "orders-api", "size": "giant"},
            Invalid,
            r"no database size `giant`\. There are small: 10Gi, 512Mi",
        ),
        (
            {"service": "orders-api", "engine": "valkey"},
            Refused,
            r"Nobody makes Valkey .* There is PostgreSQL and MySQL",
        ),
        ({"service": "orders-apo"}, NotFound, "Did you mean `orders-api`"),
        ({"service": "orders-api", "environment": "moon"}, NotFound, "There are: staging, production"),
        ({"name": "orders-api", "owner": "team-orders"}, Conflict, "the name of the service orders-api"),
        ({"name": "orders-api-db", "owner": "team-orders"}, Conflict, "or of its database"),
        ({"name": "reports", "owner": "team-nobody"}, NotFound, "no group `team-nobody`"),
        ({"service": "orders-api", "version": 3}, Invalid, "3 is no version of PostgreSQL"),
        ({"service": "orders-api", "seed_from": "moon"}, NotFound, "There are: staging, production"),
        ({"service": "orders-api", "seed_from": "staging"}, Conflict, "filled from itself"),
        ({"service": "orders-api", "seed_from": "production"}, NotFound, "has no database in production to fill"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_to_do(
    house: DatabaseHouse, asked: dict[str, Any], error: type[Exception], words: str
) -> None:
    before = house.files()
    with pytest.raises(error, match=words):
        await house.plan("database.request", **asked)
    assert house.files() == before


async def test_a_second_one_is_refused_and_pointed_the_way(held: DatabaseHouse) -> None:
    with pytest.raises(Conflict, match=r"orders-api-db \(PostgreSQL, small\).*/database resize orders-api"):
        await held.plan("database.request", service="orders-api")


async def test_one_that_the_document_asks_for_counts_as_well(house: DatabaseHouse) -> None:
    house.push("Ask in the document", database={"type": "postgresql"})
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(Conflict, match="has a database in staging already"):
        await house.plan("database.request", service="orders-api", size="medium")


async def test_somebody_elses_name_is_refused_in_every_environment(house: DatabaseHouse) -> None:
    await house.do("database.request", name="reports", owner="team-orders")
    with pytest.raises(Conflict, match="`reports` is in use by team-orders in staging"):
        await house.plan("database.request", name="reports", owner="team-checkout", environment="production")


async def test_a_service_that_takes_the_name_of_another_teams_database_gets_nothing_of_it(house: DatabaseHouse) -> None:
    await house.do("database.request", name="reports", owner="team-orders")
    await house.forge.create_repository(NewRepository("acme/evil", "Theirs"))
    house.forge.push("acme/evil", {"platform.yaml": document("reports")})
    house.catalog += """
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: reports, annotations: {github.com/project-slug: acme/evil}}
spec: {type: service, lifecycle: production, owner: team-checkout}
"""
    with pytest.raises(Conflict, match="reports in staging is a database of team-orders, and stood there first"):
        await house.plan("service.deploy", service="reports")
    for asked in ("reports", "reports-db"):
        plan = await house.plan("database.connect", database=asked)
        assert plan.owner == "group:default/team-orders", "it stays theirs, and they decide"


async def test_a_frozen_place_gets_none(held: DatabaseHouse) -> None:
    await held.do("service.freeze", service="orders-api", reason="the sale begins")
    with pytest.raises(Refused, match="the sale begins"):
        await held.plan("database.resize", database="orders-api", size="medium")


async def test_beyond_the_number_of_an_environment_it_is_refused_by_name(held: DatabaseHouse) -> None:
    await held.do("database.request", name="reports", owner="team-orders")
    with pytest.raises(
        Refused,
        match=r"may have 2 databases in staging, and has orders-api-db in staging \(20 EUR\) and reports-db in staging "
        r"\(20 EUR\)\. Delete one .*`platform\.environments\.staging\.budget\.databases`",
    ):
        await held.plan("database.request", name="more", owner="team-orders")
    other = await held.plan("database.request", name="theirs", owner="team-checkout")
    assert other.owner == "group:default/team-checkout", "another team has its own"


async def test_beyond_what_a_team_may_spend_everywhere_it_is_refused_with_the_sum(held: DatabaseHouse) -> None:
    await held.do("database.request", service="orders-api", environment="production", size="medium")
    with pytest.raises(
        Refused,
        match=r"costs 150 EUR a month, and team-orders may spend 200 EUR a month in all environments, of which 170 EUR "
        r"a month is used by orders-api-db in production \(150 EUR\) and orders-api-db in staging \(20 EUR\)\. .*"
        r"`platform\.budgets\.team-orders\.monthly_cost`",
    ):
        await held.plan("database.request", name="more", owner="team-orders", size="medium")


async def test_personal_data_fills_nothing_unmasked(held: DatabaseHouse) -> None:
    with_platform(held, production={"personal_data": True})
    with pytest.raises(Refused, match="production holds personal data, which does not leave it unmasked"):
        await held.plan("database.request", name="copy", owner="team-orders", seed_from="production")


async def test_a_seed_that_is_larger_than_its_target_is_refused(house: DatabaseHouse) -> None:
    seeding = {"provider": "cloudnativepg", "seeding": {"method": "import", "secret": "source"}}
    with_platform(house, production={"database": seeding})
    await house.do("database.request", name="reports", owner="team-orders", environment="production", size="medium")
    with pytest.raises(
        Refused, match=r"has a disk of 50Gi, which may not fit into 10Gi\. Choose a size of 50Gi or more"
    ):
        await house.plan("database.request", name="reports", owner="team-orders", seed_from="production")


async def test_a_seed_is_copied_in_the_way_that_its_environment_says(house: DatabaseHouse) -> None:
    seeding = {"provider": "cloudnativepg", "seeding": {"method": "import", "secret": "source"}}
    with_platform(house, production={"database": seeding})
    await house.do("database.request", name="reports", owner="team-orders", environment="production")
    plan = await house.do("database.request", name="reports", owner="team-orders", seed_from="production")
    assert "It is filled from production once, before anything uses it." in plan.highlights
    source = house.made("cluster-reports-db", service="reports")["spec"]["externalClusters"][0]
    assert source["connectionParameters"]["host"] == "reports-db-rw.reports-production.svc"


async def test_a_copy_has_the_version_of_its_source(house: DatabaseHouse) -> None:
    seeding = {"provider": "cloudnativepg", "seeding": {"method": "import", "secret": "source"}}
    with_platform(house, production={"database": seeding})
    await house.do("database.request", name="reports", owner="team-orders", environment="production", version=16)
    await house.do("database.request", name="reports", owner="team-orders", seed_from="production")
    assert house.made("cluster-reports-db", service="reports")["spec"]["imageName"].endswith(":16")


async def test_an_environment_that_lets_nothing_go_says_so(house: DatabaseHouse) -> None:
    with_platform(house, production={"database": {"provider": "cloudnativepg"}})
    await house.do("database.request", name="reports", owner="team-orders", environment="production")
    with pytest.raises(Refused, match="Nothing is filled from the databases of production"):
        await house.plan("database.request", name="reports", owner="team-orders", seed_from="production")


# --- what people type


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("orders-api small in staging", {"service": "orders-api", "size": "small", "environment": "staging"}),
        ("orders-api", {"service": "orders-api"}),
        ("orders-api mysql medium", {"service": "orders-api", "size": "medium", "engine": "mysql"}),
        ("redis orders-api", {"service": "orders-api", "engine": "valkey"}),
        ("reports small for team-orders", {"name": "reports", "owner": "team-orders", "size": "small"}),
        (
            "orders-api from staging in production",
            {"service": "orders-api", "seed_from": "staging", "environment": "production"},
        ),
    ],
)
def test_words_become_a_request(words: str, asked: dict[str, str]) -> None:
    told = database_request.parse(words.split()).model_dump(exclude_defaults=True)
    assert told == asked


@pytest.mark.parametrize("words", ["a b c", "mysql postgres", "a b c d e", "orders-api in"])
def test_what_cannot_be_read_is_answered_with_a_line_to_paste(words: str) -> None:
    with pytest.raises(UsageError, match="/database request"):
        database_request.parse(words.split())


@pytest.mark.parametrize(
    "asked",
    [
        {"service": "a", "name": "b", "owner": "c"},
        {"name": "reports"},
        {"owner": "team-orders"},
        {"name": "Reports", "owner": "team-orders"},
        {"name": "../x", "owner": "team-orders"},
        {"name": "a" * 41, "owner": "team-orders"},
        {"engine": "oracle"},
        {"retention_days": 0},
        {"retention_days": 400},
        {"unknown": 1},
    ],
)
def test_nonsense_is_no_request(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DatabaseRequest.model_validate(asked)
