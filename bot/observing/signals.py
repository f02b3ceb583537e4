"""Reads the four golden signals of a service in one environment, by the queries in `manifests/queries/`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.deps import Deps
from bot.errors import PlatformError, UpstreamUnavailable
from bot.health.verdict.signals import Burn, Signal, SignalKind, Signals, Unit, breaks, measured
from bot.model.objectives import Objective
from bot.ports import Measured, Metrics
from bot.rendering.delivery import Place

__all__ = [
    "Burn",
    "Signal",
    "SignalKind",
    "Signals",
    "held_to",
    "quantile_of",
    "read_burns",
    "read_latency",
    "read_signals",
]

FULL = 0.95
"""From this share of its memory limit on, a container is about to be killed."""
USUAL_QUANTILE = Decimal("0.99")
BURNS = (
    (timedelta(hours=1), timedelta(minutes=5), 14.4),
    (timedelta(hours=6), timedelta(minutes=30), 6.0),
)
"""Long window, short window, rate: when a person is called (Google SRE Workbook, "Alerting on SLOs")."""
PARTIAL = "Prometheus has answered only in part."


async def read_signals(
    place: Place, deps: Deps, begin: datetime, end: datetime, step: timedelta, *, objectives: Sequence[Objective] = ()
) -> Signals:
    """Return the signals over that time, each with the objective that it is held against.

    A query that fails is named in `problems`; the others are told. Where there is no Prometheus at all, or none of
    the queries finds anything, there are no signals.
    """
    if deps.metrics is None:
        return Signals()
    asking = _Asking(place, deps, deps.metrics, begin, end, step)
    found = await asyncio.gather(*map(asking.read, _wanted(objectives)))
    return Signals(
        signals=tuple(one for one, _ in found if one is not None),
        problems=tuple(dict.fromkeys(problem for _, problem in found if problem)),
    )


async def read_latency(
    place: Place, deps: Deps, begin: datetime, end: datetime, step: timedelta, *, objectives: Sequence[Objective]
) -> Signal | None:
    """Return the latency that the objective is about. Raise what `Metrics` raises, and `UpstreamUnavailable` for an
    answer in part that shows nothing bad: what is left out may be."""
    if deps.metrics is None:
        return None
    asking = _Asking(place, deps, deps.metrics, begin, end, step)
    found, problem = await asking.ask(next(one for one in _wanted(objectives) if one.kind == "latency"))
    if problem and (found is None or not found.breached):
        raise UpstreamUnavailable(problem)
    return found


def held_to(signals: Signals, objectives: Sequence[Objective], latency: Signal | None = None) -> Signals:
    """Return the signals held against objectives that were not known when they were read. `latency` takes the place of
    one of another quantile than the objective's; without it, that one stays, and is held against nothing."""
    wanted = {one.name: one.objective for one in _wanted(objectives)}
    kept = [one for one in signals.signals if latency is None or one.kind != "latency"]
    held = [
        replace(one, objective=most, breached=breaks(one.kind, one.now, most))
        for one in kept
        for most in [wanted.get(one.name, one.objective)]
    ]
    return replace(signals, signals=tuple(sorted((*held, *([latency] if latency else [])), key=_order)))


def quantile_of(objectives: Sequence[Objective]) -> Decimal:
    """Return the quantile of the latency that is told: that of the objective."""
    return next((one.target for one in objectives if one.kind == "latency"), USUAL_QUANTILE)


def _order(signal: Signal) -> int:
    return ("traffic", "errors", "latency", "saturation").index(signal.kind)


async def read_burns(place: Place, deps: Deps, now: datetime, objectives: Sequence[Objective]) -> tuple[Burn, ...]:
    """Return how fast the error budgets are spent, where there are any and anything was asked of the service.

    Raise what `Metrics` raises, and `UpstreamUnavailable` for answers in part that show nothing bad.
    """
    if deps.metrics is None:
        return ()
    budgets = [_Budget(place, deps, deps.metrics, now, one) for one in objectives]
    every = await asyncio.gather(*(_burn(budget, *windows) for budget in budgets for windows in BURNS))
    found = tuple(one for one in every if one is not None)
    if any(budget.partial for budget in budgets) and not any(one.burns for one in found):
        raise UpstreamUnavailable(PARTIAL)
    return found


