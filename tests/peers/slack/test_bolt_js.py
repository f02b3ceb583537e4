"""Slack's own SDK for apps against the simulator: signatures, envelopes, acknowledgements and payloads are Slack's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.peers.slack.node import echo, node
from tests.playground.slack.rig import AUTHOR, Json, Rig, running


@pytest.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    node()
    socket_mode = request.param == "socket"
    async with running(tmp_path, socket_mode=socket_mode) as rig, echo(rig.url, socket_mode=socket_mode) as url:
        rig.peer.deliver_to([] if socket_mode else [url])
        yield rig


async def command(slack: Rig, word: str, text: str = "") -> Json:
    return await slack.sim("commands", user="author", channel="team-orders", command=word, text=text)


async def opened(slack: Rig) -> Json:
    answer = await command(slack, "/form")
    assert answer["status"] == 200
    await slack.until("view_opened")
    [view] = await slack.modals()
    return view


async def test_a_command_is_acknowledged_with_its_body_and_answered_through_its_url(slack: Rig) -> None:
    answer = await command(slack, "/say", "hello")
    assert answer["status"] == 200
    assert answer["body"] in ("heard hello", {"text": "heard hello"}), "bare over HTTP, wrapped in an envelope"
    seen: set[str] = set()
    after = 0
    while seen != {"heard hello", "said hello"}:
        event = await slack.until("message_posted", after)
        after = event["n"]
        seen.add(event["message"]["text"])


async def test_a_form_is_opened_refused_and_taken(slack: Rig) -> None:
    view = await opened(slack)
    wanted = {"user": "author", "view_id": view["id"]}
    await slack.sim("views/submit", **wanted, values={"name": {"name": "taken"}})
    assert (await slack.modals())[0]["errors"] == {"name": "is taken"}
    await slack.sim("views/submit", **wanted, values={"name": {"name": "orders"}})
    assert await slack.modals() == []
    message = (await slack.until("message_posted"))["message"]
    assert message["text"] == "created orders"
    assert message["metadata"] == {"event_type": "echo_created", "event_payload": {"name": "orders"}}


async def test_a_click_reaches_its_handler_and_replaces_the_message(slack: Rig) -> None:
    view = await opened(slack)
    await slack.sim("views/submit", user="author", view_id=view["id"], values={"name": {"name": "orders"}})
    ts = (await slack.until("message_posted"))["ts"]
    clicked = {"user": "approver", "channel": "team-orders", "message_ts": ts, "action_id": "approve"}
    assert (await slack.sim("actions", **clicked))["status"] == 200
    changed = await slack.until("message_changed")
    assert (changed["ts"], changed["message"]["text"]) == (ts, "approved op-1 by U0APPROVER1")


async def test_options_are_offered_and_one_of_them_is_taken(slack: Rig) -> None:
    view = await opened(slack)
    asked = await slack.see("options", user="author", view_id=view["id"], action_id="service", query="ord")
    assert [option["value"] for option in asked["options"]] == ["ord"]
    values = {"name": {"name": "orders"}, "service": {"service": "ord"}}
    assert (await slack.sim("views/submit", user="author", view_id=view["id"], values=values))["status"] == 200


async def test_a_button_in_a_modal_pushes_another(slack: Rig) -> None:
    view = await opened(slack)
    await slack.sim("actions", user="author", view_id=view["id"], action_id="push")
    pushed = (await slack.until("view_pushed"))["view"]
    assert (pushed["previous_view_id"], pushed["callback_id"]) == (view["id"], "second")


async def test_a_closed_modal_is_told(slack: Rig) -> None:
    view = await opened(slack)
    await slack.sim("views/close", user="author", view_id=view["id"])
    message = (await slack.until("message_posted"))["message"]
    assert (message["text"], message["ephemeral_to"]) == ("closed", AUTHOR)


async def test_events_reach_their_handlers(slack: Rig) -> None:
    await slack.sim("home", user="author")
    assert (await slack.until("home_published"))["user"] == AUTHOR
    asked = await slack.sim("messages", user="author", channel="team-orders", text="@causeway hello?")
    event = await slack.until("message_posted", after=asked["after"] + 1)
    assert (event["message"]["text"], event["message"]["thread_ts"]) == (f"yes, <@{AUTHOR}>?", asked["ts"])


async def test_a_wrong_signature_is_refused_by_slacks_own_code(tmp_path: Path) -> None:
    node()
    async with running(tmp_path) as slack, echo(slack.url, socket_mode=False) as url:
        async with slack.http.post(url, data="command=%2Fsay&text=x", headers={"X-Slack-Signature": "v0=0"}) as refused:
            assert refused.status == 401
        slack.peer.deliver_to([url])
        assert (await command(slack, "/say", "x"))["status"] == 200


async def test_a_refresh_moves_the_app_to_a_new_connection(tmp_path: Path) -> None:
    node()
    async with running(tmp_path, socket_mode=True) as slack, echo(slack.url, socket_mode=True):
        await slack.sim("socket/disconnect", reason="refresh_requested")
        after = 0
        while (await command(slack, "/say", "again"))["status"] != 200:
            after = (await slack.until("delivered", after))["n"]
        assert (await slack.see("app"))["connections"] == 1
