"""Where the ticks of an axis stand, and what is written there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.charts.units import Scale, scale

_ROUND = (1.0, 2.0, 5.0, 10.0)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TIMES = (
    1, 2, 5, 10, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR,
    3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 365 * _DAY,
)  # fmt: skip
"""Steps that people count time in, in seconds."""
_NOTHING = 1e-280
"""Smaller values cannot be divided into steps any more."""


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    low: float
    high: float
    ticks: tuple[Tick, ...]
    scale: Scale


def values(low: float, high: float, unit: str, *, most: int = 4) -> Axis:
    """Return an axis from a round value at or below `low` to one at or above `high`, in steps of 1, 2 or 5."""
    low, high = (value if abs(value) > _NOTHING else 0.0 for value in (low, high))
    found = scale(unit, max(abs(low), abs(high)))
    first, last = low * found.factor, high * found.factor
    if last - first <= max(abs(first), abs(last)) * 1e-9:
        last = first + (abs(first) or 1.0) * 0.5
    step = _round_step((last - first) / most)
    bottom, top = math.floor(first / step + 1e-6), math.ceil(last / step - 1e-6)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = tuple(
        Tick(index * step / found.factor, _label(index * step, digits, found)) for index in range(bottom, top + 1)
    )
    return Axis(ticks[0].at, ticks[-1].at, ticks, found)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in _ROUND if factor * power >= least * (1 - 1e-9))


def _label(value: float, digits: int, found: Scale) -> str:
    number = f"{value:.3g}" if abs(value) >= 1e7 or digits > 7 else f"{value:,.{digits}f}"
    number = "0" if float(number.replace(",", "")) == 0 else number.replace("-", "−")
    return f"{number} {found.suffix}".strip()


def times(begin: float, end: float, *, most: int) -> tuple[Tick, ...]:
    """Return ticks at round times in UTC: `06:30`, at midnight the day."""
    step = next((one for one in _TIMES if (end - begin) / one <= most), _TIMES[-1])
    first = math.ceil(begin / step) * step
    count = min(int((end - first) // step) + 1, most + 1) if end >= first else 0
    return tuple(Tick(float(at), _time(at, step)) for at in (first + index * step for index in range(count)))


def _time(at: int, step: int) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    if step >= 91 * _DAY:
        return f"{moment:%b %Y}"
    if step >= _DAY or at % _DAY == 0:
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M:%S}" if step < _MINUTE else f"{moment:%H:%M}"
