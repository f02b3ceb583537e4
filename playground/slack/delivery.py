"""How the app hears of things: signed HTTP to one of its replicas, or an envelope on one of its sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from playground.slack import limits
from playground.slack.payloads import form, parsed
from playground.slack.socket_mode import Sockets
from playground.slack.store import Json
from playground.slack.workspace import Workspace

Kind = Literal["command", "interaction", "event"]


@dataclass(slots=True)
class Delivered:
    """What became of one delivery. `status` is None when no answer came; `error` then is Slack's word for it."""

    status: int | None
    ack_ms: float
    body: Any = ""
    error: str | None = None
    no_retry: bool = False
    reason: str = "unknown_error"
    """Why Slack would send an event again, in its own words."""
    violations: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def taken(self) -> bool:
        """Whether an event counts as delivered: any 2xx will do."""
        return self.status is not None and 200 <= self.status < 300

    def shown(self) -> Json:
        return {"status": self.status, "ack_ms": self.ack_ms, "body": self.body, "error": self.error}


class Deliveries:
    def __init__(
        self, slack: Workspace, sockets: Sockets, bot_urls: Sequence[str], *, socket_mode: bool, ack_timeout_s: float
    ) -> None:
        self._slack = slack
        self._sockets = sockets
        self._urls = list(bot_urls)
        self._next = 0
        self._socket_mode = socket_mode
        self._ack_timeout_s = ack_timeout_s
        self._session: aiohttp.ClientSession | None = None

    def deliver_to(self, bot_urls: Sequence[str]) -> None:
        self._urls = list(bot_urls)
        self._next = 0

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def send(self, kind: Kind, payload: Json, *, retry: int = 0, reason: str = "http_timeout") -> Delivered:
        """Deliver once; `retry` counts from 1 for what is sent again. The caller records it."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                if self._socket_mode:
                    result = await self._by_socket(kind, payload, retry, reason)
                else:
                    result = await self._by_http(kind, payload, retry, reason)
        except TimeoutError:
            result = Delivered(None, 0.0, error="operation_timeout", reason="http_timeout")
            result.violations.append(f"There was no acknowledgement within {limits.ACK_S:g} seconds.")
        result.ack_ms = round((time.perf_counter() - started) * 1000, 3)
        if result.status is not None and not (result.ok or (kind == "event" and result.taken)):
            result.error = "dispatch_failed"
            result.violations.append(f"The answer's status was {result.status}; Slack expects 200.")
        return result

    def record(self, kind: Kind, name: str, payload: Json, result: Delivered, *, retry: int = 0) -> None:
        """Write a delivery down, once it is known what its answer meant."""
        user = payload.get("user_id") or (payload.get("user") or {}).get("id")
        self._slack.log.add(
            "delivery",
            name,
            channel_kind=kind,
            retry=retry,
            arguments=payload,
            result={"body": result.body, "error": result.error},
            status=result.status,
            ms=result.ack_ms,
            violations=result.violations,
        )
        shown = {"status": result.status, "ack_ms": result.ack_ms, "error": result.error}
        self._slack.stream.add("delivered", kind=name, user=user, **shown)

    async def _by_http(self, kind: Kind, payload: Json, retry: int, reason: str) -> Delivered:
        """Post to the replicas in turn; one that refuses the connection is passed over, as a load balancer does."""
        body, content_type = form(kind, payload)
        start, self._next = self._next, self._next + 1
        for offset in range(len(self._urls)):
            url = self._urls[(start + offset) % len(self._urls)]
            try:
                return await self._post(url, body, self._headers(body, content_type, retry, reason))
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, ConnectionError):
                return Delivered(None, 0.0, error="dispatch_failed", reason="connection_failed")
        return Delivered(None, 0.0, error="dispatch_failed", reason="connection_failed")

    def _headers(self, body: bytes, content_type: str, retry: int, reason: str) -> dict[str, str]:
        timestamp = str(int(self._slack.clock().timestamp()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": self._slack.app.tokens.signature(timestamp, body),
        }
        if retry:
            headers.update({"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason})
        return headers

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Delivered:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                connector=aiohttp.TCPConnector(force_close=True),  # a dead replica must refuse, not break off
            )
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            content = parsed(await response.read())
            no_retry = response.headers.get("x-slack-no-retry") == "1"
            return Delivered(response.status, 0.0, content, no_retry=no_retry, reason="http_error")

    async def _by_socket(self, kind: Kind, payload: Json, retry: int, reason: str) -> Delivered:
        kinds = {"command": "slash_commands", "interaction": "interactive", "event": "events_api"}
        try:
            body = await self._sockets.send(kinds[kind], payload, retry, reason)
        except ConnectionError:
            return Delivered(None, 0.0, error="dispatch_failed", reason="connection_failed")
        return Delivered(200, 0.0, body)
