"""When a signal left its place: the first point from which it breaks its objective, or stands outside of the hours
before. Pure, and simple enough to be checked with a ruler on the chart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from bot.explaining.facts import Kind

Point = tuple[float, float]
"""`(seconds since 1970, value)`."""

TIMES = 2.0
"""Outside: more than this many times what 19 of 20 points of the hours before did not reach. For traffic also below
a third of what 19 of 20 did reach."""
LEAST: dict[Kind, float] = {"errors": 0.01, "latency": 0.05, "saturation": 0.2, "traffic": 1.0}
"""And by at least so much, in the signal's unit: twice of nearly nothing is nearly nothing."""
BURN, FAILURES = 6.0, 0.02
"""Failures break their objective when they spend its budget so many times too fast (Google SRE Workbook, the slower of
the rates at which somebody is called), and at the latest with such a share beyond it."""
CHANCE = 1.5
"""What breaks its objective without being half as much again as usual does so by chance."""
BASE_POINTS = 10
"""Fewer points of the hours before tell nothing."""
FEWEST = 2
"""One point alone is no move."""
PAUSE = 3
"""A gap longer than so many usual steps ends a stretch: what was in it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which a signal stood elsewhere. Times in seconds since 1970."""

    begin: float
    end: float | None
    """None while it goes on."""
    from_start: bool
    """Whether it stood there at the first point already."""
    before: float | None
    """Median of the points before, at most as many as there are in the first half; None where there is none."""
    worst: float
    breaks_objective: bool
    up: bool


def moved(points: Iterable[Point], objective: float | None, kind: Kind) -> Stretch | None:
    """Return the latest stretch in which the signal broke its objective or stood outside of the hours before; where
    both overlap, it began with the first of them. None where it did not move."""
    known = _known(points)
    if len(known) < FEWEST:
        return None
    broken = _broken(known, _limit(objective, kind)) if objective is not None and kind != "traffic" else None
    above, below = _outside(known, kind)
    unusual = [span for span in (_latest(known, above), _latest(known, below)) if span is not None]
    spans = [*([broken] if broken else []), *unusual]
    if not spans:
        return None
    first, last = max(spans, key=lambda span: span[1])
    joined = [span for span in spans if span[1] >= first]
    first = min(span[0] for span in joined)
    inside = [value for _, value in known[first : last + 1]]
    usual = [value for _, value in known[:first]]
    low = broken is None and min(inside) < median(usual or inside) and not any(above(value) for value in inside)
    return Stretch(
        begin=known[first][0],
        end=known[last + 1][0] if last + FEWEST < len(known) else None,
        from_start=first == 0,
        before=median(usual[-max(len(known) // 2, 1) :]) if usual else None,
        worst=min(inside) if low else max(inside),
        breaks_objective=broken is not None and broken[1] >= first,
        up=not low,
    )


def _known(points: Iterable[Point]) -> list[Point]:
    """Return the points that say something, oldest first, one for each time. No signal is below zero: what is, comes
    of a counter that was reset."""
    found = {at: value for at, value in points if math.isfinite(at) and math.isfinite(value) and value >= 0}
    return sorted(found.items())


def _outside(known: Sequence[Point], kind: Kind) -> tuple[Callable[[float], bool], Callable[[float], bool]]:
    """Return what is far above, and what is far below, the first half of the time."""
    middle = (known[0][0] + known[-1][0]) / 2
    base = sorted(value for at, value in known if at <= middle)
    if len(base) < BASE_POINTS:
        return _never, _never
    high, low = base[-1 - len(base) // 20], base[len(base) // 20]
    most = max(TIMES * high, high + LEAST[kind])
    least = low / 3
    if kind != "traffic" or low < LEAST[kind]:
        return lambda value: value > most, _never
    return lambda value: value > most, lambda value: value < least


def _limit(objective: float, kind: Kind) -> float:
    """Return from where on the objective is broken. One for failures is meant over weeks: within minutes a single
    failed request may exceed it, and says nothing."""
    return min(BURN * objective, objective + FAILURES) if kind == "errors" else objective


def _broken(known: Sequence[Point], objective: float) -> tuple[int, int] | None:
    """Return the latest stretch above the objective. What always stands close to it crosses it by chance: that is no
    move."""
    found = _latest(known, lambda value: value > objective)
    if found is None or found[0] == 0:
        return found
    usual = median(value for _, value in known[: found[0]])
    worst = max(value for _, value in known[found[0] : found[1] + 1])
    return found if worst >= CHANCE * usual else None


def _never(_: float) -> bool:
    return False


def _latest(known: Sequence[Point], is_out: Callable[[float], bool]) -> tuple[int, int] | None:
    """Return the first and the last place of the latest stretch. One point that is in between does not end it, two
    do, and so does a long pause."""
    usual = median(after[0] - before[0] for before, after in pairwise(known))
    last = len(known) - 1
    while last >= 0:
        if not is_out(known[last][1]):
            last -= 1
            continue
        first, hits, place = last, 1, last
        while place > 0 and known[place][0] - known[place - 1][0] <= PAUSE * usual:
            place -= 1
            if is_out(known[place][1]):
                first, hits = place, hits + 1
            elif first - place >= FEWEST:
                break
        if hits >= FEWEST:
            return first, last
        last = first - 1
    return None
