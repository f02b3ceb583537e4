"""`/preview up`: what is read, planned, and refused before anything happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.command import Command
from bot.errors import Conflict, Invalid, NotFound, PlatformError, Refused, UsageError
from bot.model.duration import format_duration
from bot.model.effect import Run
from bot.model.principal import Principal
from bot.ports import Ports
from bot.previews.asking import parse
from bot.previews.form import UpForm
from commands.preview_up import COMMAND
from tests.fakes.catalog import FakeCatalog
from tests.previews.asking import AUTHOR, ORDERS, SOURCE, applied, effects, kinds, plan, platform, runs, village
from tests.previews.village import MONDAY, Village
from tests.releases.house import document

DATABASE = {"type": "postgresql", "size": "small"}
DOCUMENT = """
apiVersion: environments.platform.io/v1
kind: Environment
metadata: {name: pr-123-preview}
spec:
  ttl: 7d
  services:
    - {name: orders-api, image: orders-api:pr-123}
  databases:
    - {type: postgresql, seedFrom: staging}
"""


# --- words


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("demo orders-api", {"name": "demo", "services": {"orders-api": ""}}),
        ("demo orders-api@next web=web:1", {"name": "demo", "services": {"orders-api": "next", "web": "web:1"}}),
        ("orders-api@next", {"services": {"orders-api": "next"}}),
        ("demo orders-api for 1d", {"name": "demo", "services": {"orders-api": ""}, "ttl": "1d"}),
        ("acme/orders-api#12", {"pull_request": "acme/orders-api#12"}),
        ("https://github.com/acme/orders-api/pull/12", {"pull_request": "https://github.com/acme/orders-api/pull/12"}),
        ("demo of acme/orders-api#12 for 2d", {"name": "demo", "pull_request": "acme/orders-api#12", "ttl": "2d"}),
        ("demo orders-api seeded from staging", {"name": "demo", "services": {"orders-api": ""}, "seed": "staging"}),
    ],
)
def test_words_become_a_request(words: str, asked: dict[str, Any]) -> None:
    found = parse(words.split()).model_dump(mode="json", exclude_defaults=True)
    assert found == asked


@pytest.mark.parametrize("words", ["demo for", "demo orders-api for soon"])
def test_words_that_say_nothing_are_refused(words: str) -> None:
    with pytest.raises((PlatformError, ValidationError)):
        parse(words.split())


# --- the plan


async def test_everything_is_told_before_it_happens() -> None:
    made = await village()
    found = await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert kinds(found) == [
        "book.enter",
        "forge.await_one_of_builds",
        "cluster.apply_objects",
        "delivery.await_healthy",
    ]
    assert (found.owner, found.environment, found.lane) == (ORDERS, "preview", "deploy:preview/demo")
    assert found.links == {"Open orders-api": "https://orders-api.demo.preview.acme.example"}
    assert "It ends 5 March at 09:00 UTC, unless somebody extends it." in found.highlights
    assert "A month of it would cost 6 EUR." in found.highlights
    assert [offer.action for offer in found.offers] == ["extend", "sleep", "delete"]
    assert found.details


async def test_the_same_request_is_the_same_plan() -> None:
    made = await village()
    one, other = [await plan(made, "preview.up", name="demo", services=["orders-api"]) for _ in range(2)]
    assert one.digest == other.digest


async def test_a_branch_a_commit_and_an_image_are_told_apart() -> None:
    made = await village()
    head = made.forge.push(SOURCE, {"next": b"1"}, branch="next")
    for said in ("next", head):
        found = await plan(made, "preview.up", name="demo", services={"orders-api": said})
        assert f"orders-api {head[:7]} ({head[:7]} of {SOURCE})" in found.highlights
        assert "forge.await_one_of_builds" in kinds(found)
    found = await plan(made, "preview.up", name="demo", services={"orders-api": "orders-api:pr-7"})
    assert "forge.await_one_of_builds" not in kinds(found), "nobody knows which commit that is"
    (healthy,) = [one for one in effects(found) if one.kind == "delivery.await_healthy"]
    assert "ghcr.io/acme/orders-api:pr-7" in str(healthy)


async def test_a_whole_document_can_be_asked_for() -> None:
    made = await village(database=DATABASE)
    await runs(made, "staging", database=DATABASE)
    found = await plan(made, "preview.up", document=DOCUMENT)
    assert "database.await_ready" in kinds(found)
    assert any("filled from staging" in line for line in found.highlights)
    assert "It ends 9 March at 09:00 UTC, unless somebody extends it." in found.highlights
    assert "A month of it would cost 26 EUR." in found.highlights


async def test_a_document_says_everything_itself() -> None:
    made = await village()
    with pytest.raises(UsageError, match="`name` cannot be said beside it"):
        await plan(made, "preview.up", document=DOCUMENT, name="demo")


# --- pull requests


async def pull_request(made: Village, **fields: Any) -> tuple[str, str]:
    """Open one; return how it is called, and its head."""
    head = made.forge.push(SOURCE, {"next": b"1"}, branch="next")
    opened = await made.forge.create_pull_request(SOURCE, head="next", base="main", title="Next", body="")
    if fields:
        made.forge.change_pull_request(SOURCE, opened.number, **fields)
    return f"{SOURCE}#{opened.number}", head


async def test_a_pull_request_gets_one_that_is_named_after_it_and_github_is_told() -> None:
    made = await village()
    reference, head = await pull_request(made)
    found = await plan(made, "preview.up", pull_request=reference)
    assert found.summary == f"Show {reference} in the preview pr-1-orders-api"
    told = [kind for kind in kinds(found) if kind.startswith("forge.")]
    assert told == [
        "forge.living_comment",
        "forge.await_one_of_builds",
        "forge.record_deployment",
        "forge.conclude_deployment",
        "forge.living_comment",
    ]
    assert f"orders-api {head[:7]} ({head[:7]} of {SOURCE})" in found.highlights


async def test_one_from_a_fork_is_another_environment_and_says_so() -> None:
    made = await village()
    reference, _ = await pull_request(made, head_repository="somebody/orders-api")
    found = await plan(made, "preview.up", pull_request=reference)
    assert found.environment == "fork"
    assert found.highlights[0].startswith("What it shows comes from a fork")


@pytest.mark.parametrize(
    ("image", "refused"),
    [("evil.example/acme/orders-api:1", True), ("ghcr.io/acme/orders-api:1", False), ("orders-api", False)],
)
async def test_a_fork_runs_only_what_ci_has_built_of_it(image: str, refused: bool) -> None:  # a parameter of the test
    made = await village()
    made.forge.push(SOURCE, {"platform.yaml": document(image=image)}, branch="next")
    await made.forge.create_pull_request(SOURCE, head="next", base="main", title="Next", body="")
    made.forge.change_pull_request(SOURCE, 1, head_repository="somebody/orders-api")
    if refused:
        with pytest.raises(
            Refused, match=r"names the image evil\.example/acme/orders-api, and orders-api is ghcr\.io/"
        ):
            await plan(made, "preview.up", pull_request=f"{SOURCE}#1")
        made.forge.change_pull_request(SOURCE, 1, head_repository=SOURCE)
    await plan(made, "preview.up", pull_request=f"{SOURCE}#1")


async def test_a_push_changes_what_it_shows_and_neither_its_end_nor_what_else_is_in_it() -> None:
    made = await village()
    reference, _ = await pull_request(made)
    first = await plan(made, "preview.up", name="demo", pull_request=reference, ttl="5d")
    await applied(made, first)
    with pytest.raises(Conflict, match="shows exactly this already"):
        await plan(made, "preview.up", name="demo", pull_request=reference)
    head = made.forge.push(SOURCE, {"next": b"2"}, branch="next")
    made.forge.change_pull_request(SOURCE, 1, head_sha=head)
    made.now = MONDAY + timedelta(days=1)
    again = await plan(made, "preview.up", name="demo", pull_request=reference)
    assert again.summary.startswith("Update")
    assert "It ends 7 March at 09:00 UTC, unless somebody extends it." in again.highlights
    assert any(head[:7] in line for line in again.highlights)


async def test_one_that_has_ended_gets_no_new_version_that_would_be_deleted_at_once() -> None:
    made = await village()
    reference, _ = await pull_request(made)
    await applied(made, await plan(made, "preview.up", pull_request=reference))
    head = made.forge.push(SOURCE, {"next": b"2"}, branch="next")
    made.forge.change_pull_request(SOURCE, 1, head_sha=head)
    made.now = MONDAY + timedelta(days=3)
    with pytest.raises(Conflict, match="pr-1-orders-api has ended, and is about to be deleted"):
        await plan(made, "preview.up", pull_request=reference)
    made.running["op-down"] = "pr-1-orders-api"
    assert (await plan(made, "preview.up", pull_request=reference)).lane, "it stands in line, and then it is new"


async def test_one_that_is_closed_gets_none() -> None:
    made = await village()
    reference, _ = await pull_request(made)
    await made.forge.close_pull_request(SOURCE, 1)
    with pytest.raises(Conflict, match="is closed already"):
        await plan(made, "preview.up", pull_request=reference)


# --- what is refused


@pytest.mark.parametrize(
    ("request_", "error", "told"),
    [
        ({"ttl": "0d"}, UsageError, "too short"),
        ({"ttl": "5200w"}, Refused, "at most 10d"),
        ({"name": "staging"}, UsageError, "name of an environment"),
        ({"name": "Nope!"}, Invalid, "name: `Nope!` is not a name"),
        ({"services": ["nobody"]}, NotFound, "no service `nobody`"),
        ({"services": {"orders-api": "nowhere"}}, NotFound, "no version `nowhere`"),
        ({"services": ["orders-api@"], "seed": "nowhere"}, Invalid, "nowhere"),
        ({"services": ["orders-api"], "seed": "production"}, Invalid, "masks it"),
        ({"pull_request": "twelve"}, UsageError, "no pull request"),
        ({"pull_request": "acme/orders-api#99"}, NotFound, "no pull request 99"),
        ({"pull_request": "acme/unknown#1"}, NotFound, "No service of the catalog"),
    ],
)
async def test_what_cannot_be_is_one_clear_sentence(request_: Any, error: type[Exception], told: str) -> None:
    made = await village(database=DATABASE)
    await runs(made, "production", database=DATABASE)
    asked = {"name": "demo", "services": ["orders-api"], **request_}
    if "pull_request" in request_:
        asked = request_
    with pytest.raises(error) as caught:
        await plan(made, "preview.up", **asked)
    assert told in str(caught.value)


def test_a_negative_span_is_no_span() -> None:
    with pytest.raises(ValidationError, match="write a number and a unit"):
        parse(["demo", "orders-api", "for", "-1d"])


async def test_a_name_that_another_preview_has_is_refused_with_whose_it_is() -> None:
    made = await village()
    made.stands("demo")
    with pytest.raises(Conflict) as caught:
        await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert "author of team-orders has it until 5 March at 09:00 UTC" in str(caught.value)


async def test_a_namespace_of_somebody_else_is_nobodys_preview() -> None:
    made = await village()
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "billing"}})
    with pytest.raises(Conflict, match="which is no preview's"):
        await plan(made, "preview.up", name="billing", services=["orders-api"])


@pytest.mark.parametrize("name", ["orders-api-staging", "orders-api-production"])
async def test_where_a_service_belongs_no_preview_is_made_before_the_service_is_there(name: str) -> None:
    """It would be deleted with the preview."""
    made = await village()
    environment = name.removeprefix("orders-api-")
    with pytest.raises(Conflict, match=f"`{name}` is kept for orders-api in {environment}"):
        await plan(made, "preview.up", name=name, services=["orders-api"])


async def test_no_service_is_delivered_into_a_previews_namespace() -> None:
    made = await village()
    made.stands("orders-api-staging")
    with pytest.raises(Conflict, match="belongs to the preview `orders-api-staging` of team-orders"):
        await plan(made, "service.deploy", service="orders-api", environment="staging")
    line = await made.book.get("preview", "main", "orders-api-staging")
    assert line is not None
    await made.book.end("preview", "main", line.name, line.operation, made.now)
    await plan(made, "service.deploy", service="orders-api", environment="staging")


async def test_a_host_that_is_taken_is_refused() -> None:
    made = await village()
    host = "orders-api.demo.preview.acme.example"
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    ingress: dict[str, Any] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "old", "namespace": "shop"},
        "spec": {"rules": [{"host": host}]},
    }
    made.cluster.put(ingress)
    with pytest.raises(Conflict, match="belongs to the Ingress old in shop"):
        await plan(made, "preview.up", name="demo", services=["orders-api"])


async def test_where_there_are_no_previews_nobody_gets_one() -> None:
    made = await village(platform().model_copy(update={"previews": None}))
    with pytest.raises(Refused, match="no previews"):
        await plan(made, "preview.up", name="demo", services=["orders-api"])


async def test_more_than_fits_into_the_quota_is_refused_before_anything_is_made() -> None:
    made = await village(platform(quota={"memory": "64Mi"}))
    with pytest.raises(Invalid, match=r"platform\.previews\.quota\.memory"):
        await plan(made, "preview.up", name="demo", services=["orders-api"])


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"previews": 1}, "team-orders may have 1 at the same time, and has other (6 EUR)"),
        ({"previews": 0}, "may have no preview"),
        (
            {"monthly_cost": 10},
            "costs 6 EUR a month, and team-orders may spend 10 EUR, of which 6 EUR is used by other",
        ),
    ],
)
async def test_a_teams_budget_is_refused_with_who_could_raise_it(budget: Any, told: str) -> None:
    given = platform().model_dump(mode="json", by_alias=True)
    given["budgets"] = {"team-orders": budget}
    made = await village(type(platform()).model_validate(given))
    made.stands("other", monthly_cost=6)
    with pytest.raises(Refused) as caught:
        await plan(made, "preview.up", name="demo", services=["orders-api"])
    assert told in str(caught.value)
    assert "ask the platform team to raise `platform.budgets.team-orders." in str(caught.value)


async def test_what_only_waits_for_its_build_counts_as_well() -> None:
    """Otherwise whoever asks for several at once gets them all."""
    given = platform().model_dump(mode="json", by_alias=True)
    given["budgets"] = {"team-orders": {"previews": 1, "monthly_cost": 10}}
    made = await village(type(platform()).model_validate(given))
    first = await plan(made, "preview.up", name="first", services=["orders-api"])
    (book,) = [one for one in effects(first) if one.kind == "book.enter"]
    ports = Ports(forge=made.forge, catalog=FakeCatalog(), environments=made.book)
    await book.apply(ports, Run(operation="op-first", effect="book", principal=AUTHOR, now=made.now))
    with pytest.raises(Refused, match=r"has first \(6 EUR\)"):
        await plan(made, "preview.up", name="demo", services=["orders-api"])
    given["budgets"] = {"team-orders": {"monthly_cost": 10}}
    made.platform = type(platform()).model_validate(given)
    with pytest.raises(Refused, match=r"of which 6 EUR is used by first"):
        await plan(made, "preview.up", name="demo", services=["orders-api"])


# --- the form


async def test_the_form_fills_in_what_it_can_and_asks_for_the_same() -> None:
    made = await village()
    who = Principal(user="user:default/author", display_name="Sample Author", groups=frozenset({ORDERS}))
    form = UpForm(made.deps)
    start = form.start([], who)
    assert start.values == {"ttl": format_duration(timedelta(days=3)), "seed": "usual", "services": ["orders-api"]}
    request = form.request({**start.values, "name": "demo", "pull_request": None})
    assert isinstance(COMMAND, Command)
    asked = COMMAND.request.model_validate(request)
    assert (asked.name, dict(asked.services), asked.ttl, asked.seed) == (
        "demo",
        {"orders-api": ""},
        timedelta(days=3),
        "",
    )
