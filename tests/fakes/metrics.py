"""Numbers that a test programs, by query."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.ports import Measured, Series
from tests.fakes.faults import Faults, call
from tests.fakes.programmed import Asked, Fits, Programmed


class FakeMetrics:
    """Implements `bot.ports.Metrics`. What is not programmed is not measured: an empty answer."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.program: Programmed[Measured] = Programmed(Measured())

    @property
    def asked(self) -> list[Asked]:
        return self.program.asked

    def answers(self, fits: Fits, found: float | Measured | Exception | Callable[[Asked], Measured]) -> None:
        """Program an answer; a number is one series without labels that has this value all the time."""
        self.program.answer(fits, level(found) if isinstance(found, int | float) else found)

    def hold(self, fits: Fits = "") -> asyncio.Event:
        """Let such questions wait, without a text all of them, until the returned event is set."""
        return self.program.hold(fits)

    @call
    async def at(self, query: str, moment: datetime | None = None) -> Measured:
        return await self.program.find(Asked("at", query, moment))

    @call
    async def over(self, query: str, begin: datetime, end: datetime, step: timedelta) -> Measured:
        return await self.program.find(Asked("over", query, begin, end, step))


def level(value: float, labels: Mapping[str, str] | None = None) -> Callable[[Asked], Measured]:
    """Return an answer that has this value at every moment that is asked of."""
    return lambda asked: measured((labels or {}, [(at, value) for at in moments(asked)]))


def measured(*series: tuple[Mapping[str, str], list[tuple[float, float]]], warnings: tuple[str, ...] = ()) -> Measured:
    """Write an answer shortly: `measured(({"pod": "a"}, [(0, 1.5), (60, 2.5)]))`."""
    return Measured(tuple(Series(dict(labels), tuple(points)) for labels, points in series), warnings)


def moments(asked: Asked) -> list[float]:
    """Return the moments that a question is about, in seconds since 1970; 0 for "now"."""
    begin = asked.begin.timestamp() if asked.begin else 0.0
    if asked.end is None or asked.step is None:
        return [begin]
    step = asked.step.total_seconds()
    return [begin + number * step for number in range(int((asked.end.timestamp() - begin) // step) + 1)]
