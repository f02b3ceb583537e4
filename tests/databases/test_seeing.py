"""Seeing databases: the list, one of them, its form, another size."""

from __future__ import annotations

from typing import Any

import pytest

from bot.command import FormStart
from bot.databases.backups import newest, of_cloud
from bot.databases.form import RequestForm
from bot.errors import Conflict, NotFound, PlatformError, Refused, UpstreamUnavailable, UsageError
from bot.forms.answers import visible
from bot.forms.model import FormField
from commands import database_list, database_resize, database_show
from tests.commands.company import person
from tests.databases.house import CNPG, DatabaseHouse
from tests.databases.test_requesting import with_platform
from tests.scenario.world import spoken

NAME = "orders-api-db"


def ready(house: DatabaseHouse) -> None:
    """Let CloudNativePG have made it."""
    house.apply_git()
    live = house.made(f"cluster-{NAME}")
    status: dict[str, Any] = {
        "phase": "Cluster in healthy state",
        "readyInstances": 1,
        "writeService": f"{NAME}-rw",
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    house.cluster.put({**live, "status": status})
    secret: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{NAME}-app", "namespace": "orders-api-staging"},
    }
    house.cluster.put(secret)


# --- the list


async def test_the_list_has_a_line_for_each_with_cost_and_state(held: DatabaseHouse) -> None:
    ready(held)
    await held.do("database.request", name="reports", owner="team-orders", environment="production")
    answer = await held.ask("database.list")
    assert answer.text == "2 databases, 40 EUR a month: orders-api-db, reports-db"
    assert [(one["name"], one["service"], one["environment"], one["state"]) for one in rows(answer.data)] == [
        (NAME, "orders-api", "staging", "ready"),
        ("reports-db", "", "production", "on its way"),
    ]
    assert "20 EUR" in spoken({"blocks": list(answer.blocks)})


async def test_the_list_is_of_the_channels_team_of_ones_own_or_of_a_group(held: DatabaseHouse) -> None:
    await held.do("database.request", name="theirs", owner="team-checkout")
    names = {
        "channel": rows((await held.ask("database.list", channel="C-ORDERS")).data),
        "group": rows((await held.ask("database.list", owner="team-checkout")).data),
        "all": rows((await held.ask("database.list", channel="C-ORDERS", owner="all")).data),
        "mine": rows((await held.ask("database.list", owner="mine")).data),
    }
    told = {whose: {one["name"] for one in found} for whose, found in names.items()}
    assert told == {"channel": {NAME}, "group": {"theirs-db"}, "all": {NAME, "theirs-db"}, "mine": set()}


async def test_a_stuck_one_is_told_with_its_reason_below_the_list(held: DatabaseHouse) -> None:
    held.apply_git()
    live = held.made(f"cluster-{NAME}")
    held.cluster.put({**live, "status": {"phase": "Setting up primary", "readyInstances": 0}})
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{NAME}-1", "namespace": "orders-api-staging", "labels": {"cnpg.io/cluster": NAME}},
        "spec": {"storageClassName": "fast"},
        "status": {"phase": "Pending"},
    }
    held.cluster.put(claim)
    event: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "orders-api-staging"},
        "involvedObject": {"kind": "PersistentVolumeClaim", "name": f"{NAME}-1"},
        "type": "Warning",
        "reason": "ProvisioningFailed",
        "message": 'storageclass.storage.k8s.io "fast" not found',
    }
    held.cluster.put(event)
    answer = await held.ask("database.list")
    (row,) = rows(answer.data)
    assert row["state"] == "stuck"
    assert "fast" in row["told"]
    assert "#databases" in spoken({"blocks": list(answer.blocks)}), "one person to ask"


async def test_a_cluster_that_is_away_hides_no_line(held: DatabaseHouse) -> None:
    held.cluster.refuse("get", UpstreamUnavailable("The cluster `main` does not answer."), times=9)
    held.cluster.refuse("exists", UpstreamUnavailable("The cluster `main` does not answer."), times=9)
    (row,) = rows((await held.ask("database.list")).data)
    assert (row["state"], row["told"]) == ("not known", "The cluster `main` does not answer.")


