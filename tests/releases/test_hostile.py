"""Hands that were in the GitOps repository, names that two services want, and ways round a rule."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.catalog.documents import Document, read
from bot.catalog.index import Index
from bot.command import Command
from bot.errors import Conflict, Invalid, NotFound, Refused, UpstreamUnavailable, UsageError
from bot.model.operation import Behind
from bot.model.platform import Platform
from bot.ports import NewRepository
from bot.releases.services import service_of_repository
from commands import COMMANDS
from tests.fakes.deployments import FakeDeployments, application
from tests.releases.house import CATALOG, GITOPS, SOURCE, House, document

RELEASE = "apps/orders-api/staging/.causeway/release.yaml"
CHANGES: dict[str, dict[str, Any]] = {
    "service.deploy": {},
    "service.restart": {},
    "service.scale": {"replicas": 3},
    "service.freeze": {"reason": "The sale"},
}
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 8)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def put(house: House, text: str, path: str = RELEASE) -> None:
    house.forge.push(GITOPS, {path: text.encode()})


# --- Files of the GitOps repository that somebody has edited


def edited(told: dict[str, Any], **changes: Any) -> str:
    return yaml.safe_dump(told | changes)


EDITS: dict[str, Any] = {
    "garbage": lambda _: "hello",
    "nothing": lambda _: "",
    "a date that is none": lambda told: edited(told).replace("service: orders-api", "service: 2026-99-99"),
    "too deep": lambda _: "[" * 20_000,
    "a bomb": lambda told: f"{BOMB}\n{edited(told, document={})}".replace("document: {}", "document: {e: *i}"),
    "no document": lambda told: edited(told, document={}),
    "a document that is none": lambda told: edited(told, document={"a": 1}),
    "another's document": lambda told: edited(told, document=told["document"] | {"metadata": {"name": "payments"}}),
    "another's release": lambda told: edited(told, service="payments"),
    "of another environment": lambda told: edited(told, environment="production"),
    "a time without a zone": lambda told: edited(told, restarted_at="2026-01-01T00:00:00"),
    "a commit that is a path": lambda told: edited(told).replace(told["current"]["version"]["commit"], "../../main"),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_a_release_that_was_edited_by_hand_is_told_and_not_followed(house: House, edit: str) -> None:
    await house.do("service.deploy", service="orders-api")
    put(house, EDITS[edit](yaml.safe_load(house.files()[RELEASE])))
    house.push("Next", replicas=2)
    for command, request in CHANGES.items():
        with pytest.raises(Invalid) as refused:
            await house.plan(command, service="orders-api", **request)
        assert RELEASE in str(refused.value), command
        assert "estore it from the commit before its last change" in str(refused.value), command


BROKEN = [
    *("spec: 2026-99-99", "kind: Ingress\nspec: {rules: 3}", "[" * 20_000, "? [a]\n: b", "\x00", BOMB, "a: *b"),
    "- &a [*a]",
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
async def test_an_ingress_that_somebody_broke_stops_no_other_service(house: House, text: str) -> None:
    put(house, text, "apps/shop/staging/ingress-shop.yaml")
    await house.plan("service.deploy", service="orders-api")


async def test_a_host_is_seen_among_several_objects_of_one_file(house: House) -> None:
    told = yaml.safe_dump_all([{"kind": "Service"}, {"kind": "Ingress", "spec": {"rules": [{"host": "shop.example"}]}}])
    put(house, told, "apps/shop/staging/ingress-shop.yaml")
    house.push(replicas=2, ingress={"host": "shop.example"})
    with pytest.raises(Conflict, match=r"shop\.example belongs to shop in staging"):
        await house.plan("service.deploy", service="orders-api")


async def test_a_host_of_another_environment_of_the_cluster_cannot_be_taken_from_a_laxer_one(house: House) -> None:
    """Staging asks nobody; an Ingress there must not answer for what production serves from the same cluster."""
    told = yaml.safe_dump({"kind": "Ingress", "spec": {"rules": [{"host": "shop.example"}]}})
    put(house, told, "apps/shop/production/ingress-shop.yaml")
    house.push(replicas=2, ingress={"host": "shop.example", "paths": ["/login"]})
    with pytest.raises(Conflict, match=r"shop\.example belongs to shop in production"):
        await house.plan("service.deploy", service="orders-api")


# --- Ways round a rule


async def test_rolling_back_leads_only_where_the_service_has_been(house: House) -> None:
    """Nobody approves a rollback, so it must not carry a version to production that nobody has approved."""
    await house.do("service.deploy", service="orders-api")
    await house.do("service.promote", service="orders-api")
    unseen = house.push("Nobody has looked at this", replicas=2)
    house.forge.change(SOURCE, tags={"v0.9": unseen})
    for version in (unseen, unseen[:7], "v0.9", "newest"):
        with pytest.raises(NotFound, match="has not run in production yet") as refused:
            await house.plan("service.rollback", service="orders-api", version=version, environment="production")
        assert f"/service deploy orders-api {version} to production" in str(refused.value)


async def test_the_pin_remembers_the_newest_bad_version_however_often_one_goes_back(house: House) -> None:
    oldest = await deployed(house, "Oldest")
    older = await deployed(house, "Older")
    bad = await deployed(house, "Bad")
    await house.do("service.rollback", service="orders-api")
    again = await house.do("service.rollback", service="orders-api")
    assert again.summary == f"Roll orders-api in staging back from {older[:7]} to {oldest[:7]}"
    pin = house.release().pin
    assert pin is not None
    assert pin.bad.commit == bad, "else the bad version would count as a fix of the one that was left last"
    with pytest.raises(Refused, match="is what was rolled back"):
        await house.plan("service.deploy", service="orders-api", version=bad)


async def test_going_back_again_skips_versions_that_were_rolled_back_before(house: House) -> None:
    oldest = await deployed(house, "Oldest")
    await deployed(house, "Good")
    await deployed(house, "Bad")
    await house.do("service.rollback", service="orders-api")
    await deployed(house, "Bad too")
    await house.do("service.rollback", service="orders-api")
    plan = await house.plan("service.rollback", service="orders-api")
    assert plan.summary.endswith(f"to {oldest[:7]}")


async def test_the_button_of_an_old_card_does_not_roll_back_what_was_deployed_since(house: House) -> None:
    await deployed(house, "Good")
    house.push("Bad", replicas=2)
    card = await house.do("service.deploy", service="orders-api")
    [offer] = [one for one in card.offers if one.action == "rollback"]
    request: dict[str, Any] = dict(offer.request)
    assert (await house.plan(offer.command, **request)).summary.startswith("Roll orders-api in staging back")
    fix = await deployed(house, "Mend it")
    with pytest.raises(Conflict, match=rf"runs {fix[:7]} in staging, and not"):
        await house.plan(offer.command, **request)


async def deployed(house: House, message: str) -> str:
    commit = house.push(message, replicas=2)
    await house.do("service.deploy", service="orders-api")
    return commit


# --- Names that two want

TWIN = """
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-api, namespace: evil, annotations: {github.com/project-slug: acme/evil}}
spec: {type: service, lifecycle: production, owner: team-checkout}
"""


async def twin(house: House) -> None:
    """Another team's repository declares a component of the same name in a namespace of its own."""
    house.catalog += TWIN
    await house.forge.create_repository(NewRepository("acme/evil", "Evil"))
    house.forge.push("acme/evil", {"platform.yaml": document(replicas=2)}, message="Take over")


