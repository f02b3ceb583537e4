"""`causeway plan` and `causeway run`, here and on a server: the same policy, the same ledger, the same exit status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.terminal.asking import exit_status
from tests.terminal.conftest import CREATE, Desk, Said

pytestmark = pytest.mark.asyncio(loop_scope="module")

Ask = Callable[..., Awaitable[Said]]


@pytest.fixture(params=["here", "there"])
def ask(desk: Desk, request: pytest.FixtureRequest) -> Ask:
    """`causeway …`, by itself or as the client of a server."""
    chosen: Ask = getattr(desk, request.param)
    return chosen


async def test_a_plan_shows_its_steps_and_changes_nothing(desk: Desk, ask: Ask) -> None:
    said = await ask("plan", "service.create", "--set", "name=only-planned", *CREATE, by="author")
    assert (said.status, said.err) == (0, "")
    assert "1. Create the private repository acme/only-planned" in said.out
    assert "Needs approval: somebody of team-orders approves /service create." in said.out
    assert "Nothing was changed." in said.out
    world = desk.place.seen_from(desk.url)
    assert (await world.github("GET", "/repos/acme/only-planned"))[0] == 404
    assert "only-planned" not in (await desk.here("ledger", "show", "--json")).out


async def test_a_plan_for_machines_names_its_digest_and_the_decision(ask: Ask) -> None:
    said = await ask("plan", "service.create", "--json", "--set", "name=only-planned", *CREATE, by="author")
    assert said.status == 0
    assert said.json["plan"]["summary"] == "Create only-planned from Python web service for team-orders"
    assert len(said.json["digest"]) == 64
    approval = said.json["decision"]["approval"]
    assert said.json["decision"]["allowed"]
    assert approval["by"] == ["group:default/team-orders"]


async def test_here_and_there_the_plan_is_the_same(desk: Desk) -> None:
    words = ("plan", "service.create", "--json", "--set", "name=the-same", *CREATE)
    here, there = await desk.here(*words, by="author"), await desk.there(*words, by="author")
    assert here.json["digest"] == there.json["digest"]
    assert here.json["decision"] == there.json["decision"]


async def test_what_policy_refuses_ends_with_3(ask: Ask) -> None:
    for word in ("plan", "run"):
        said = await ask(word, "service.create", "--set", "name=not-mine", *CREATE, by="stranger")
        assert said.status == 3
        assert "Only members of team-orders may use `/service create` here." in said.out + said.err
        assert "Ask one of them, or platform." in said.out + said.err


async def test_a_team_that_does_not_exist_is_told_apart_from_one_that_others_belong_to(desk: Desk) -> None:
    words = ("service.create", "--set", "template=python-service", "--set", "name=typo", "--set", "owner=team-order")
    said = await desk.there("plan", *words, by="author")
    assert said.status == 2
    assert "There is no group `team-order` in the catalog." in said.err


async def test_what_waits_for_approval_ends_with_4_and_stands_in_the_ledger(desk: Desk, ask: Ask) -> None:
    said = await ask("run", "service.create", "--json", "--set", "name=waits", *CREATE, by="author")
    assert (said.status, said.json["state"]) == (4, "awaiting_approval")
    assert "buttons" not in said.json, "they belong to the card"
    entries = await desk.here("ledger", "show", "--operation", said.json["id"])
    assert "operation.asked" in entries.out
    assert "user:default/author" in entries.out
    text = await ask("run", "service.create", "--set", "name=waits", *CREATE, by="author")
    assert "Waiting: somebody of team-orders approves /service create." in text.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "name=Bad Name", *CREATE), "name: "),
        (("--set", "name=orders-api", *CREATE), "The repository acme/orders-api exists already. Choose another name."),
        (("--set", "template=pyton-service"), "There is no golden path `pyton-service`."),
        (("--set", 'template:=["x"]'), "template: must be a valid string"),
        (("--set", "name=fine", "--set", "colour=red", *CREATE), "colour"),
        (CREATE, "name"),
        ((), "template"),
        (("--set", "nonsense"), "I could not read `--set nonsense`. Write --set name=orders, or --set count:=3."),
        (("--set", "tags:={"), "What follows `tags:=` is not JSON."),
    ],
)
async def test_a_wrong_request_ends_with_2_and_says_what_is_wrong(ask: Ask, words: tuple[str, ...], told: str) -> None:
    said = await ask("run", "service.create", *words, by="author")
    assert said.status == 2
    assert told in said.out + said.err


async def test_an_unknown_command_is_told_with_the_nearest(ask: Ask) -> None:
    said = await ask("run", "service.creat", by="author")
    assert (said.status, said.err) == (2, "There is no command `service.creat`. Did you mean `service.create`?\n")


async def test_a_query_is_answered_and_has_no_plan(ask: Ask) -> None:
    said = await ask("run", "service.show", "--set", "service=orders-api", by="stranger")
    assert (said.status, said.out) == (0, "orders-api, owned by team-orders\n")
    machine = await ask("run", "service.show", "--json", "--set", "service=orders-api", by="stranger")
    assert machine.json["data"]["metadata"]["name"] == "orders-api"
    missing = await ask("run", "service.show", "--set", "service=order-api", by="stranger")
    assert (missing.status, missing.err) == (2, "There is no service `order-api`. Did you mean `orders-api`?\n")
    planned = await ask("plan", "service.show", "--set", "service=orders-api", by="stranger")
    assert (planned.status, planned.out) == (2, "")
    assert "only answers; it makes no plan" in planned.err


async def test_without_a_token_nobody_is_asked(desk: Desk) -> None:
    for more in ((), ("--server", desk.url)):
        said = await desk.here("run", "service.create", *CREATE, *more)
        assert (said.status, said.err) == (3, "I do not know who you are. Give --token, or set CAUSEWAY_TOKEN.\n")
        said = await desk.here("run", "service.create", *CREATE, *more, CAUSEWAY_TOKEN="cwy_made_up")
        assert (said.status, said.err) == (3, "This token is not known here. Ask the platform team for one.\n")


async def test_a_server_that_does_not_answer_is_named(desk: Desk) -> None:
    for server in ("http://127.0.0.1:9", "nonsense", desk.place.ready["page"]):
        said = await desk.here("run", "service.list", "--server", server, by="author")
        assert said.status == 1
        assert server in said.err
        assert "Check --server" in said.err


@pytest.fixture
def unattended(desk: Desk) -> str:
    """A configuration whose rules ask nobody."""
    given = Path(desk.env["CAUSEWAY_CONFIG"])
    config = given.with_name("unattended.yaml")
    config.write_text(given.read_text().replace("policy:\n", "policy:\n  rules: [{approve: none}]\n"))
    return str(config)


async def test_what_succeeds_ends_with_0_and_what_is_undone_with_1(desk: Desk, unattended: str) -> None:
    words = ("run", "service.create", "--config", unattended, *CREATE)
    done = await desk.here(*words, "--set", "name=made-here", by="author")
    assert done.status == 0, done
    assert "succeeded" in done.out
    world = desk.place.seen_from(desk.url)
    assert (await world.github("GET", "/repos/acme/made-here"))[0] == 200
    await world.fail_github(route="POST /repos/acme/not-made/git/trees", times=1, status=422)
    undone = await desk.here(*words, "--json", "--set", "name=not-made", by="author")
    assert (undone.status, undone.json["state"]) == (1, "undone")
    assert "Nothing is left behind." in undone.json["problem"]
    assert (await world.github("GET", "/repos/acme/not-made"))[0] == 404


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"state": "succeeded"}, 0),
        ({"state": "undone"}, 1),
        ({"state": "failed", "reason": "effect_failed"}, 1),
        ({"state": "failed", "reason": "fault"}, 1),
        ({"state": "expired", "reason": "expired"}, 1),
        ({"state": "failed", "reason": "wrong_request"}, 2),
        ({"state": "rejected", "reason": "refused_by_policy"}, 3),
        ({"state": "rejected", "reason": "rejected"}, 3),
        ({"state": "awaiting_approval"}, 4),
        ({"text": "an answer"}, 0),
    ],
)
async def test_every_end_has_its_exit_status(answer: dict[str, str], status: int) -> None:
    assert exit_status(answer) == status
