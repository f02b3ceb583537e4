"""Traces that a test programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.errors import NotFound
from bot.ports import Trace, TraceFound
from tests.fakes.faults import Faults, call
from tests.fakes.programmed import Asked, Fits, Programmed


class FakeTraces:
    """Implements `bot.ports.Traces`."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.program: Programmed[Sequence[TraceFound]] = Programmed(())
        self.kept: dict[str, Trace] = {}

    @property
    def asked(self) -> list[Asked]:
        return self.program.asked

    def answers(
        self, fits: Fits, found: Sequence[TraceFound] | Exception | Callable[[Asked], Sequence[TraceFound]]
    ) -> None:
        """Program what a search finds, in any order; the slowest of the time that is asked of are told first."""
        self.program.answer(fits, found)

    def keep(self, trace: Trace) -> None:
        self.kept[trace.id] = trace

    def hold(self, fits: Fits = "") -> asyncio.Event:
        """Let such questions wait, without a text all of them, until the returned event is set."""
        return self.program.hold(fits)

    @call
    async def search(self, query: str, begin: datetime, end: datetime, *, limit: int) -> tuple[TraceFound, ...]:
        found = await self.program.find(Asked("search", query, begin, end, limit=limit))
        inside = [one for one in found if begin <= one.begin <= end]
        return tuple(sorted(inside, key=lambda one: one.duration_s, reverse=True)[:limit])

    @call
    async def trace(self, id: str) -> Trace:  # noqa: A002  # what it is called everywhere
        if id not in self.kept:
            raise NotFound(f"The trace `{id}` is not kept (any more).")
        return self.kept[id]
