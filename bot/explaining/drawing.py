"""What is drawn of a case: the signal that moved, beside that of the dependency that may be the cause. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.charts import Chart, Mark, Series
from bot.explaining.facts import Case, Moved
from bot.explaining.ranking import Cause
from bot.health.verdict import Signal

BEFORE = timedelta(hours=1)
"""How much of the time before the symptom is drawn: enough to see what was usual."""
MOST_MARKS = 4
_MARKED = frozenset({"deploy", "promote", "rollback", "config", "scale"})


def drawn(case: Case, causes: Sequence[Cause], signals: Mapping[str, Sequence[Signal]]) -> Chart | None:
    """Return None where nothing moved."""
    symptom = case.symptom
    own = _signal(signals.get(case.service, ()), symptom)
    if symptom is None or own is None:
        return None
    begin = max(symptom.since - BEFORE, _first(own))
    lines = [Series(case.service, _from(own, begin))]
    suspect = causes[0].service if causes and causes[0].service != case.service else ""
    beside = next((one for one in signals.get(suspect, ()) if one.kind == symptom.kind and one.unit == own.unit), None)
    if beside is not None:
        lines.append(Series(suspect, _from(beside, begin)))
    return Chart(
        title=f"{case.service} in {case.environment}: {symptom.name}",
        unit=own.unit,
        series=tuple(lines),
        objective=own.objective,
        marks=_marks(case, begin),
        begin=begin,
        end=case.now,
        worse="above" if symptom.up else "below",
    )


def _signal(signals: Sequence[Signal], symptom: Moved | None) -> Signal | None:
    if symptom is None:
        return None
    return next((one for one in signals if (one.kind, one.name) == (symptom.kind, symptom.name)), None)


def _first(signal: Signal) -> datetime:
    return datetime.fromtimestamp(signal.points[0][0], UTC)


def _from(signal: Signal, begin: datetime) -> tuple[tuple[float, float], ...]:
    return tuple(point for point in signal.points if point[0] >= begin.timestamp())


def _marks(case: Case, begin: datetime) -> tuple[Mark, ...]:
    shown = [one for one in case.changes if one.kind in _MARKED and begin <= one.at <= case.now][:MOST_MARKS]
    return tuple(Mark(one.at, _label(one.what, one.service, case)) for one in reversed(shown))


def _label(what: str, service: str, case: Case) -> str:
    short = what.removeprefix("the deploy of ").removeprefix("the new settings of ").removeprefix("the ")
    return short if service == case.service else f"{service} {short}"
