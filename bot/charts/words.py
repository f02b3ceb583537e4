"""The same in words, for whoever does not see the picture or the signs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from bot.charts.courses import bounded, known, shown_marks, step
from bot.charts.looks import MOST_NAMED
from bot.charts.model import Chart, Point, Series
from bot.charts.moments import between, clock, length
from bot.charts.units import said

LONGEST = 1000
"""Characters that Slack takes for a picture's description."""
_MOST_MARKS = 5
_STALE = 2.5
"""A last value older than so many usual steps is not the one of now."""


def alt_text(shown: Chart) -> str:
    """Return what the chart shows: of each line its value now, the highest and when, and how long it broke the
    objective; what happened meanwhile. Plain text of at most 1,000 characters."""
    begin, end = shown.begin.timestamp(), shown.end.timestamp()
    parts = [f"{_line(shown.title, 200)}, {between(shown.begin, shown.end)}."]
    objective = bounded(shown.objective)
    if objective is not None:
        parts.append(f"Objective: {said(objective, shown.unit)}.")
    parts += [_series(one, shown) for one in shown.series[:MOST_NAMED]]
    if len(shown.series) > MOST_NAMED:
        highest = max((value for one in shown.series for _, value in known(one.points, begin, end)), default=None)
        told = f", the highest of all is {said(highest, shown.unit)}" if highest is not None else ""
        parts.append(f"{len(shown.series) - MOST_NAMED} more lines{told}.")
    parts += _happened(shown)
    return _line(" ".join(parts), LONGEST)


def in_words(points: Sequence[Point], unit: str) -> str:
    """Return what stands beside a line of signs: `now 412 ms, 180 ms to 1.2 s`; `no values` where there are none."""
    values = [value for _, value in points if bounded(value) is not None]
    if not values:
        return "no values"
    now, low, high = said(values[-1], unit), said(min(values), unit), said(max(values), unit)
    return f"now {now}, steady" if low == high else f"now {now}, {low} to {high}"


def beyond(points: Sequence[Point], objective: float, *, worse: str = "above") -> timedelta:
    """Return for how long the values broke an objective: each counts until the next one, at most for a usual step."""
    usual = step(points)
    lengths = [min(later - at, usual) for (at, _), (later, _) in pairwise(points)] + [usual]
    broken = ((value > objective) if worse == "above" else (value < objective) for _, value in points)
    return timedelta(seconds=sum(length for length, is_broken in zip(lengths, broken, strict=False) if is_broken))


def _series(one: Series, shown: Chart) -> str:
    points = known(one.points, shown.begin.timestamp(), shown.end.timestamp())
    name = _line(one.name, 60) or "Value"
    if not points:
        return f"{name}: no values."
    whole = shown.end - shown.begin
    pick = max if shown.worse == "above" else min
    at, outermost = pick(points, key=lambda point: point[1])
    last_at, last = points[-1]
    fresh = len(points) > 1 and shown.end.timestamp() - last_at <= _STALE * step(points)
    now = f"now {said(last, shown.unit)}" if fresh else f"{said(last, shown.unit)} at {clock(last_at, whole)}, the last"
    side = "highest" if shown.worse == "above" else "lowest"
    parts = [f"{name}: {now}", f"{side} {said(outermost, shown.unit)} at {clock(at, whole)}"]
    objective = bounded(shown.objective)
    if objective is not None:
        broken = beyond(points, objective, worse=shown.worse)
        parts.append(f"{shown.worse} its objective for {length(broken)}" if broken else "always within its objective")
    return ", ".join(parts) + "."


def _happened(shown: Chart) -> list[str]:
    marks = shown_marks(shown)
    if not marks:
        return []
    whole = shown.end - shown.begin
    told = [f"{_line(mark.label, 40)} at {clock(mark.at.timestamp(), whole)}" for mark in marks[-_MOST_MARKS:]]
    more = f", and {len(marks) - _MOST_MARKS} before" if len(marks) > _MOST_MARKS else ""
    return [f"Marked: {', '.join(told)}{more}."]


def _line(text: str, most: int) -> str:
    """Return one line without signs that turn or hide text."""
    plain = "".join(one for one in " ".join(text.split()) if one.isprintable())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
