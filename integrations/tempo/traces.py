"""Tempo: traces by TraceQL, and whole ones by id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from bot.errors import BadQuery, NotFound, PlatformError, TooMuch
from bot.ports import Trace, TraceFound
from integrations.reading import Client, Reply, document, no_result, problem, said
from integrations.tempo import shapes

T = TypeVar("T")

SYSTEM = "Tempo"
TIMEOUT_S = 10.0
"""Of one question, in seconds: a search reads through blocks of traces."""
LONGEST_BODY = 8 * 1024 * 1024
"""Bytes of one answer; a span is about 1 KB."""
LONG = 64 * 1024
"""From this size on a body is read in a thread."""
LEAST_FOUND = 100
MOST_FOUND = 1000
SHOWN = "1"
"""Spans that a search tells of each trace; we look at none of them."""
CHECK = "If your platform team has replaced queries, see `platform.queries`."


class Tempo:
    """Satisfies `bot.ports.Traces`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._client = Client(SYSTEM, url, timeout_s=timeout_s, most_bytes=LONGEST_BODY)

    async def close(self) -> None:
        await self._client.close()

    async def search(self, query: str, begin: datetime, end: datetime, *, limit: int) -> tuple[TraceFound, ...]:
        """Tempo ends a search at its limit, in no order: the slowest are among more than are wanted."""
        wanted = min(max(limit, LEAST_FOUND), MOST_FOUND)
        asked = {"q": query, "limit": str(wanted), "spss": SHOWN}
        asked |= {"start": shapes.moment_s(begin), "end": shapes.moment_s(end, up=True)}
        reply = await self._client.get("/api/search", asked)
        if reply.status == 400 and not reply.is_html:
            raise _bad(reply)
        found = await _read(reply, _found)
        return tuple(sorted(found, key=lambda one: one.duration_s, reverse=True)[: max(limit, 0)])

    async def trace(self, id: str) -> Trace:  # noqa: A002  # what it is called everywhere
        known = shapes.trace_id(id)
        if known is None:
            raise NotFound("What was asked for is no id of a trace.")
        reply = await self._client.get(f"/api/v2/traces/{known}")
        if reply.status == 404:  # not kept, or a Tempo that has no such path yet
            reply = await self._client.get(f"/api/traces/{known}")
        if reply.status == 404:
            raise NotFound(f"The trace `{known}` is not kept (any more).")
        if reply.status >= 500 and b"too large" in reply.body:
            raise TooMuch(f"{SYSTEM} says that the trace `{known}` is too large to read.")
        whole = await _read(reply, lambda answer: shapes.trace(known, answer))
        if not whole.spans:
            raise NotFound(f"The trace `{known}` is not kept (any more).")
        return whole


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Tempo:
    """Return the port for the server at that address. Nothing is sent before the first question."""
    return Tempo(url, timeout_s=timeout_s)


def _found(answer: Any) -> list[TraceFound]:
    return [shapes.found(one) for one in answer.get("traces") or []]


def _bad(reply: Reply) -> PlatformError:
    """Tempo says in plain text what is wrong."""
    told = said(reply.body.decode("utf-8", "replace"))
    return BadQuery(f"{SYSTEM} cannot read or evaluate a query: {told}.", hint=CHECK)


async def _read(reply: Reply, read: Callable[[Any], T]) -> T:
    if reply.status != 200 or reply.is_html:
        raise problem(SYSTEM, reply.status, reply.headers)
    if len(reply.body) < LONG:
        return _read_now(reply, read)
    return await asyncio.to_thread(_read_now, reply, read)


def _read_now(reply: Reply, read: Callable[[Any], T]) -> T:
    try:
        return read(document(SYSTEM, reply.body))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
        raise no_result(SYSTEM) from None