@pytest.mark.parametrize("command", CHANGES)
async def test_a_component_of_the_same_name_changes_nothing_of_the_service(house: House, command: str) -> None:
    await house.do("service.deploy", service="orders-api")
    await twin(house)
    house.catalog = house.catalog.replace(CATALOG.rpartition("---")[2], "")  # the catalog has forgotten the first
    with pytest.raises(Conflict, match=r"orders-api in staging belongs to acme/orders-api, and not to acme/evil"):
        await house.plan(command, service="component:evil/orders-api", **CHANGES[command])


async def test_a_service_whose_repository_was_renamed_is_still_the_same(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    house.forge.change(SOURCE, full_name="acme/orders")
    house.catalog = house.catalog.replace("acme/orders-api", "acme/orders")
    await house.plan("service.restart", service="orders-api")


async def test_two_services_whose_names_and_environments_run_together_do_not_share_an_application(
    house: House,
) -> None:
    """`orders` in `api-staging` and `orders-api` in `staging` would both be `orders-api-staging`."""
    house.platform = house.platform.model_copy(
        update={"environments": house.platform.environments | {"api-staging": house.platform.environments["staging"]}}
    )
    house.catalog += TWIN.replace("name: orders-api, namespace: evil", "name: orders")
    await house.forge.create_repository(NewRepository("acme/evil", "Evil"))
    house.forge.push("acme/evil", {"platform.yaml": document("orders", replicas=2)})
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(Conflict, match=r"orders-api-staging is the Argo CD Application of orders-api in staging"):
        await house.plan("service.deploy", service="orders", environment="api-staging")


def test_namespaces_that_are_cut_stay_different() -> None:
    names = ["staging", "staging-of-the-second-region-in-the-east", "staging-of-the-second-region-in-the-eastern"]
    platform = Platform.model_validate({"environments": {name: {} for name in names}})
    service = "a" * 45
    found = [platform.namespace(service, "team", name) for name in names]
    assert len(set(found)) == len(names)
    assert all(len(name) <= 63 and not name.endswith("-") for name in found)
    assert found[0] == f"{service}-staging", "what fits stays as it is"


async def test_a_namesake_is_not_known_to_the_platform(house: House) -> None:
    await twin(house)
    for command, request in CHANGES.items():
        with pytest.raises(Conflict, match="has the name of `component:default/orders-api`"):
            await house.plan(command, service="component:evil/orders-api", **request)


def test_who_names_a_repository_that_is_not_theirs_does_not_stop_its_builds() -> None:
    mine = CATALOG.rpartition("---")[2]
    theirs = TWIN.rpartition("---")[2].replace("name: orders-api, namespace: evil", "name: evil")
    theirs = theirs.replace("acme/evil", SOURCE)
    index = Index([read(Document("github:acme/evil", "1", theirs)), read(Document(f"github:{SOURCE}", "1", mine))])
    found = service_of_repository(index, SOURCE)
    assert found is not None
    assert found.name == "orders-api"


# --- Words that mean two things


async def test_a_tag_is_taken_at_its_word_before_its_number(house: House) -> None:
    plain, other = house.push("Plain", replicas=2), house.push("Other", replicas=2)
    house.forge.change(SOURCE, tags=["v1.4.2", "1.4.2"], tagged={"v1.4.2": other, "1.4.2": plain})
    for wanted, commit in (("1.4.2", plain), ("v1.4.2", other)):
        plan = await house.plan("service.deploy", service="orders-api", version=wanted)
        assert [one.at for one in plan.revisions if one.of.endswith(SOURCE)] == [commit], wanted


ODD_VERSIONS = [
    "--force",
    "../../etc",
    "0" * 40,
    "refs/heads/main",
    "HEAD~1",
    "main^",
    "v1 ",
    "ａ" * 50,
    "*",
    "<!channel>",
]


@pytest.mark.parametrize("version", ODD_VERSIONS)
async def test_what_is_no_version_is_answered_with_the_newest(house: House, version: str) -> None:
    with pytest.raises(NotFound, match="The newest are"):
        await house.plan("service.deploy", service="orders-api", version=version)


@pytest.mark.parametrize("number", ["9" * 5_000, "-3", "1e9", "٣٣٣٣", "0x10", "3.5", "³"])
def test_an_odd_number_of_replicas_is_told_and_no_fault(number: str) -> None:
    command = next(one for one in COMMANDS if one.name == "service.scale")
    assert isinstance(command, Command)
    assert command.parse is not None
    with pytest.raises((UsageError, ValidationError)):
        command.parse(["orders-api", number])


# --- Secrets


SECRETS = {
    "STRIPE": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "DATABASE_URL": "postgresql://orders:hunter22@db.acme.example/orders",
    "DB_PASSWORD": "hunter22",
    "GITHUB": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "SESSION_SECRET": "change me please",
}
HARMLESS = {
    "PASSWORD_MIN_LENGTH": "12",
    "TOKEN_URL": "https://login.acme.example/token",
    "CSRF_TOKEN": "true",
    "SECRET_FILE": "/etc/secrets/one",
    "DB_PASSWORD_FILE": "/etc/secrets/two",
    "API_TOKEN": "",
    "CACHE_URL": "redis://cache:6379/0",
    "DOCS": "postgresql://$(DB_USER):$(DB_PASSWORD)@db/orders",
}


@pytest.mark.parametrize("name", SECRETS)
async def test_a_secret_among_the_variables_is_refused_before_it_is_planned(house: House, name: str) -> None:
    house.push(replicas=2, env={name: SECRETS[name]})
    with pytest.raises(Invalid) as refused:
        await house.plan("service.deploy", service="orders-api")
    assert SECRETS[name] not in f"{refused.value} {refused.value.mistakes}"
    [mistake] = refused.value.mistakes
    assert mistake.path == f"spec.env.{name}"
    assert "`secrets`" in mistake.message


async def test_a_secret_of_one_environment_is_seen_as_well(house: House) -> None:
    house.push(replicas=2, environments={"production": {"env": {"DB_PASSWORD": "hunter22"}}})
    with pytest.raises(Invalid) as refused:
        await house.plan("service.deploy", service="orders-api")
    assert [mistake.path for mistake in refused.value.mistakes] == ["spec.environments.production.env.DB_PASSWORD"]


async def test_what_only_sounds_like_a_secret_is_taken(house: House) -> None:
    house.push(replicas=2, env=HARMLESS)
    await house.plan("service.deploy", service="orders-api")


async def test_the_past_is_not_refused_but_not_shown(house: House) -> None:
    """Releases from before this was refused still restart, and the card of the mended version shows no value."""
    await house.do("service.deploy", service="orders-api")
    told = yaml.safe_load(house.files()[RELEASE])
    told["document"]["spec"]["env"] = {"DB_PASSWORD": "hunter22"}
    put(house, yaml.safe_dump(told))
    await house.do("service.restart", service="orders-api")
    house.push(replicas=2, env={"LOG_LEVEL": "info"})
    plan = await house.plan("service.deploy", service="orders-api")
    assert "• env.DB_PASSWORD: ‹hidden› → (not set)" in plan.highlights
    assert "hunter22" not in plan.model_dump_json(include={"highlights", "details"})


async def test_what_others_have_put_beside_the_objects_stays(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    folder = "apps/orders-api/staging"
    put(house, "kind: ConfigMap\nmetadata: {name: mine}\n", f"{folder}/configmap-mine.yaml")
    put(house, "Ask the platform team first.", f"{folder}/README.md")
    house.push("A worker now", worker=True)
    plan = await house.do("service.deploy", service="orders-api")
    files = house.files(folder)
    assert {f"{folder}/configmap-mine.yaml", f"{folder}/README.md"} < set(files)
    assert f"{folder}/service-orders-api.yaml" not in files
    assert not [detail.title for detail in plan.details if detail.title in ("README.md", "configmap-mine.yaml")]


# --- What an approver should know


async def test_promoting_what_is_not_well_is_told_to_whoever_approves(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    fine = await house.plan("service.promote", service="orders-api")
    house.deployments = FakeDeployments(application("orders-api-staging"))
    assert (await house.plan("service.promote", service="orders-api")).highlights == fine.highlights
    house.deployments.change("orders-api-staging", health="Degraded", health_message="2 of 2 pods crash")
    house.lanes["deploy:orders-api/staging"] = (
        Behind(operation="op-9", summary="Deploy orders-api to staging", by="Me"),
    )
    plan = await house.plan("service.promote", service="orders-api")
    assert plan.highlights[:2] == (
        "Mind: Argo CD calls orders-api in staging Degraded (2 of 2 pods crash).",
        "Mind: “Deploy orders-api to staging”, asked by Me, has not ended yet.",
    )
    house.asked -= 2
    assert plan.digest == (await house.plan("service.promote", service="orders-api")).digest


async def test_an_argo_cd_that_is_away_keeps_nobody_from_promoting(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    house.deployments = FakeDeployments(application("orders-api-staging"))
    house.deployments.faults.refuse("application", UpstreamUnavailable("Argo CD did not answer."))
    plan = await house.plan("service.promote", service="orders-api")
    assert plan.highlights[0] == "Mind: how orders-api is in staging is not known. Argo CD did not answer."


async def test_a_tag_that_looks_like_another_commit_is_not_deployed_in_its_place(house: House) -> None:
    good = house.push("Reviewed", replicas=2)
    evil = house.push("Unreviewed", replicas=3)
    house.forge.change(SOURCE, tags=[good, good[:7]], tagged={good: evil, good[:7]: evil})
    plan = await house.plan("service.deploy", service="orders-api", version=good)
    assert [one.at for one in plan.revisions if one.of.endswith(SOURCE)] == [good]
    with pytest.raises(UsageError, match=rf"`{good[:7]}` is a tag, and the beginning of another commit"):
        await house.plan("service.deploy", service="orders-api", version=good[:7])


async def test_a_branch_that_looks_like_a_commit_is_none(house: House) -> None:
    house.forge.push(SOURCE, {"platform.yaml": document(replicas=9)}, branch="deadbeef")
    with pytest.raises(NotFound):
        await house.plan("service.deploy", service="orders-api", version="deadbeef")
