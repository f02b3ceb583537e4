"""What of a chart can be drawn: the time shown, without what is no number, in pieces between gaps, with no more points
than pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from bot.charts.model import Chart, Mark, Point

LARGEST = 1e300
"""Beyond this a value counts as none: reckoning with it would leave the floats."""
_GAP = 2.5
"""A pause of more than so many usual steps is a gap."""


def bounded(value: float | None) -> float | None:
    """Return the value; None where it is no number that can be drawn."""
    return value if value is not None and math.isfinite(value) and abs(value) < LARGEST else None


def known(points: Sequence[Point], begin: float, end: float) -> list[Point]:
    """Return the points that are numbers and lie in that time, oldest first."""
    return sorted(
        (at, value)
        for at, value in points
        if begin <= at <= end and bounded(value) is not None  # a NaN is in no time
    )


def shown_marks(drawn: Chart) -> list[Mark]:
    """Return the marks that lie in the time shown, oldest first."""
    return sorted((mark for mark in drawn.marks if drawn.begin <= mark.at <= drawn.end), key=lambda mark: mark.at)


def step(points: Sequence[Point]) -> float:
    """Return the usual time between two points, in seconds; 0 where there are not two."""
    steps = sorted(later - at for (at, _), (later, _) in pairwise(points) if later > at)
    return steps[len(steps) // 2] if steps else 0.0


def pieces(points: Sequence[Point], begin: float, end: float) -> list[list[Point]]:
    """Return the runs between gaps: a gap is a value that is no number, or a pause."""
    timed = sorted((point for point in points if begin <= point[0] <= end), key=lambda point: point[0])
    usual = step(timed)
    found: list[list[Point]] = [[]]
    for at, value in timed:
        if bounded(value) is None:
            found.append([])
            continue
        if found[-1] and at - found[-1][-1][0] > _GAP * usual:
            found.append([])
        found[-1].append((at, value))
    return [run for run in found if run]


def thinned(points: Sequence[Point], columns: int, begin: float, end: float) -> list[Point]:
    """Return the first, lowest, highest and last point of each column of pixels: it looks the same, peaks included."""
    if len(points) <= 2 * columns:
        return list(points)
    width = (end - begin) / columns
    kept: list[Point] = []
    column: list[Point] = []
    number = -1
    for point in points:
        its = int((point[0] - begin) / width)
        if its != number:
            kept += _corners(column)
            column, number = [], its
        column.append(point)
    return kept + _corners(column)


def _corners(column: list[Point]) -> list[Point]:
    if len(column) <= 4:
        return column
    low = min(range(len(column)), key=lambda index: column[index][1])
    high = max(range(len(column)), key=lambda index: column[index][1])
    return [column[index] for index in sorted({0, low, high, len(column) - 1})]
