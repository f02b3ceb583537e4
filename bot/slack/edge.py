"""The HTTP edge: verify the signature, parse once, store one row, acknowledge. The work comes after the answer.

Slack waits three seconds. Commands, clicks, events and closed modals are answered here with an empty 200 as soon as
their row is committed. Submissions and option lists are answered by what is behind, while Slack waits.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from urllib.parse import parse_qs

from aiohttp import ClientError, web
from aiohttp.http import HttpProcessingError

from bot.errors import PlatformError
from bot.ports import Clock
from bot.slack.envelope import (
    ANSWERED_WHILE_SLACK_WAITS,
    Envelope,
    Malformed,
    Verification,
    from_http,
)

log = logging.getLogger(__name__)

PATH = "/slack/events"
WINDOW_S = 300
"""How far the timestamp of a request may be from our clock, in seconds."""
MAX_BODY = 2 * 1024 * 1024
"""In bytes. A view of 250 KB grows about threefold when it is written as a form."""
BODY_DEADLINE_S = 3.0
"""A body that takes longer is of no use: Slack has given up."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The body of an HTTP answer or of a Socket Mode acknowledgement. Empty: an empty 200."""

    body: str = ""
    is_json: bool = False

    @classmethod
    def of(cls, answer: Mapping[str, Any] | None) -> Self:
        return cls(json.dumps(answer), is_json=True) if answer else cls()


EMPTY = Reply()
Answer = Callable[[Envelope], Awaitable[Reply]]
Store = Callable[[Envelope], Awaitable[bool]]


class _Unreadable(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Edge:
    """Answers `POST /slack/events`."""

    def __init__(self, *, signing_secret: str, clock: Clock, store: Store, answer: Answer) -> None:
        """`store` returns once the envelope is safe; `answer` gives the reply to what Slack waits for."""
        self._secret = signing_secret.encode()
        self._clock = clock
        self._store = store
        self._answer = answer

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.handle), web.get(PATH, self.certificate_check, allow_head=True)]

    async def certificate_check(self, request: web.Request) -> web.Response:
        """Slack looks at our certificate now and then, without a signature."""
        return web.Response() if request.query.get("ssl_check") == "1" else web.Response(status=405)

    async def handle(self, request: web.Request) -> web.Response:
        try:
            body = await _read(request)
        except _Unreadable as error:
            return web.Response(status=error.status, text=str(error))
        now = self._clock().timestamp()
        headers = request.headers
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not is_signed(self._secret, body, timestamp, signature, now):
            if _is_certificate_check(body):
                return web.Response()
            log.warning("slack_request_refused", extra={"size": len(body)})
            return web.Response(status=401, text="The signature or its time is wrong.")
        try:
            envelope = from_http(body, headers.get("Content-Type", ""), now)
        except Malformed as error:
            log.warning("slack_request_malformed", extra={"reason": str(error), "size": len(body)})
            return web.Response(status=400, text="The request is not one that Slack sends.")
        if isinstance(envelope, Verification):
            return web.json_response({"challenge": envelope.challenge})
        if envelope.kind in ANSWERED_WHILE_SLACK_WAITS:
            return _response(await self._answer(envelope))
        try:
            await self._store(envelope)
        except PlatformError:
            return web.Response(status=503, text="The request was not stored. Send it again.")
        return web.Response()


def is_signed(secret: bytes, body: bytes, timestamp: str, signature: str, now: float) -> bool:
    """Return whether Slack signed this body (scheme v0) within the window around `now`, in seconds since 1970."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now - int(timestamp)) > WINDOW_S:
        return False
    expected = "v0=" + hmac.new(secret, b"v0:%s:%s" % (timestamp.encode(), body), sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode(errors="surrogateescape"))


async def _read(request: web.Request) -> bytes:
    """Return the whole body. Raise `_Unreadable` for one that is too large, too slow or broken."""
    if (request.content_length or 0) > MAX_BODY:
        raise _Unreadable(413, "The request is too large.")
    try:
        if request.content.is_eof():
            body = request.content.read_nowait()
        else:
            async with asyncio.timeout(BODY_DEADLINE_S):
                body = await _read_bounded(request)
    except TimeoutError:
        raise _Unreadable(408, "The request did not arrive in time.") from None
    except (web.RequestPayloadError, HttpProcessingError, ClientError, OSError):
        raise _Unreadable(400, "The request could not be read.") from None
    if len(body) > MAX_BODY:
        raise _Unreadable(413, "The request is too large.")
    return body


async def _read_bounded(request: web.Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            break
    return b"".join(chunks)


def _is_certificate_check(body: bytes) -> bool:
    if len(body) > 512 or b"ssl_check=1" not in body:
        return False
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return fields.get("ssl_check") == ["1"] and fields.keys() <= {"ssl_check", "token"}


def _response(reply: Reply) -> web.Response:
    return web.Response(text=reply.body, content_type="application/json" if reply.is_json else "text/plain")
