"""Socket Mode: envelopes on a socket that the app opened, acknowledged by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.playground.slack.forms import modal
from tests.playground.slack.rig import TOKENS, Json, Rig, running


@pytest.fixture
async def socket_slack(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, socket_mode=True) as slack:
        yield slack


async def connect(slack: Rig) -> aiohttp.ClientWebSocketResponse:
    url = (await slack.ok("apps.connections.open", token=TOKENS.app))["url"]
    socket = await slack.http.ws_connect(url)
    hello = await socket.receive_json()
    assert hello["type"] == "hello"
    return socket


async def answering(socket: aiohttp.ClientWebSocketResponse, payload: Json | str | None = None) -> Json:
    envelope = dict(await socket.receive_json())
    acknowledgement: Json = {"envelope_id": envelope["envelope_id"]}
    if payload is not None:
        acknowledgement["payload"] = payload
    await socket.send_json(acknowledgement)
    return envelope


async def test_only_the_app_token_opens_a_connection(socket_slack: Rig) -> None:
    assert (await socket_slack.api("apps.connections.open"))["error"] == "not_allowed_token_type"


async def test_a_ticket_is_good_for_one_connection(socket_slack: Rig) -> None:
    url = (await socket_slack.ok("apps.connections.open", token=TOKENS.app))["url"]
    socket = await socket_slack.http.ws_connect(url)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await socket_slack.http.ws_connect(url)
    await socket.close()


async def test_a_command_comes_as_an_envelope_and_is_answered_by_its_acknowledgement(socket_slack: Rig) -> None:
    socket = await connect(socket_slack)
    wanted = {"user": "author", "channel": "team-orders", "command": "/idp", "text": "help"}
    envelope, answer = await asyncio.gather(answering(socket, {"text": "hi"}), socket_slack.sim("commands", **wanted))
    assert envelope["type"] == "slash_commands"
    assert envelope["payload"]["text"] == "help"
    assert envelope["accepts_response_payload"] is True
    assert (answer["status"], answer["body"]) == (200, {"text": "hi"})
    assert [message["text"] for message in await socket_slack.messages(user="author")] == ["hi"]


async def test_a_submission_is_interactive_and_its_errors_are_shown(socket_slack: Rig) -> None:
    socket = await connect(socket_slack)
    wanted = {"user": "author", "channel": "team-orders", "command": "/idp"}
    envelope, _ = await asyncio.gather(answering(socket), socket_slack.sim("commands", **wanted))
    await socket_slack.ok("views.open", trigger_id=envelope["payload"]["trigger_id"], view=modal())
    [view] = await socket_slack.modals()
    errors = {"response_action": "errors", "errors": {"name": "is taken"}}
    submission = {"user": "author", "view_id": view["id"], "values": {"name": {"name": "x"}}}
    envelope, _ = await asyncio.gather(answering(socket, errors), socket_slack.sim("views/submit", **submission))
    assert envelope["type"] == "interactive"
    assert (await socket_slack.modals())[0]["errors"] == {"name": "is taken"}


async def test_an_event_tells_its_retry(socket_slack: Rig) -> None:
    socket = await connect(socket_slack)
    await socket_slack.sim("home", user="author")
    envelope = await answering(socket)
    assert (envelope["type"], envelope["retry_attempt"]) == ("events_api", 0)
    assert envelope["accepts_response_payload"] is False


async def test_without_a_socket_nothing_can_be_delivered(socket_slack: Rig) -> None:
    wanted = {"user": "author", "channel": "team-orders", "command": "/idp"}
    assert (await socket_slack.sim("commands", **wanted))["error"] == "dispatch_failed"


async def test_a_refresh_asks_every_client_to_reconnect(socket_slack: Rig) -> None:
    socket = await connect(socket_slack)
    assert await socket_slack.sim("socket/disconnect", reason="refresh_requested") == {"connections": 1}
    assert (await socket.receive_json())["reason"] == "refresh_requested"
    assert (await socket_slack.see("app"))["connections"] == 0
    again = await connect(socket_slack)
    assert (await socket_slack.see("app"))["connections"] == 1
    await again.close()
