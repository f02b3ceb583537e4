"""From measured signals to those that have moved. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.explaining.facts import Moved
from bot.explaining.moving import moved
from bot.health.verdict import Signal

_WEIGHT = {"errors": 0, "latency": 1, "saturation": 2, "traffic": 3}
"""What a person feels most comes first."""


def moves_of(service: str, signals: Sequence[Signal]) -> tuple[Moved, ...]:
    """Return what has moved: what still is so before what is over, what breaks its objective before what is only
    unusual, then what people feel most."""
    found = [made for signal in signals if (made := _move(service, signal)) is not None]
    return tuple(sorted(found, key=_telling))


def _telling(one: Moved) -> tuple[bool, bool, int, datetime, str]:
    return one.until is not None, one.objective is None, _WEIGHT[one.kind], one.since, one.name


def _move(service: str, signal: Signal) -> Moved | None:
    found = moved(signal.points, signal.objective, signal.kind)
    if found is None or (
        signal.kind == "saturation" and not found.breaks_objective and found.worst < signal_full(signal)
    ):
        return None
    return Moved(
        service=service,
        kind=signal.kind,
        name=signal.name,
        unit=signal.unit,
        since=_at(found.begin),
        until=_at(found.end) if found.end is not None else None,
        from_start=found.from_start,
        before=found.before,
        worst=found.worst,
        objective=signal.objective if found.breaks_objective else None,
        up=found.up,
    )


def signal_full(signal: Signal) -> float:
    """Return from where on a resource is short: half empty is no trouble, however unusual."""
    return 0.8 if signal.objective is None else min(signal.objective, 0.8)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
