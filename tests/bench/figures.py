"""One figure of the benchmark: its value, its spread over the runs, and what it is held against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal, TypedDict


class Figure(TypedDict, total=False):
    name: str
    value: float
    unit: str
    goal: float | None
    better: Literal["lower", "higher"]
    against: str
    spread: list[float]


def figure(
    name: str,
    runs: Sequence[float],
    unit: str,
    *,
    better: Literal["lower", "higher"],
    goal: float | None = None,
    against: str = "",
) -> Figure:
    """Return the median of `runs` with their smallest and largest value beside it."""
    return {
        "name": name,
        "value": round(statistics.median(runs), 4),
        "unit": unit,
        "goal": goal,
        "better": better,
        "against": against,
        "spread": [round(min(runs), 4), round(max(runs), 4)],
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of `values` lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
