"""Socket Mode: the same inbox and router behind WebSockets instead of HTTP.

Two connections are held. When Slack says that one will end, its successor is opened before it is let go, so there is
never a moment without one (slack_sdk's own client closes first). What was stored is acknowledged; so is what cannot be
read, for it would come again and again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from bot.errors import PlatformError, UpstreamUnavailable
from bot.ports import Clock
from bot.slack.edge import Reply
from bot.slack.envelope import Envelope, Kind, Malformed, from_socket

log = logging.getLogger(__name__)

CONNECTIONS = 2
PING_S = 20.0
"""A connection that answers no ping within half of this is taken for dead, in seconds."""
OPEN_S = 15.0
BACK_OFF_S = (1.0, 60.0)
"""First and longest wait before a connection is tried again, in seconds; in between it doubles, give or take."""

_NOT_STORED = "Causeway could not write this down, so nothing was done. Try again in a minute."


Deliver = Callable[[Envelope], Awaitable[Reply]]


class SocketMode:
    """Keeps the connections alive and hands every delivery to the door."""

    def __init__(
        self,
        *,
        session: ClientSession,
        api_url: str,
        app_token: str,
        deliver: Deliver,
        clock: Clock,
        connections: int = CONNECTIONS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._open_url = f"{api_url.rstrip('/')}/apps.connections.open"
        self._token = app_token
        self._deliver = deliver
        self._clock = clock
        self._count = connections
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()
        self._handling: set[asyncio.Task[None]] = set()
        self._open: set[ClientWebSocketResponse] = set()
        self._closing = False

    @property
    def connected(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    async def start(self) -> None:
        """Begin to connect, in the background: Slack being away must not hold up the rest."""
        for _ in range(self._count):
            self._begin()

    async def close(self) -> None:
        """Answer what is being handled, then let go."""
        self._closing = True
        if self._handling:
            await asyncio.wait(set(self._handling), timeout=3.0)
        leftover = [*self._tasks, *self._handling]
        for task in leftover:
            task.cancel()
        await asyncio.gather(*leftover, return_exceptions=True)

    def _begin(self) -> asyncio.Event:
        """Start one connection that replaces itself; the event is set once Slack has greeted it."""
        greeted = asyncio.Event()
        task = asyncio.create_task(self._keep(greeted), name="slack-socket")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return greeted

    async def _keep(self, greeted: asyncio.Event) -> None:
        """Hold one connection until it is replaced, reconnecting when it breaks."""
        failures = 0
        while not self._closing:
            try:
                if await self._hold(greeted):
                    return
                failures = 0
            except (ClientError, TimeoutError, OSError, PlatformError, ValueError) as error:
                log.warning("slack_socket_lost", extra={"reason": type(error).__name__, "failures": failures})
                failures += 1
                await self._sleep(_wait(failures, getattr(error, "retry_after_s", None)))

    async def _hold(self, greeted: asyncio.Event) -> bool:
        """Serve one connection; True when another took its place, False when it ended otherwise."""
        url = await self._url()
        async with self._session.ws_connect(url, heartbeat=PING_S, max_msg_size=0) as socket:
            self._open.add(socket)
            successor: asyncio.Task[None] | None = None
            try:
                async for message in socket:
                    if message.type is not WSMsgType.TEXT:
                        continue
                    read = _read(message.data)
                    if read.get("type") == "hello":
                        greeted.set()
                    elif read.get("type") == "disconnect":
                        if read.get("reason") == "link_disabled":
                            raise UpstreamUnavailable("Socket Mode is switched off for this app.", retry_after_s=60.0)
                        successor = successor or asyncio.create_task(self._succeed(socket))
                    else:
                        self._handle(socket, read)
                if successor is None:
                    return False
                await successor  # Slack was quicker to close than the successor to open
                return True
            finally:
                self._open.discard(socket)
                if successor is not None and not successor.done():
                    successor.cancel()

    async def _succeed(self, old: ClientWebSocketResponse) -> None:
        """Open the next connection, and only then let this one go, after what it still has to answer."""
        await self._begin().wait()
        mine = {task for task in self._handling if task.get_name() == _name(old)}
        if mine:
            await asyncio.wait(mine, timeout=3.0)
        await old.close()

    def _handle(self, socket: ClientWebSocketResponse, message: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(socket, message), name=_name(socket))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def _answer(self, socket: ClientWebSocketResponse, message: dict[str, Any]) -> None:
        envelope_id = message.get("envelope_id")
        if not isinstance(envelope_id, str):
            return  # nothing that Slack waits for
        acknowledgement: dict[str, Any] = {"envelope_id": envelope_id}
        try:
            envelope = from_socket(message, self._clock().timestamp())
        except Malformed as error:
            log.warning("slack_socket_malformed", extra={"reason": str(error)})
        else:
            payload = await self._payload(envelope)
            if payload is None:
                return
            if payload and message.get("accepts_response_payload", True):
                acknowledgement["payload"] = payload
        try:
            await socket.send_str(json.dumps(acknowledgement))
        except (ClientError, OSError):
            log.warning("slack_socket_ack_lost")  # Slack sends it again, and the inbox knows it

    async def _payload(self, envelope: Envelope) -> dict[str, Any] | None:
        """Return the payload of the acknowledgement, or None where it is better that Slack sends it again."""
        try:
            reply = await self._deliver(envelope)
        except Exception as error:
            if not isinstance(error, PlatformError):
                log.exception("slack_socket_delivery_failed", extra={"kind": envelope.kind.value})
            if envelope.kind is Kind.EVENT:
                return None
            return {"text": _NOT_STORED} if envelope.kind is Kind.COMMAND else {}
        return json.loads(reply.body) if reply.is_json else {}

    async def _url(self) -> str:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with asyncio.timeout(OPEN_S), self._session.post(self._open_url, headers=headers) as response:
            seconds = response.headers.get("Retry-After", "")
            answer = await response.json(content_type=None) if response.status == 200 else {}
        url = answer.get("url") if isinstance(answer, dict) else None
        if not isinstance(url, str):
            wait = float(seconds) if seconds.isascii() and seconds.isdigit() else None
            raise UpstreamUnavailable("Slack opened no Socket Mode connection.", retry_after_s=wait)
        return url


def _name(socket: ClientWebSocketResponse) -> str:
    return f"slack-envelope-{id(socket)}"


def _read(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _wait(failures: int, asked: float | None) -> float:
    first, longest = BACK_OFF_S
    wait: float = min(longest, first * 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads replicas
    return max(wait, asked or 0.0)
