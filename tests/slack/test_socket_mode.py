from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer

from bot.errors import UpstreamUnavailable
from bot.slack.edge import EMPTY, Reply
from bot.slack.envelope import Envelope
from bot.slack.socket_mode import BACK_OFF_S, Deliver, SocketMode, _wait
from tests.fakes.slack_inbound import FakeClock, rig

DEADLINE_S = 20
COMMAND = {"command": "/service", "user_id": "U0AUTHOR01", "team_id": "T0ACME00001", "channel_id": "C1", "text": "list"}


class FakeSockets:
    """Slack's end of Socket Mode: hands out URLs, greets, sends envelopes, collects acknowledgements."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.opened = 0
        self.refusals = 0
        self.most_at_once = 0
        self.fewest_after_greeting: list[int] = []
        self.acknowledged: dict[str, Any] = {}
        self.changed = asyncio.Condition()

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes([web.post("/api/apps.connections.open", self.open), web.get("/link", self.link)])
        return application

    async def open(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer xapp-test"
        self.opened += 1
        if self.refusals:
            self.refusals -= 1
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "7"})
        return web.json_response({"ok": True, "url": f"ws://{request.host}/link"})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1})
        self.sockets.append(socket)
        await self._note()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                answer = json.loads(message.data)
                self.acknowledged[answer["envelope_id"]] = answer.get("payload")
                await self._note()
        self.sockets.remove(socket)
        await self._note()
        return socket

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self.changed:
            await self.changed.wait_for(true)

    async def _note(self) -> None:
        self.most_at_once = max(self.most_at_once, len(self.sockets))
        self.fewest_after_greeting.append(len(self.sockets))
        async with self.changed:
            self.changed.notify_all()


def envelope(number: int, payload: dict[str, Any] | None = None, kind: str = "slash_commands") -> dict[str, Any]:
    given = {**COMMAND, "trigger_id": f"t.{number}"} if payload is None else payload
    return {"type": kind, "envelope_id": f"e{number}", "accepts_response_payload": True, "payload": given}


@asynccontextmanager
async def connected(
    deliver: Deliver, *, refusals: int = 0, connections: int = 2
) -> AsyncIterator[tuple[FakeSockets, SocketMode, list[float]]]:
    slack, waits = FakeSockets(), list[float]()
    slack.refusals = refusals

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with TestServer(slack.application()) as server, ClientSession() as session:
        mode = SocketMode(
            session=session,
            api_url=str(server.make_url("/api")),
            app_token="xapp-test",
            deliver=deliver,
            clock=FakeClock(),
            connections=connections,
            sleep=sleep,
        )
        await mode.start()
        try:
            await slack.until(lambda: len(slack.sockets) >= connections)
            yield slack, mode, waits
        finally:
            await mode.close()


async def stored(_envelope: Envelope) -> Reply:
    return EMPTY


async def test_two_connections_are_held() -> None:
    async with connected(stored) as (slack, _, _):
        assert len(slack.sockets) == 2


async def test_the_successor_is_open_before_a_connection_is_let_go() -> None:
    for reason in ("warning", "refresh_requested"):
        async with connected(stored) as (slack, _, _):
            first = slack.sockets[0]
            slack.fewest_after_greeting.clear()
            await first.send_json({"type": "disconnect", "reason": reason})
            await slack.until(lambda slack=slack, first=first: first not in slack.sockets)  # type: ignore[misc]  # mypy cannot type a lambda's default
            assert slack.most_at_once == 3
            assert min(slack.fewest_after_greeting) == 2
            assert slack.opened == 3


async def test_a_warning_and_the_request_after_it_make_one_successor() -> None:
    async with connected(stored) as (slack, _, _):
        first = slack.sockets[0]
        for reason in ("warning", "refresh_requested"):
            await first.send_json({"type": "disconnect", "reason": reason})
        await slack.until(lambda: first not in slack.sockets)
        assert slack.opened == 3


async def test_a_broken_connection_comes_back_after_a_wait_that_slack_may_name() -> None:
    async with connected(stored, refusals=1) as (slack, _, waits):
        assert waits == [7.0]
        await slack.sockets[0].close()
        await slack.until(lambda: slack.opened == 4 and len(slack.sockets) == 2)


def test_waits_grow_and_have_an_end() -> None:
    first, longest = BACK_OFF_S
    assert first / 2 <= _wait(1, None) <= first
    assert longest / 2 <= _wait(50, None) <= longest
    assert _wait(1, 90.0) == 90.0


async def test_a_stored_delivery_is_acknowledged_with_nothing() -> None:
    async with connected(stored) as (slack, _, _):
        await slack.sockets[0].send_json(envelope(1))
        await slack.until(lambda: "e1" in slack.acknowledged)
        assert slack.acknowledged == {"e1": None}


async def test_an_answer_goes_into_the_acknowledgement() -> None:
    async def answers(_envelope: Envelope) -> Reply:
        return Reply.of({"response_action": "clear"})

    async with connected(answers) as (slack, _, _):
        view = {"type": "modal", "callback_id": "x", "id": "V1"}
        payload = {"type": "view_submission", "user": {"id": "U1"}, "view": view}
        await slack.sockets[0].send_json(envelope(1, payload, "interactive"))
        await slack.until(lambda: "e1" in slack.acknowledged)
        assert slack.acknowledged == {"e1": {"response_action": "clear"}}


async def test_no_failure_and_no_nonsense_leaves_an_envelope_unacknowledged() -> None:
    async def broken(_envelope: Envelope) -> Reply:
        raise RuntimeError("a defect")

    async with connected(broken, connections=1) as (slack, _, _):
        socket = slack.sockets[0]
        await socket.send_json(envelope(1))
        await socket.send_json(envelope(2, {"nonsense": True}))
        await socket.send_json(envelope(3, {"type": "block_actions", "user": {"id": "U1"}, "actions": []}))
        await socket.send_str("not json")
        await socket.send_json({"type": "something_new"})
        await slack.until(lambda: len(slack.acknowledged) == 3)
        assert "nothing was done" in slack.acknowledged["e1"]["text"]


async def test_an_event_that_could_not_be_stored_is_left_for_slack_to_send_again() -> None:
    async def full(given: Envelope) -> Reply:
        if given.kind == "event":
            raise UpstreamUnavailable("The database did not take it.")
        return EMPTY

    event = {"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention"}}
    async with connected(full, connections=1) as (slack, _, _):
        await slack.sockets[0].send_json(envelope(1, event, "events_api"))
        await slack.sockets[0].send_json(envelope(2))
        await slack.until(lambda: "e2" in slack.acknowledged)
        assert "e1" not in slack.acknowledged


async def test_what_is_being_handled_is_answered_before_the_connection_ends() -> None:
    release, entered = asyncio.Event(), asyncio.Event()

    async def slow(_envelope: Envelope) -> Reply:
        entered.set()
        await release.wait()
        return EMPTY

    async with connected(slow, connections=1) as (slack, _, _):
        first = slack.sockets[0]
        await first.send_json(envelope(1))
        async with asyncio.timeout(DEADLINE_S):
            await entered.wait()
        await first.send_json({"type": "disconnect", "reason": "refresh_requested"})
        await slack.until(lambda: len(slack.sockets) == 2)
        assert first in slack.sockets
        release.set()
        await slack.until(lambda: first not in slack.sockets)
        assert "e1" in slack.acknowledged


async def test_the_same_door_serves_both_ways_in_and_knows_a_delivery_again(tmp_path: Any) -> None:
    async with rig(tmp_path) as slack:
        async with connected(slack.door.deliver) as (sockets, _, _):
            for number, socket in enumerate([*sockets.sockets, *sockets.sockets]):
                await socket.send_json({**envelope(1), "envelope_id": f"e{number}"})
            await sockets.until(lambda: len(sockets.acknowledged) == 4)
        await slack.door.idle()
        assert slack.replies.texts == ["Services: "]
