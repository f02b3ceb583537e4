"""A line of signs where a picture cannot go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from bot.charts.model import Point

_SIGNS = "▁▂▃▄▅▆▇█"
_GAP = "·"
LONGEST = 24
"""Signs: what fits beside a name on a phone."""


def sparkline(points: Sequence[Point], *, width: int = LONGEST) -> str:
    """Return the course of a signal as signs from ▁ (its lowest) to █ (its highest), oldest first; · is a gap.

    More points than signs: each sign is the highest of its share, because that is what people look for. A flat course
    stands in the middle. Nothing to show: an empty text. It says nothing to whoever does not see it, so put the
    numbers beside it.
    """
    values = [value if math.isfinite(value) else None for _, value in points]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(_sign(value, low, high) for value in _shares(values, width))


def _shares(values: list[float | None], width: int) -> list[float | None]:
    count = min(len(values), max(width, 1))
    edges = [len(values) * number // count for number in range(count + 1)]
    shares = [values[begin:end] for begin, end in pairwise(edges)]
    return [max((value for value in share if value is not None), default=None) for share in shares]


def _sign(value: float | None, low: float, high: float) -> str:
    if value is None:
        return _GAP
    if high == low:
        return _SIGNS[len(_SIGNS) // 2 - 1]
    share = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves: the distance itself may be beyond all floats
    return _SIGNS[max(0, min(int(share * len(_SIGNS)), len(_SIGNS) - 1))]
