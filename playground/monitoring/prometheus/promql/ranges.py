"""Functions over a range: rates with Prometheus' extrapolation, and what is computed of every sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from playground.monitoring.prometheus.labels import unnamed
from playground.monitoring.prometheus.promql.model import Evaluate, Number, Ranged, Vector, unique
from playground.monitoring.prometheus.promql.numbers import quantile, variance
from playground.monitoring.prometheus.samples import Edges

EDGE = 1.1
"""A series begins or ends within the window where its end lies further away than that many average distances."""
Over = Callable[[Sequence[float]], float]


def extrapolated(edges: Edges, begin: int, end: int, *, counter: bool, per_second: bool) -> float | None:
    """Return the increase between the ends of a window, as if samples lay on its ends; None for a single sample.

    A series that seems to begin or end within the window is stretched by half a distance only, and a counter never
    below zero. Times in milliseconds.
    """
    if edges.count < 2 or edges.last == edges.first:
        return None
    increase = edges.last_value - edges.first_value + (edges.lost if counter else 0.0)
    to_begin, to_end = (edges.first - begin) / 1000, (end - edges.last) / 1000
    sampled = (edges.last - edges.first) / 1000
    average = sampled / (edges.count - 1)
    if counter and increase > 0 and edges.first_value >= 0:
        to_begin = min(to_begin, sampled * (edges.first_value / increase))
    covered = sampled
    covered += to_begin if to_begin < average * EDGE else average / 2
    covered += to_end if to_end < average * EDGE else average / 2
    factor = covered / sampled
    if per_second:
        factor /= (end - begin) / 1000
    return increase * factor


def rates(ranged: Ranged, *, counter: bool, per_second: bool) -> Evaluate:
    def evaluate(moment: int) -> Vector:
        end = ranged.offset(moment)
        found: Vector = []
        for window in ranged.windows(moment):
            edges = window.edges()
            if edges is None:
                continue
            value = extrapolated(edges, end - ranged.span, end, counter=counter, per_second=per_second)
            if value is not None:
                found.append((unnamed(window.labels), value))
        return unique(found)

    return evaluate


def instant_change(ranged: Ranged, *, per_second: bool) -> Evaluate:
    """`irate` and `idelta`: the last two samples."""

    def evaluate(moment: int) -> Vector:
        found: Vector = []
        for window in ranged.windows(moment):
            times, values = window.samples()
            if len(times) < 2 or times[-1] == times[-2]:
                continue
            before, after = values[-2], values[-1]
            change = after if per_second and after < before else after - before
            found.append((unnamed(window.labels), change / ((times[-1] - times[-2]) / 1000) if per_second else change))
        return unique(found)

    return evaluate


def over_time(ranged: Ranged, compute: Over, *, keeps_name: bool = False) -> Evaluate:
    def evaluate(moment: int) -> Vector:
        found: Vector = []
        for window in ranged.windows(moment):
            _, values = window.samples()
            if values:
                labels = window.labels if keeps_name else unnamed(window.labels)
                found.append((labels, compute(values)))
        return unique(found)

    return evaluate


def quantile_over_time(share: Number, ranged: Ranged) -> Evaluate:
    def evaluate(moment: int) -> Vector:
        wanted = share(moment)
        return over_time(ranged, lambda values: quantile(wanted, values))(moment)

    return evaluate


def trend(ranged: Ranged, ahead: Number | None) -> Evaluate:
    """`deriv` (no `ahead`) and `predict_linear`: the line through all samples by least squares."""

    def evaluate(moment: int) -> Vector:
        found: Vector = []
        for window in ranged.windows(moment):
            times, values = window.samples()
            if len(times) < 2:
                continue
            slope, intercept = line(times, values, times[0] if ahead is None else moment)
            value = slope if ahead is None else slope * ahead(moment) + intercept
            found.append((unnamed(window.labels), value))
        return unique(found)

    return evaluate


def line(times: Sequence[int], values: Sequence[float], origin: int) -> tuple[float, float]:
    """Return slope per second and value at `origin`."""
    if all(value == values[0] for value in values):
        return (math.nan, math.nan) if math.isinf(values[0]) else (0.0, values[0])
    xs = [(time - origin) / 1000 for time in times]
    n = len(xs)
    mean_x, mean_y = sum(xs) / n, sum(values) / n
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, values, strict=True))
    slope = covariance / sum((x - mean_x) ** 2 for x in xs)
    return slope, mean_y - slope * mean_x


def average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def greatest(values: Sequence[float]) -> float:
    found = values[0]
    for value in values:
        if value > found or math.isnan(found):
            found = value
    return found


def least(values: Sequence[float]) -> float:
    found = values[0]
    for value in values:
        if value < found or math.isnan(found):
            found = value
    return found


def changes(values: Sequence[float]) -> float:
    pairs = itertools.pairwise(values)
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairs))


def resets(values: Sequence[float]) -> float:
    return float(sum(after < before for before, after in itertools.pairwise(values)))


OVER: dict[str, Over] = {
    "avg_over_time": average,
    "sum_over_time": math.fsum,
    "min_over_time": least,
    "max_over_time": greatest,
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: values[-1],
    "present_over_time": lambda values: 1.0,
    "stddev_over_time": lambda values: math.sqrt(variance(values)),
    "stdvar_over_time": variance,
    "changes": changes,
    "resets": resets,
}
