"""Alertmanager through its API v2."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError
from bot.ports import FiringGroup, Silence
from integrations.alertmanager import shapes
from integrations.reading import Client, Reply, document, no_result, problem, said
from integrations.reading.errors import unknown

T = TypeVar("T")

SYSTEM = "Alertmanager"
TIMEOUT_S = 10.0
"""Of one call, in seconds."""
LONGEST_BODY = 24 * 1024 * 1024
"""Bytes of one answer; ten thousand alerts are about 10 MB."""
LONG = 64 * 1024
"""From this size on a body is read in a thread."""
ID = re.compile(r"[0-9A-Za-z-]{1,64}")
ALIKE = timedelta(seconds=1)
"""Alertmanager keeps times to the millisecond only."""


class Alertmanager:
    """Satisfies `bot.ports.Alerts`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._client = Client(SYSTEM, url, timeout_s=timeout_s, most_bytes=LONGEST_BODY)

    async def close(self) -> None:
        await self._client.close()

    async def groups(self) -> tuple[FiringGroup, ...]:
        query = dict.fromkeys(("active", "silenced", "inhibited"), "true")
        return await _list(await self._client.get("/api/v2/alerts/groups", query), shapes.group)

    async def silences(self) -> tuple[Silence, ...]:
        return await _list(await self._client.get("/api/v2/silences"), shapes.silence)

    async def silence(self, silence: Silence) -> str:
        """Make it. After an unknown outcome look whether it stands before telling so.

        Raise `NotFound` for an id that Alertmanager does not have (any more), `Conflict` for what it does not take.
        """
        try:
            return await self._make(silence)
        except OutcomeUnknown:
            if (found := await self._standing(silence)) is None:
                raise
            return found

    async def unsilence(self, id: str) -> bool:  # noqa: A002  # what it is called everywhere
        if not ID.fullmatch(id):
            return False  # it would name another path
        path = f"/api/v2/silence/{id}"
        reply = await self._client.get(path)
        if reply.status == 404 or (reply.status == 422 and not reply.is_html):  # 422: it cannot be an id
            return False
        if _one(reply, shapes.silence).state == "expired":
            return False
        reply = await self._client.change("DELETE", path)
        if reply.status == 404:
            return False
        if reply.status == 500 and "already expired" in str(_reason(reply)):
            return False  # somebody was quicker
        if reply.status != 200:
            raise problem(SYSTEM, reply.status, reply.headers, write=True)
        return True

    async def _make(self, silence: Silence) -> str:
        reply = await self._client.change("POST", "/api/v2/silences", shapes.posted(silence))
        if reply.status == 404 and silence.id:
            raise NotFound(f"{SYSTEM} has no silence `{silence.id}` (any more).")
        if reply.status in (400, 422) and not reply.is_html:
            raise Conflict(f"{SYSTEM} does not take the silence: {said(_reason(reply))}.")
        if reply.status != 200:
            raise problem(SYSTEM, reply.status, reply.headers, write=True)
        try:
            return str(document(SYSTEM, reply.body)["silenceID"])
        except (PlatformError, KeyError, TypeError):
            raise unknown(SYSTEM, "its answer names no silence") from None

    async def _standing(self, silence: Silence) -> str | None:
        """Return the id of a silence that is just like this one, by what people wrote and whom it keeps quiet."""
        try:
            kept = await self.silences()
        except PlatformError:
            return None
        return next((one.id for one in kept if one.state != "expired" and _alike(one, silence)), None)


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Alertmanager:
    """Return the port for the server at that address. Nothing is sent before the first call."""
    return Alertmanager(url, timeout_s=timeout_s)


def _alike(one: Silence, other: Silence) -> bool:
    same = (one.by, one.comment, set(one.matchers)) == (other.by, other.comment, set(other.matchers))
    return same and abs(one.ends_at - other.ends_at) < ALIKE


def _reason(reply: Reply) -> Any:
    """Return what it says: a text in JSON, or an object with a message where a value does not fit its type."""
    try:
        told = document(SYSTEM, reply.body)
    except PlatformError:
        return None
    return told.get("message") if isinstance(told, dict) else told


async def _list(reply: Reply, shape: Callable[[Any], T]) -> tuple[T, ...]:
    if len(reply.body) < LONG:
        return _many(reply, shape)
    return await asyncio.to_thread(_many, reply, shape)


def _many(reply: Reply, shape: Callable[[Any], T]) -> tuple[T, ...]:
    def each(found: Any) -> tuple[T, ...]:
        if not isinstance(found, list):
            raise ValueError("not a list")  # noqa: TRY004  # what came is a wrong value, not a wrong call
        return tuple(shape(one) for one in found)

    return _one(reply, each)


def _one(reply: Reply, shape: Callable[[Any], T]) -> T:
    if reply.status != 200 or reply.is_html:
        raise problem(SYSTEM, reply.status, reply.headers)
    try:
        return shape(document(SYSTEM, reply.body))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise no_result(SYSTEM) from None
