"""Numbers over time (Prometheus and what speaks like it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer. An instant answer has one point a series."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """`(seconds since 1970, value)`, oldest first. A value may be NaN or infinite: the asker decides what it means."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a query found. Nothing found is an answer too: `series` is empty."""

    series: tuple[Series, ...] = ()
    warnings: tuple[str, ...] = ()
    """What the server said beside its answer, such as that a part of its stores did not answer."""

    @property
    def partial(self) -> bool:
        """Whether something may be missing."""
        return bool(self.warnings)


class Metrics(Protocol):
    """Beside what every port raises: `BadQuery` for a query that the server cannot read or evaluate, `TimedOut` where
    it gave up, `TooMuch` for an answer that is larger than we read."""

    async def at(self, query: str, moment: datetime | None = None) -> Measured:
        """Evaluate at one moment; now when none is given. A scalar is one series without labels."""

    async def over(self, query: str, begin: datetime, end: datetime, step: timedelta) -> Measured:
        """Evaluate at each step from `begin` to `end`, both included."""