@dataclass(frozen=True, slots=True)
class _Asking:
    """One place and time about which Prometheus is asked."""

    place: Place
    deps: Deps
    metrics: Metrics
    begin: datetime
    end: datetime
    step: timedelta

    async def read(self, wanted: _Wanted) -> tuple[Signal | None, str]:
        """Return the signal, if there is one, and why it may be missing."""
        try:
            return await self.ask(wanted)
        except PlatformError as error:
            return None, error.message

    async def ask(self, wanted: _Wanted) -> tuple[Signal | None, str]:
        text = self.deps.queries.text(wanted.query, **_where(self.place), **wanted.values)
        found = await self.metrics.over(text, self.begin, self.end, self.step)
        return wanted.signal(points_of(found), self.end), PARTIAL if found.partial else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    kind: SignalKind
    name: str
    unit: Unit
    query: str
    objective: float | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    def signal(self, points: tuple[tuple[float, float], ...], end: datetime) -> Signal | None:
        """Return None where nothing was ever measured in that time."""
        found = measured(self.kind, self.name, self.unit, points, at=end.timestamp(), objective=self.objective)
        return found if found.points else None


def _wanted(objectives: Sequence[Objective]) -> Iterator[_Wanted]:
    available = next((one for one in objectives if one.kind == "availability"), None)
    quick = next((one for one in objectives if one.kind == "latency"), None)
    yield _Wanted(kind="traffic", name="requests", unit="req/s", query="request_rate")
    yield _Wanted(
        kind="errors",
        name="failing requests",
        unit="ratio",
        query="error_ratio",
        objective=float(1 - available.target) if available is not None else None,
    )
    quantile = quantile_of(objectives)
    yield _Wanted(
        kind="latency",
        name=f"latency (p{_digits(quantile)})",
        unit="s",
        query="latency_quantile",
        objective=float(quick.below_s) if quick is not None and quick.below_s is not None else None,
        values={"quantile": quantile},
    )
    yield _Wanted(kind="saturation", name="CPU", unit="ratio", query="saturation_cpu")
    yield _Wanted(kind="saturation", name="memory", unit="ratio", query="saturation_memory", objective=FULL)


def _digits(quantile: Decimal) -> str:
    """0.99 → `99`, 0.999 → `99.9`."""
    return f"{float(quantile * 100):g}"


@dataclass(frozen=True, slots=True)
class _Budget:
    """The error budget that an objective leaves."""

    place: Place
    deps: Deps
    metrics: Metrics
    now: datetime
    objective: Objective
    partial: list[str] = field(default_factory=list)
    """Which answers were given in part, once they were asked for."""

    async def rate(self, window: timedelta) -> float | None:
        """Return how many times too fast it is spent; None where nobody asked anything."""
        values: dict[str, Any] = {"budget": 1 - self.objective.target, "range": window}
        if self.objective.kind == "latency":
            values["below_s"] = self.objective.below_s
        text = self.deps.queries.text(f"burn_{self.objective.kind}", **_where(self.place), **values)
        told = await self.metrics.at(text, self.now)
        if told.partial:
            self.partial.append(text)
        found = points_of(told)
        value = found[-1][1] if found else math.nan
        return None if math.isnan(value) else value


async def _burn(budget: _Budget, long: timedelta, short: timedelta, threshold: float) -> Burn | None:
    over_long, over_short = await asyncio.gather(budget.rate(long), budget.rate(short))
    if over_long is None or over_short is None:
        return None
    return Burn(
        kind=budget.objective.kind, long=over_long, short=over_short, over_s=long.total_seconds(), threshold=threshold
    )


def _where(place: Place) -> dict[str, str]:
    return {"namespace": place.namespace, "service": place.service}


def points_of(found: Measured) -> tuple[tuple[float, float], ...]:
    """Return the points of the one series that is expected; of several, which a replaced query may give, the highest
    of each moment."""
    if len(found.series) == 1:
        return found.series[0].points
    highest: dict[float, float] = {}
    for series in found.series:
        for at, value in series.points:
            known = highest.get(at, math.nan)
            if math.isnan(known) or value > known:  # of nothing at all, a quantile is NaN: it hides no number
                highest[at] = value
    return tuple(sorted(highest.items()))
