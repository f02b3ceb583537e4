"""Loki: lines and counts of lines, by LogQL."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.errors import BadQuery, PlatformError, TimedOut, TooMuch
from bot.ports import LogLine, Measured
from integrations.reading import Client, Reply, clean, document, measured, no_result, problem, said, texts
from integrations.reading.times import nanoseconds, of_nanoseconds

T = TypeVar("T")

SYSTEM = "Loki"
TIMEOUT_S = 10.0
"""Of one question, in seconds: lines are found by reading all of them."""
LONGEST_BODY = 8 * 1024 * 1024
"""Bytes of one answer. A line may have 256 KB."""
LONG = 64 * 1024
"""From this size on a body is read in a thread."""
MOST_LINES = 5000
"""Loki's own limit, unless somebody has raised it."""
PATH = "/loki/api/v1/query_range"
CHECK = "If your platform team has replaced queries, see `platform.queries`."
_TOO_MUCH = ("maximum of series", "limit exceeded", "exceeds the limit", "query would read too many bytes")


class Loki:
    """Satisfies `bot.ports.Logs`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._client = Client(SYSTEM, url, timeout_s=timeout_s, most_bytes=LONGEST_BODY)

    async def close(self) -> None:
        await self._client.close()

    async def lines(self, query: str, begin: datetime, end: datetime, *, limit: int) -> tuple[LogLine, ...]:
        wanted = min(max(limit, 1), MOST_LINES)
        asked = _range(query, begin, end) | {"limit": str(wanted), "direction": "backward"}
        return await self._ask(asked, lambda answer: _newest(answer, wanted))

    async def counted(self, query: str, begin: datetime, end: datetime, step: timedelta) -> Measured:
        asked = _range(query, begin, end) | {"step": f"{step.total_seconds():g}"}
        return await self._ask(asked, _counts)

    async def _ask(self, asked: Mapping[str, str], read: Callable[[Any], T]) -> T:
        reply = await self._client.get(PATH, asked)
        if reply.status != 200:
            raise _refused(reply)
        if len(reply.body) < LONG:
            return _read(reply, read)
        return await asyncio.to_thread(_read, reply, read)


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Loki:
    """Return the port for the server at that address. Nothing is sent before the first question."""
    return Loki(url, timeout_s=timeout_s)


def _range(query: str, begin: datetime, end: datetime) -> dict[str, str]:
    return {"query": query, "start": str(nanoseconds(begin)), "end": str(nanoseconds(end))}


def _read(reply: Reply, read: Callable[[Any], T]) -> T:
    answer = document(SYSTEM, reply.body)
    try:
        if answer["status"] != "success":
            raise no_result(SYSTEM)
        return read(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise no_result(SYSTEM) from None


def _newest(answer: Any, limit: int) -> tuple[LogLine, ...]:
    """Streams come one after the other, each with its lines; what is wanted is one list."""
    data = answer["data"]
    if data["resultType"] != "streams":
        raise BadQuery(f"A query of {SYSTEM} counts lines where lines were wanted.", hint=CHECK)
    return tuple(heapq.nlargest(limit, _lines(data["result"] or []), key=lambda line: line.at))


def _lines(streams: Any) -> Iterator[LogLine]:
    for stream in streams:
        labels = texts(stream.get("stream") or {})
        for at, text, *_ in stream["values"]:  # newer ones may write a third part beside
            yield LogLine(of_nanoseconds(at), clean(str(text)), labels)


def _counts(answer: Any) -> Measured:
    if answer["data"]["resultType"] == "streams":
        raise BadQuery(f"A query of {SYSTEM} gives lines where a count of them was wanted.", hint=CHECK)
    return measured(SYSTEM, answer)


def _refused(reply: Reply) -> PlatformError:
    """Loki says in plain text what is wrong; in JSON where a gateway of Grafana stands before it."""
    why: Any = reply.body.decode("utf-8", "replace")
    if why.lstrip().startswith("{"):
        with contextlib.suppress(PlatformError):
            answer = document(SYSTEM, reply.body)
            why = answer.get("error") or answer.get("message")
    if reply.is_html or reply.status not in (400, 422, 499, 504):
        return problem(SYSTEM, reply.status, reply.headers)
    told = said(why)
    if reply.status in (499, 504):
        return TimedOut(f"{SYSTEM} gave up on a query: {told}.", hint="Ask of a shorter time.")
    if any(sign in told for sign in _TOO_MUCH):
        return TooMuch(f"{SYSTEM} says that a query asks for too much: {told}.", hint="Ask of a shorter time.")
    return BadQuery(f"{SYSTEM} cannot read or evaluate a query: {told}.", hint=CHECK)
