"""Hostile words, requests and peers: one clear sentence for the person, and a world that did not change."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from tests.scenario.world import Json, World, spoken, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "group:default/team-orders"
HOSTILE = [
    "../../etc/passwd",
    "..",
    "a/../../b",
    "name: {injected: true}\n- x",
    "a\nb: c",
    "${{ parameters.owner }}",
    "{{ 7 * 7 }}",
    "*bold* <!channel> <https://evil.example|click>",
    "x" * 10_000,
    "\u202egnp.exe",
    "\u200b",
    "payload\x00api",
    "🚀",
    "Ünïcode",
    "-rf",
    "a.git",
    "con",
    "CON",
    ".github",
    "orders-api",
    "null",
    "true",
    "1",
    "",
    " ",
]
ALLOWED = {"con", "null", "true"}
"""Odd, and yet good names for a repository."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("world") / "playground") as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_unhandled(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens, the bot's log holds no error and no traceback."""
    with caplog.at_level(logging.WARNING):
        yield
    told = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR or record.exc_info]
    assert not told, [record.getMessage() for record in told]


async def repositories(here: World) -> set[str]:
    _, found = await here.github("GET", "/orgs/acme/repos?per_page=100")
    return {one["name"] for one in found}


async def form(here: World, user: str = "author", channel: str = "team-orders") -> Json:
    answer = await here.slack.command(user, "/service create python-service", channel)
    assert answer["status"] == 200
    return await here.slack.opened(user, "service.create")


async def page(here: World, user: str, view: Json, **values: Any) -> Json:
    """Submit one page of the form as it is."""
    shaped = {name: {name: value} for name, value in values.items()}
    return await here.slack.call("POST", "views/submit", user=user, view_id=view["id"], values=shaped, expect=None)


async def close_all(here: World, user: str) -> None:
    while (view := await here.slack.modal(user)) is not None:
        await here.slack.call("POST", "views/close", user=user, view_id=view["id"])


# --- Names


@pytest.mark.parametrize("name", HOSTILE, ids=[repr(name[:24]) for name in HOSTILE])
async def test_a_hostile_name_is_refused_by_the_api_in_words(here: World, name: str) -> None:
    before = await repositories(here)
    body = {"template": "python-service", "name": name, "owner": OWNER}
    status, answer = await here.api("POST", "/requests/service.create?dry_run=true", by="author", body=body)
    if name in ALLOWED:
        assert status == 200, answer
        assert answer["plan"]["steps"][0]["text"] == f"Create the private repository acme/{name}"
    else:
        assert status in (409, 422), answer
        assert answer["error"]
        assert len(json.dumps(answer)) < 2_000, "nobody reads their own ten thousand characters back"
    assert await repositories(here) == before


@pytest.mark.parametrize("field", ["owner", "system", "visibility", "description"])
@pytest.mark.parametrize("value", ["../x", "group:default/../../x", "{{x}}", "a\nb: c", 3, ["x"], {"a": 1}])
async def test_hostile_answers_to_other_fields_are_refused_or_harmless(here: World, field: str, value: Any) -> None:
    body = {"template": "python-service", "name": "fine", "owner": OWNER, field: value}
    status, answer = await here.api("POST", "/requests/service.create?dry_run=true", by="author", body=body)
    if field == "description" and status == 200:
        files = {detail["title"]: detail["text"] for detail in answer["plan"]["details"]}
        assert "catalog-info.yaml" in files
    else:
        assert status in (403, 404, 409, 422), answer
        assert "our fault" not in json.dumps(answer)


async def test_a_hostile_name_in_the_form_is_told_beside_its_field(here: World) -> None:
    view = await form(here)
    taken = 0
    for name in [name for name in HOSTILE if name not in ALLOWED and name != "orders-api"]:
        answer = await page(here, "author", view, name=name, owner=OWNER)
        if "status" in answer:  # else Slack itself did not take it
            assert answer["body"]["response_action"] == "errors", (name, answer)
            assert answer["body"]["errors"]["name"], name
            taken += 1
    assert taken > len(HOSTILE) // 2
    await close_all(here, "author")


async def test_an_existing_name_is_refused_after_the_form_which_opens_again(here: World) -> None:
    before = await repositories(here)
    view = await form(here)
    answer = await here.slack.submit("author", view, {"name": "orders-api", "owner": OWNER})
    assert answer["status"] == 200
    told = await here.slack.told("author", "The repository acme/orders-api exists already. Choose another name.")
    assert await repositories(here) == before
    await here.slack.call(
        "POST", "actions", user="author", channel="team-orders", message_ts=told["ts"], action_id="form.open"
    )
    again = await here.slack.opened("author", "service.create")
    assert "orders-api" in json.dumps(again["blocks"]) or "team-orders" in json.dumps(again["blocks"])
    await close_all(here, "author")