async def test_none_at_all_says_how_to_get_one(house: DatabaseHouse) -> None:
    answer = await house.ask("database.list")
    assert (answer.text, answer.data) == ("There is no database.", [])
    with pytest.raises(NotFound, match="no group `nobody`"):
        await house.ask("database.list", owner="nobody")


# --- one of them


async def test_one_is_shown_with_all_that_people_ask(held: DatabaseHouse) -> None:
    ready(held)
    answer = await held.ask("database.show", channel="C-ORDERS")
    told = spoken({"blocks": list(answer.blocks)})
    for words in (
        "*Ready.*",
        "PostgreSQL 17",
        "small: 10Gi, 512Mi, one instance, 20 EUR a month",
        "CloudNativePG, in the cluster",
        "there is none yet",
        "7 days",
        "author, ",
        "`DATABASE_URL`",
        "#databases",
        "/database connect orders-api in staging",
    ):
        assert words in told, words
    data: Any = answer.data
    assert (data["state"], data["requested"]["by"], data["last_backup"]) == ("ready", "user:default/author", None)


async def test_who_may_see_one_is_judged_by_its_owner_and_environment(held: DatabaseHouse) -> None:
    request = database_show.DatabaseShow(database=NAME)
    assert database_show.QUERY.subject is not None
    subject = await database_show.QUERY.subject(request, held.context(), held.deps)
    assert (subject.owner, subject.environment) == ("group:default/team-orders", "staging")


async def test_one_that_is_not_there_is_said_to_be_so(house: DatabaseHouse) -> None:
    with pytest.raises(Conflict, match="has no database in staging"):
        await house.ask("database.show", database="orders-api")


def test_the_newest_complete_backup_counts() -> None:
    def backup(name: str, phase: str, at: str, of: str = NAME) -> dict[str, Any]:
        status = {"phase": phase, "stoppedAt": at}
        return {"apiVersion": CNPG, "kind": "Backup", "metadata": {"name": name}, "spec": {"cluster": {"name": of}}} | {
            "status": status
        }

    found = newest(
        [
            backup("old", "completed", "2026-03-01T02:00:00Z"),
            backup("new", "completed", "2026-03-02T02:00:00Z"),
            backup("broken", "failed", "2026-03-03T02:00:00Z"),
            backup("other", "completed", "2026-03-04T02:00:00Z", of="other-db"),
        ],
        NAME,
    )
    assert found.name == "new"
    assert newest([], NAME).why_not == "there is none yet"
    assert of_cloud({"status": {"atProvider": {"latestRestorableTime": "2026-03-02T08:55:00Z"}}}).at is not None
    assert of_cloud(None).why_not


# --- the form


def fields(start: FormStart, **more: Any) -> dict[str, FormField]:
    return {field.name: field for field in visible(start.form.fields(), {**start.values, **more})}


async def test_the_form_says_what_each_size_holds_and_costs(house: DatabaseHouse) -> None:
    shown = fields(RequestForm(house.deps).start([], person("team-orders")))
    assert [option.description for option in shown["size"].options] == [
        "10Gi, 512Mi, one instance, 20 EUR a month",
        "50Gi, 2Gi, 2 instances, 150 EUR a month",
        "200Gi, 16Gi, 3 instances, 900 EUR a month",
    ]
    assert "name" not in shown, "that is asked only of one that stands alone"
    assert "seed_from" not in shown, "nothing may be filled from anywhere here"


async def test_another_environment_offers_what_is_made_there(house: DatabaseHouse) -> None:
    form, who = RequestForm(house.deps), person("team-orders")
    assert [one.value for one in fields(form.start([], who))["engine"].options] == ["postgresql", "mysql"]
    with_platform(house, production={"database": {"provider": "cloudnativepg"}})
    there = RequestForm(house.deps).resume({"environment": "production", "engine": "mysql"}, who)
    assert [one.value for one in fields(there)["engine"].options] == ["postgresql"]
    assert "engine" not in there.values, "what nobody makes there is not chosen any more"


