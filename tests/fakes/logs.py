"""Lines that a test programs, by query."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.ports import LogLine, Measured
from tests.fakes.faults import Faults, call
from tests.fakes.metrics import level
from tests.fakes.programmed import Asked, Fits, Programmed


class FakeLogs:
    """Implements `bot.ports.Logs`. What is not programmed was not written."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.program: Programmed[Sequence[LogLine]] = Programmed(())
        self.counts: Programmed[Measured] = Programmed(Measured())

    @property
    def asked(self) -> list[Asked]:
        """Questions for lines, then those for counts; each in their order."""
        return [*self.program.asked, *self.counts.asked]

    def answers(self, fits: Fits, lines: Sequence[LogLine] | Exception | Callable[[Asked], Sequence[LogLine]]) -> None:
        """Program lines, in any order; those of the time that is asked of are told, the newest first."""
        self.program.answer(fits, lines)

    def counted_as(self, fits: Fits, found: float | Measured | Exception | Callable[[Asked], Measured]) -> None:
        self.counts.answer(fits, level(found) if isinstance(found, int | float) else found)

    def hold(self, fits: Fits = "") -> asyncio.Event:
        """Let such questions wait, without a text all of them, until the returned event is set."""
        return self.counts.hold(fits, self.program.hold(fits))

    @call
    async def lines(self, query: str, begin: datetime, end: datetime, *, limit: int) -> tuple[LogLine, ...]:
        found = await self.program.find(Asked("lines", query, begin, end, limit=limit))
        inside = [line for line in found if begin <= line.at < end]
        return tuple(sorted(inside, key=lambda line: line.at, reverse=True)[:limit])

    @call
    async def counted(self, query: str, begin: datetime, end: datetime, step: timedelta) -> Measured:
        return await self.counts.find(Asked("counted", query, begin, end, step))
