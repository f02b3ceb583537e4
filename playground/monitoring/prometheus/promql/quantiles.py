"""`histogram_quantile`: a quantile out of counts below bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.monitoring.prometheus.labels import NAME, Labels, value_of, without
from playground.monitoring.prometheus.promql.model import Vector

BOUND = "le"
Bucket = tuple[float, float]
"""Upper bound and the count of everything up to it."""


def histogram_quantile(share: float, vector: Vector) -> Vector:
    groups: dict[Labels, list[Bucket]] = {}
    for labels, count in vector:
        try:
            bound = float(value_of(labels, BOUND))
        except ValueError:
            continue
        groups.setdefault(without(labels, (NAME, BOUND)), []).append((bound, count))
    return [(labels, bucket_quantile(share, buckets)) for labels, buckets in groups.items()]


def bucket_quantile(share: float, buckets: Sequence[Bucket]) -> float:
    """Return the quantile, linear within its bucket; NaN where nothing was observed, and the last finite bound for
    what lies beyond it."""
    if math.isnan(share):
        return math.nan
    if share < 0 or share > 1:
        return math.copysign(math.inf, share)
    bounds = _monotonic(sorted(buckets, key=lambda bucket: bucket[0]))
    if len(bounds) < 2 or bounds[-1][0] != math.inf:
        return math.nan
    total = bounds[-1][1]
    if total == 0 or math.isnan(total):
        return math.nan
    rank = share * total
    index = next((i for i, (_, count) in enumerate(bounds[:-1]) if count >= rank), len(bounds) - 1)
    if index == len(bounds) - 1:
        return bounds[-2][0]
    bound, count = bounds[index]
    if index == 0 and bound <= 0:
        return bound
    below, counted = bounds[index - 1] if index else (0.0, 0.0)
    inside = count - counted
    return below + (bound - below) * ((rank - counted) / inside) if inside else math.nan


def _monotonic(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Add up what has one bound, and let no count be below the one before it: rates of neighbours may differ so."""
    found: list[Bucket] = []
    for bound, count in buckets:
        if found and found[-1][0] == bound:
            found[-1] = bound, found[-1][1] + count
        else:
            found.append((bound, count))
    highest = -math.inf
    for index, (bound, count) in enumerate(found):
        highest = max(highest, count)
        found[index] = bound, highest
    return found
