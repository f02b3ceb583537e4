"""What a chart says to whoever does not see it."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from bot.charts.model import Chart, Series
from bot.charts.units import said


def alt_text(shown: Chart) -> str:
    """Return title and numbers: now, the highest and when, the objective."""
    parts = [f"{shown.title}, from {_time(shown.begin)} to {_time(shown.end)} UTC."]
    parts += [_series(one, shown.unit) for one in shown.series]
    if shown.objective is not None:
        parts.append(f"Objective: {said(shown.objective, shown.unit)}.")
    return " ".join(parts)


def _series(one: Series, unit: str) -> str:
    known = [(at, value) for at, value in one.points if math.isfinite(value)]
    if not known:
        return f"{one.name}: no values."
    at, highest = max(known, key=lambda point: point[1])
    when = _time(datetime.fromtimestamp(at, UTC))
    return f"{one.name}: now {said(known[-1][1], unit)}, highest {said(highest, unit)} at {when}."


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M}"