async def test_mrkdwn_in_a_description_pings_nobody(here: World) -> None:
    view = await form(here)
    hostile = "<!channel> <@U0APPROVER1> *x* `y` <https://evil.example|orders>"
    answers = {"name": "harmless", "owner": OWNER, "description": hostile}
    await here.slack.submit("author", view, answers)
    card = await here.slack.card("team-orders", "awaiting_approval")
    await here.slack.click("author", "team-orders", card, "details")
    assert "<!channel>" not in spoken(card)
    assert "<@U0APPROVER1>" not in spoken(card)
    assert "<https://evil.example" not in spoken(card)
    await here.slack.click("teammate", "team-orders", card, "reject")
    ended = await here.slack.card("team-orders", "rejected", operation=operation_of(card))
    assert "Nothing was changed" in spoken(ended)


def operation_of(card: Json) -> str:
    operation: str = card["metadata"]["event_payload"]["operation"]
    return operation


# --- Requests that Slack did not send


async def posted(here: World, body: bytes, timestamp: int, *, secret: str | None = None) -> tuple[int, str]:
    key = (secret or here.ready["env"]["CAUSEWAY_SLACK_SIGNING_SECRET"]).encode()
    signature = "v0=" + hmac.new(key, b"v0:%d:%s" % (timestamp, body), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Signature": signature,
        "X-Slack-Request-Timestamp": str(timestamp),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    url = f"{here.ready['bot']}/slack/events"
    async with here.http.post(url, data=body, headers=headers) as response:
        return response.status, await response.text()


async def now(here: World) -> int:
    assert here.playground is not None
    return int(here.playground.clock().timestamp())


COMMAND = urlencode(
    {
        "command": "/service",
        "text": "show orders-api",
        "user_id": "U0AUTHOR01",
        "team_id": "T0ACME00001",
        "channel_id": "C0TEAMORDER",
        "trigger_id": "1.2.3",
        "response_url": "http://127.0.0.1:9/",
    }
).encode()


async def test_a_forged_request_is_refused(here: World) -> None:
    assert (await posted(here, COMMAND, await now(here), secret="made-up"))[0] == 401


@pytest.mark.parametrize("age_s", [301, 86_400, -301])
async def test_a_request_of_another_time_is_refused(here: World, age_s: int) -> None:
    assert (await posted(here, COMMAND, await now(here) - age_s))[0] == 401


async def test_an_oversized_request_is_refused(here: World) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    url = f"{here.ready['bot']}/slack/events"
    async with here.http.post(url, data=pieces()) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload={", b"payload=3", b"%00", b"payload=%7B%22type%22%3A3%7D", b"command=/service"]
)
async def test_a_signed_request_that_slack_never_sends_is_refused(here: World, body: bytes) -> None:
    status, text = await posted(here, body, await now(here))
    assert status == 400
    assert text == "The request is not one that Slack sends."


# --- People


@pytest.mark.parametrize(
    ("user", "channel", "told"),
    [
        ("guest", "general", "Guests of this workspace cannot use Causeway. Ask in #platform for access."),
        ("outsider", "platform", "People from other organisations cannot use Causeway. Ask in #platform for access."),
    ],
)
async def test_whoever_is_no_employee_hears_whom_to_ask(here: World, user: str, channel: str, told: str) -> None:
    for text in ("/service list", "/idp help"):
        await here.slack.command(user, text, channel)
        await here.slack.told(user, told, channel)


async def test_a_stranger_cannot_press_the_buttons_of_a_card(here: World) -> None:
    view = await form(here)
    await here.slack.submit("author", view, {"name": "pressed", "owner": OWNER})
    card = await here.slack.card("team-orders", "awaiting_approval")
    operation = operation_of(card)
    status, answer = await here.api("POST", f"/operations/{operation}/undo", by="stranger")
    assert (status, answer["text"]) == (403, "Only author or team-orders or platform can undo this.")
    await here.slack.click("teammate", "team-orders", card, "reject")
    ended = await here.slack.card("team-orders", "rejected", operation=operation)
    assert "Rejected by Sample Teammate." in spoken(ended)
    assert "pressed" not in await repositories(here)


# --- Words


async def test_help_lists_what_can_be_done(here: World) -> None:
    await here.slack.command("author", "/idp help")
    told = spoken(await here.slack.told("author", "What you can do"))
    assert all(line in told for line in ("/service create", "/service list", "/service show"))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/service craete python-service", "Did you mean `/service create python-service`?"),
        ("/service shwo orders-api", "Did you mean `/service show orders-api`?"),
        ("/idp frobnicate", "`/idp help` lists what I can do."),
        ("/service show order-api", "Did you mean `orders-api`?"),
        ("/service show orders-api checkout-web", "Which service?"),
        ("/service create pyton-service", "There is no golden path `pyton-service`."),
        ('/service show "', "There is no service"),
        ("/service show <!channel>", "There is no service"),
    ],
)
async def test_words_that_are_not_understood_are_answered_with_the_nearest(here: World, typed: str, told: str) -> None:
    await here.slack.command("author", typed)
    message = await here.slack.told("author", told)
    assert "<!channel>" not in spoken(message)
