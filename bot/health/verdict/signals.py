"""The four golden signals of a service, as numbers over time, and what they are held against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

SignalKind = Literal["traffic", "errors", "latency", "saturation"]
Unit = Literal["req/s", "ratio", "s"]
"""A `ratio` is a fraction, 1.0 being all of it; it may be more for what has no limit."""

FRESH_S = 600.0
"""A value older than this is not of now, in seconds. Scrapes come once or twice a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal of one service in one environment."""

    kind: SignalKind
    name: str
    """As people call it: `requests`, `failing requests`, `latency (p99)`, `memory`."""
    unit: Unit
    points: tuple[tuple[float, float], ...] = ()
    """`(seconds since 1970, value)`, oldest first; finite values only. A moment without a value has no point."""
    objective: float | None = None
    """What the value must not exceed, in the same unit; None: nobody has said."""
    now: float | None = None
    """The newest value, when it is fresh; None: nothing was measured lately."""
    breached: bool = False
    """Whether the value of now is worse than the objective, so that it counts (see `breaks`)."""

    @property
    def last_at(self) -> float | None:
        """When it was measured last, in seconds since 1970."""
        return self.points[-1][0] if self.points else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """All signals that have values, and what keeps the others from having some."""

    signals: tuple[Signal, ...] = ()
    problems: tuple[str, ...] = ()
    """Why something may be missing (a query failed, an answer is partial), as sentences; empty: all was read."""

    def of(self, kind: SignalKind) -> tuple[Signal, ...]:
        return tuple(one for one in self.signals if one.kind == kind)

    def first(self, kind: SignalKind) -> Signal | None:
        return next(iter(self.of(kind)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How many times faster than allowed an error budget is spent, over a long and a short window alike."""

    kind: Literal["availability", "latency"]
    long: float
    short: float
    """Over a twelfth of the long window: it tells whether it still goes on."""
    over_s: float
    """Of the long window, in seconds."""
    threshold: float
    """From which rate on somebody is called (Google SRE Workbook, "Alerting on SLOs")."""

    @property
    def burns(self) -> bool:
        return self.long >= self.threshold and self.short >= self.threshold


TOLERATED = 6.0
"""So many times more failures than the objective allows on average are trouble: at that rate those of 30 days are
used up within five (Google SRE Workbook, "Alerting on SLOs"). Less is what the objective is there to allow."""


def breaks(kind: SignalKind, now: float | None, objective: float | None) -> bool:
    """Return whether a value breaks its objective."""
    if now is None or objective is None:
        return False
    return now > objective * TOLERATED if kind == "errors" else now > objective


def measured(
    kind: SignalKind,
    name: str,
    unit: Unit,
    points: tuple[tuple[float, float], ...],
    *,
    at: float,
    objective: float | None = None,
) -> Signal:
    """Return the signal as it stands at `at` (seconds since 1970). NaN and infinite values are no values: a quantile of
    no requests is NaN, and a ratio to nothing infinite."""
    kept = tuple((when, value) for when, value in points if math.isfinite(value))
    fresh = bool(kept) and at - kept[-1][0] <= FRESH_S
    now = kept[-1][1] if fresh else None
    return Signal(
        kind=kind,
        name=name,
        unit=unit,
        points=kept,
        objective=objective,
        now=now,
        breached=breaks(kind, now, objective),
    )
