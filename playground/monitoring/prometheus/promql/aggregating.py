"""Aggregations: many values become one for each group."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from playground.monitoring.prometheus.labels import EMPTY, NAME, Labels, labelled, only, without
from playground.monitoring.prometheus.promql.errors import Unevaluable
from playground.monitoring.prometheus.promql.model import Evaluate, Number, Vector
from playground.monitoring.prometheus.promql.numbers import plain, quantile, variance
from playground.monitoring.prometheus.promql.ranges import average, greatest, least

Group = Callable[[Labels], Labels]
Fold = Callable[[Sequence[float]], float]
SIMPLE: dict[str, Fold] = {
    "sum": sum,
    "avg": average,
    "min": least,
    "max": greatest,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,
    "stddev": lambda values: math.sqrt(variance(values)),
    "stdvar": variance,
}
LARGEST = 2**63


def grouping(names: Sequence[str] | None, *, by: bool) -> Group:
    """`names` is None where nothing was said: everything is one group."""
    if names is None:
        return lambda labels: EMPTY
    if by:
        kept = frozenset(names)
        return lambda labels: only(labels, kept)
    dropped = frozenset({*names, NAME})
    return lambda labels: without(labels, dropped)


def aggregate(name: str, inner: Evaluate, group: Group) -> Evaluate:
    fold = SIMPLE[name]

    def evaluate(moment: int) -> Vector:
        groups: dict[Labels, list[float]] = {}
        for labels, value in inner(moment):
            groups.setdefault(group(labels), []).append(value)
        return [(labels, fold(values)) for labels, values in groups.items()]

    return evaluate


def aggregate_quantile(share: Number, inner: Evaluate, group: Group) -> Evaluate:
    def evaluate(moment: int) -> Vector:
        wanted = share(moment)
        groups: dict[Labels, list[float]] = {}
        for labels, value in inner(moment):
            groups.setdefault(group(labels), []).append(value)
        return [(labels, quantile(wanted, values)) for labels, values in groups.items()]

    return evaluate


def extremes(inner: Evaluate, group: Group, wanted: Number, *, top: bool) -> Evaluate:
    """`topk` and `bottomk`: whole elements, the most extreme first. NaN comes last."""

    def evaluate(moment: int) -> Vector:
        count = _count(wanted(moment))
        if count < 1:
            return []
        groups: dict[Labels, Vector] = {}
        for labels, value in inner(moment):
            groups.setdefault(group(labels), []).append((labels, value))
        found: Vector = []
        for members in groups.values():
            found += sorted(members, key=lambda one: _rank(one[1], top=top))[:count]
        return found

    return evaluate


def _rank(value: float, *, top: bool) -> tuple[bool, float]:
    return math.isnan(value), 0.0 if math.isnan(value) else -value if top else value


def _count(value: float) -> int:
    if math.isnan(value) or abs(value) >= LARGEST:
        raise Unevaluable(f"Scalar value {plain(value)} overflows int64")
    return int(value)


def count_values(label: str, inner: Evaluate, group: Group) -> Evaluate:
    def evaluate(moment: int) -> Vector:
        counts: dict[Labels, float] = {}
        for labels, value in inner(moment):
            key = labelled(dict(group(labels)) | {label: plain(value)})
            counts[key] = counts.get(key, 0.0) + 1.0
        return list(counts.items())

    return evaluate
