"""Slack's own Web API clients, in JavaScript and in Python, against the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.peers.slack.node import run
from tests.playground.slack.forms import home, modal
from tests.playground.slack.rig import AUTHOR, ORDERS, TOKENS, Bot, Rig, running, running_bot


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with running_bot() as bot:
        yield bot


@pytest.fixture
async def slack(tmp_path: Path, bot: Bot) -> AsyncIterator[Rig]:
    async with running(tmp_path, bot) as rig:
        yield rig


async def test_slacks_javascript_client_gets_what_it_expects(slack: Rig) -> None:
    seen = await run("calls.cjs", slack.url)
    users = [user["id"] for user in (await slack.see("users"))["users"]]
    assert seen == {
        "bot": "B0CAUSEWAY1",
        "people": users,
        "email": "author@acme.example",
        "found": AUTHOR,
        "channels": ["team-orders", "team-checkout", "platform", "general"],
        "history": [["changed", 1, 1]],
        "replies": ["changed", "reply"],
        "file": "Plan",
        "permalink": True,
        "refusals": ["channel_not_found", "invalid_blocks", "invalid_trigger_id", "invalid_auth"],
        "limited": True,
    }


def client(slack: Rig) -> AsyncWebClient:
    return AsyncWebClient(token=TOKENS.bot, base_url=f"{slack.url}/api/", session=slack.http)


async def test_slacks_python_client_gets_what_it_expects(slack: Rig) -> None:
    web = client(slack)
    assert (await web.auth_test())["bot_id"] == "B0CAUSEWAY1"
    assert (await web.users_info(user=AUTHOR))["user"]["profile"]["email"] == "author@acme.example"
    people = [user["id"] async for page in await web.users_list(limit=4) for user in page["members"]]
    assert people == [user["id"] for user in (await slack.see("users"))["users"]]
    channels = (await web.conversations_list(types="public_channel"))["channels"]
    assert "team-orders" in [channel["name"] for channel in channels]
    posted = await web.chat_postMessage(
        channel=ORDERS,
        text="hello",
        metadata={"event_type": "x", "event_payload": {"a": 1}},
        blocks=[{"type": "divider"}],
    )
    await web.chat_update(channel=ORDERS, ts=posted["ts"], text="changed")
    history = await web.conversations_history(channel=ORDERS, include_all_metadata=True)
    assert (history["messages"][0]["text"], history["messages"][0]["metadata"]["event_payload"]) == (
        "changed",
        {"a": 1},
    )
    await web.reactions_add(channel=ORDERS, timestamp=posted["ts"], name="eyes")
    uploaded = await web.files_upload_v2(channel=ORDERS, filename="plan.txt", content="a plan", title="Plan")
    assert uploaded["files"][0]["title"] == "Plan"
    opened = await web.views_open(trigger_id=await slack.trigger(), view=modal())
    await web.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=modal())
    assert (await web.views_publish(user_id=AUTHOR, view=home()))["view"]["type"] == "home"
    assert (await web.chat_getPermalink(channel=ORDERS, message_ts=posted["ts"]))["permalink"]


async def test_slacks_python_client_reads_refusals(slack: Rig) -> None:
    web = client(slack)
    with pytest.raises(SlackApiError) as refusal:
        await web.chat_postMessage(channel="C0NOWHERE", text="x")
    assert refusal.value.response["error"] == "channel_not_found"
    for _ in range(10):
        await web.chat_postMessage(channel=ORDERS, text="x")
    with pytest.raises(SlackApiError) as limited:
        await web.chat_postMessage(channel=ORDERS, text="x")
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "1")


async def test_slacks_python_socket_client_is_served(tmp_path: Path) -> None:
    async def answer(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append((request.type, request.payload))
        await socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload={"text": "heard"}))

    heard: list[tuple[str, dict[str, object]]] = []
    async with running(tmp_path, socket_mode=True) as slack:
        socket = SocketModeClient(app_token=TOKENS.app, web_client=client(slack))
        socket.socket_mode_request_listeners.append(answer)
        await socket.connect()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        answered = await slack.sim("commands", user="author", channel="team-orders", command="/idp", text="help")
        assert (answered["status"], answered["body"]) == (200, {"text": "heard"})
        assert heard[0][0] == "slash_commands"
        await socket.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