async def test_one_that_stands_alone_is_asked_for_its_name_and_team(house: DatabaseHouse) -> None:
    form = RequestForm(house.deps)
    start = form.resume({"whose": "alone", "owner": "group:default/team-orders"}, person("team-orders"))
    assert {"name", "owner"} <= set(fields(start))
    assert "service" not in fields(start)
    request: dict[str, Any] = form.request(
        {"whose": "alone", "name": "reports", "owner": "group:default/team-orders", "size": "small"}
    )
    plan = await house.plan("database.request", **request)
    assert plan.summary == "Make the PostgreSQL database reports-db for team-orders in staging"


async def test_the_form_asks_what_the_words_ask(house: DatabaseHouse) -> None:
    form = RequestForm(house.deps)
    request: dict[str, Any] = form.request(
        {"whose": "service", "service": "component:default/orders-api", "size": "small"}
    )
    assert (await house.plan("database.request", **request)).digest == (
        await house.plan("database.request", service="orders-api", size="small")
    ).digest


# --- another size


async def test_a_resize_says_what_it_costs_and_restarts(held: DatabaseHouse) -> None:
    plan = await held.do("database.resize", database="orders-api", size="medium")
    assert plan.highlights == (
        "Costs 150 EUR a month, and now 20 EUR a month.",
        "• disk: 10Gi → 50Gi",
        "• memory: 512Mi → 2Gi",
        "• CPU: 250m → 1",
        "• instances: 1 → 2",
        "It restarts: for about a minute nobody can connect.",
    )
    assert held.made(f"cluster-{NAME}")["spec"]["storage"]["size"] == "50Gi"
    wanted = held.told().database
    assert wanted is not None
    assert (wanted.size, wanted.by) == ("medium", "user:default/author")


async def test_a_size_of_the_document_is_laid_over_and_said_so(house: DatabaseHouse) -> None:
    house.push("Ask", database={"type": "postgresql", "version": 16})
    await house.do("service.deploy", service="orders-api")
    plan = await house.do("database.resize", database="orders-api", size="medium")
    assert plan.highlights[-1] == "The document of orders-api says small; what is asked for here wins over it."
    wanted = house.told().database
    assert wanted is not None
    assert wanted.version == 16, "nothing else changes"


@pytest.mark.parametrize(
    ("size", "error", "words"),
    [
        ("small", Conflict, "is small already"),
        ("giant", UsageError, "no database size `giant`"),
        ("large", Refused, r"costs 900 EUR a month, and team-orders may spend 200 EUR"),
    ],
)
async def test_sizes_that_cannot_be(held: DatabaseHouse, size: str, error: type[PlatformError], words: str) -> None:
    with pytest.raises(error, match=words):
        await held.plan("database.resize", database="orders-api", size=size)


async def test_a_disk_never_shrinks(held: DatabaseHouse) -> None:
    await held.do("database.resize", database="orders-api", size="medium")
    with pytest.raises(Refused, match="a smaller disk, 10Gi instead of 50Gi, and disks never shrink"):
        await held.plan("database.resize", database="orders-api", size="small")


def test_words_become_requests() -> None:
    assert database_list.parse(["mine"]).owner == "mine"
    shown = database_show.parse(["orders-api", "production"])
    assert (shown.database, shown.environment) == ("orders-api", "production")
    for words in (["orders-api", "medium"], ["orders-api", "to", "medium"]):
        told = database_resize.parse(words)
        assert (told.database, told.size) == ("orders-api", "medium")
    assert database_resize.parse(["medium", "in", "staging"]).environment == "staging"
    for parse, words in (
        (database_resize.parse, []),
        (database_list.parse, ["a", "b"]),
        (database_show.parse, ["a"] * 3),
    ):
        with pytest.raises(UsageError):
            parse(words)


def rows(data: Any) -> list[dict[str, Any]]:
    return list(data)
