"""The traps of Bolt, each once against plain Bolt (the trap is real) or the code's shape, and once against ours."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.bolt import BoltDispatch
from bot.slack.envelope import Envelope, Kind, from_http
from tests.fakes.slack_inbound import MONDAY, SECRET, query, rig, sign


def plain_bolt() -> AsyncApp:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-unused")

    return AsyncApp(signing_secret=SECRET, authorize=authorize, request_verification_enabled=False)


async def through_plain_bolt(app: AsyncApp, fields: Mapping[str, str]) -> BoltResponse:
    body = urlencode(fields)
    headers: dict[str, str | Sequence[str]] = {
        **sign(body.encode(), MONDAY),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return await app.async_dispatch(AsyncBoltRequest(body=body, headers=headers))


@pytest.mark.parametrize("fields", [{"text": "list payload-api"}, {"text": "list x", "channel_name": "payloads"}])
async def test_the_word_payload_loses_no_command(tmp_path: Path, fields: dict[str, str]) -> None:
    app = plain_bolt()

    @app.command("/service")
    async def service(ack: AsyncAck) -> None:
        await ack("found")

    async with rig(tmp_path) as slack:
        sent = slack.command_fields("/service", **fields)
        assert (await through_plain_bolt(app, sent)).status == 404  # the trap is real in the release we use
        assert (await slack.command("/service", **fields)).status == 200
        assert slack.replies.texts == [f"Services: {fields['text'].removeprefix('list ')}"]


async def test_there_is_no_wait_for_the_ack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain Bolt looks every 10 ms whether a listener has acknowledged; ours never sleeps."""
    slept: list[float] = []

    async def no_sleep(seconds: float) -> None:
        slept.append(seconds)

    app = plain_bolt()

    @app.command("/service")
    async def service(ack: AsyncAck) -> None:
        await ack()

    monkeypatch.setattr("asyncio.sleep", no_sleep)
    monkeypatch.setattr("slack_bolt.listener.asyncio_runner.asyncio.sleep", no_sleep)
    fields = {"command": "/service", "text": "", "user_id": "U1", "team_id": "T1"}

    async def found(_envelope: Envelope) -> None:
        return None

    envelope = from_http(urlencode(fields).encode(), "", 0.0)
    assert isinstance(envelope, Envelope)
    await dispatch({Kind.COMMAND: found})(envelope)
    assert slept == []


def dispatch(handlers: Mapping[Kind, Any], failures: Any = None) -> BoltDispatch:
    class Silent:
        async def failed(self, envelope: Envelope, error: Exception) -> Mapping[str, Any] | None:
            return {"text": str(error)}

    client = AsyncWebClient(token="xoxb-unused", base_url="http://127.0.0.1:9/")
    return BoltDispatch(client=client, handlers=handlers, failures=failures or Silent())


async def test_sixty_commands_are_behind_as_many_listeners_as_one(tmp_path: Path) -> None:
    counts = []
    for number in (1, 60):
        (folder := tmp_path / str(number)).mkdir()
        async with rig(folder, [query(f"service.c{n}") for n in range(number)]) as slack:
            counts.append(slack.door.bolt.listeners)
            await slack.command("/service", f"c{number - 1} it")
            assert slack.replies.texts == ["Services: it"]
    assert counts == [7, 7]


async def test_no_kind_of_delivery_is_matched_by_two_listeners_or_none() -> None:
    """Each goes to its own handler, once."""
    view = {"type": "modal", "callback_id": "x", "id": "V1"}
    user = {"id": "U1"}
    payloads: dict[Kind, dict[str, Any]] = {
        Kind.COMMAND: {"command": "/x", "user_id": "U1"},
        Kind.ACTIONS: {"type": "block_actions", "user": user, "actions": [{"action_id": "a"}]},
        Kind.SUBMISSION: {"type": "view_submission", "user": user, "view": view},
        Kind.CLOSED: {"type": "view_closed", "user": user, "view": view},
        Kind.OPTIONS: {"type": "block_suggestion", "user": user, "action_id": "a"},
        Kind.EVENT: {"type": "event_callback", "event": {"type": "app_mention"}},
        Kind.SHORTCUT: {"type": "shortcut", "user": user, "callback_id": "x"},
    }
    met: list[Kind] = []

    async def meet(envelope: Envelope) -> None:
        met.append(envelope.kind)

    bolt = dispatch(dict.fromkeys(payloads, meet))
    for kind, payload in payloads.items():
        await bolt(Envelope(kind, "k", payload, "", 0.0))
    assert met == list(payloads)


async def test_a_handler_that_raises_is_an_answer_and_never_an_error() -> None:
    async def broken(_envelope: Envelope) -> Mapping[str, Any]:
        raise RuntimeError("a defect")

    payload = {
        "type": "view_submission",
        "user": {"id": "U1"},
        "view": {"type": "modal", "callback_id": "x", "id": "V1"},
    }
    reply = await dispatch({Kind.SUBMISSION: broken})(Envelope(Kind.SUBMISSION, "k", payload, "", 0.0))
    assert json.loads(reply.body) == {"text": "a defect"}


async def test_even_a_failure_that_cannot_be_told_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def failed(self, envelope: Envelope, error: Exception) -> Mapping[str, Any] | None:
            raise RuntimeError("the outbox is away")

    async def broken(_envelope: Envelope) -> None:
        raise RuntimeError("a defect")

    envelope = Envelope(Kind.COMMAND, "k", {"command": "/x", "user_id": "U1"}, "", 0.0)
    assert (await dispatch({Kind.COMMAND: broken}, Broken())(envelope)).body == ""
    assert "slack_failure_not_told" in caplog.text


async def test_what_fails_after_the_ack_is_told_with_a_reference_that_the_log_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(tmp_path) as slack:
        response = await slack.command("/service", "list broken")
        assert (response.status, await response.text()) == (200, "")
        [said] = slack.replies.texts
        assert "our fault" in said
        assert "#platform" in said
        assert "defect" not in said
        [record] = [r for r in caplog.records if r.getMessage() == "slack_work_failed"]
        assert record.__dict__["reference"] in said


async def test_nobody_is_asked_who_we_are_before_a_delivery_is_handled(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list")
        assert "auth.test" not in slack.api.methods()


async def test_bolt_logs_no_delivery(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list very-secret-text")
    assert "very-secret-text" not in caplog.text
