"""How the HTTP doors say what went wrong: one JSON shape, no traceback."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.errors import Conflict, Invalid, NotFound, PlatformError, Refused, UpstreamUnavailable, UsageError
from bot.http.tokens import Unknown
from bot.model.canonical import JSON

log = logging.getLogger(__name__)

BODY_DEADLINE_S = 20.0
"""Whoever sends a body more slowly than this holds a connection, and is sent away."""

STATUS: tuple[tuple[type[PlatformError], int], ...] = (
    (Unknown, 401),
    (Refused, 403),
    (NotFound, 404),
    (Conflict, 409),
    (UsageError, 422),
    (UpstreamUnavailable, 503),
    (PlatformError, 422),
)
"""The first class that fits decides, so the special ones come first."""


def problem(status: int, message: str, *, hint: str = "", mistakes: Any = ()) -> web.Response:
    body: dict[str, JSON] = {"error": message}
    if hint:
        body["hint"] = hint
    if mistakes:
        body["mistakes"] = [{"path": mistake.path, "message": mistake.message} for mistake in mistakes]
    return web.json_response(body, status=status)


async def read_body(request: web.Request, limit: int) -> bytes | None:
    """Return the whole body, however many pieces it comes in, or None when it is larger than `limit` bytes.

    Raise `UsageError` for one that does not arrive whole.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limit:
                    return None
    except (TimeoutError, ConnectionResetError):
        raise UsageError("The body did not arrive whole.", hint="Send it again.") from None
    return bytes(body)


@web.middleware
async def spoken_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every failure in words; the log gets the traceback of what we did not foresee, under a reference."""
    try:
        "".join(request.headers.values()).encode()
    except UnicodeEncodeError:
        return problem(400, "A header of the request is not text in UTF-8.")
    try:
        return await handler(request)
    except PlatformError as error:
        status = next(status for kind, status in STATUS if isinstance(error, kind))
        mistakes = error.mistakes if isinstance(error, Invalid) else ()
        answer = problem(status, error.message, hint=error.hint, mistakes=mistakes)
        if status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    except web.HTTPException as other:
        if not request.path.startswith("/api/") or other.status < 400:
            raise
        return problem(other.status, f"{other.reason}.", hint="See /api/v1/openapi.json.")
    except Exception as error:
        reference = secrets.token_hex(4)
        log.exception("http_failed", extra={"reference": reference, "path": request.path, "kind": type(error).__name__})
        return problem(
            500, "That did not work, and it is our fault.", hint=f"Quote `{reference}` to the platform team."
        )
