"""PromQL's functions by name."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import promql_parser as parser

from playground.monitoring.prometheus.labels import unnamed
from playground.monitoring.prometheus.promql import ranges
from playground.monitoring.prometheus.promql.errors import BadQuery
from playground.monitoring.prometheus.promql.model import Evaluate, Number, Query, Ranged, Vector, unique
from playground.monitoring.prometheus.promql.numbers import guarded, logarithm, rounded, sign, whole
from playground.monitoring.prometheus.promql.quantiles import histogram_quantile
from playground.monitoring.prometheus.promql.relabelling import absent_labels, label_join, label_replace
from playground.monitoring.prometheus.promql.selecting import Frame, matchers_of, timestamps

Simple = Callable[[float], float]


class Compiling(Protocol):
    frame: Frame

    def query(self, node: Any) -> Query: ...
    def vector(self, node: Any) -> Evaluate: ...
    def scalar(self, node: Any) -> Number: ...
    def string(self, node: Any) -> str: ...


EACH: dict[str, Simple] = {
    "abs": abs,
    "ceil": whole(math.ceil),
    "floor": whole(math.floor),
    "exp": guarded(math.exp),
    "sqrt": guarded(math.sqrt),
    "ln": logarithm(math.log),
    "log2": logarithm(math.log2),
    "log10": logarithm(math.log10),
    "sgn": sign,
    "sin": guarded(math.sin),
    "cos": guarded(math.cos),
    "tan": guarded(math.tan),
    "deg": math.degrees,
    "rad": math.radians,
}
CALENDAR: dict[str, Callable[[datetime], int]] = {
    "minute": lambda when: when.minute,
    "hour": lambda when: when.hour,
    "day_of_week": lambda when: when.isoweekday() % 7,
    "day_of_month": lambda when: when.day,
    "day_of_year": lambda when: when.timetuple().tm_yday,
    "days_in_month": lambda when: monthrange(when.year, when.month)[1],
    "month": lambda when: when.month,
    "year": lambda when: when.year,
}


RATES = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
"""Whether it is of a counter, and per second."""


def call(name: str, args: Sequence[Any], compiler: Compiling) -> Query:
    """Compile a call. Raise `BadQuery` for a function that is not known here."""
    for kind in (_numbers, _elementwise, _of_ranges, _of_vectors, _of_labels):
        found = kind(name, args, compiler)
        if found is not None:
            return found
    raise BadQuery(f"the function {name}() is not supported here")


def _numbers(name: str, args: Sequence[Any], compiler: Compiling) -> Query | None:
    if name == "time":
        return Query("scalar", scalar=lambda moment: moment / 1000)
    if name == "pi":
        return Query("scalar", scalar=lambda _: math.pi)
    if name == "vector":
        number = compiler.scalar(args[0])
        return Query("vector", vector=lambda moment: [((), number(moment))])
    if name == "scalar":
        vector = compiler.vector(args[0])

        def one(moment: int) -> float:
            found = vector(moment)
            return found[0][1] if len(found) == 1 else math.nan

        return Query("scalar", scalar=one)
    return None


def _elementwise(name: str, args: Sequence[Any], compiler: Compiling) -> Query | None:
    if name in EACH:
        return _each(EACH[name], compiler.vector(args[0]))
    if name in CALENDAR:
        inner = compiler.vector(args[0]) if args else _now
        return _each(lambda value: _calendar(value, CALENDAR[name]), inner)
    if name in {"clamp", "clamp_min", "clamp_max", "round"}:
        return _bounded(name, args, compiler)
    return None


def _now(moment: int) -> Vector:
    return [((), moment / 1000)]


def _each(compute: Simple, inner: Evaluate) -> Query:
    def evaluate(moment: int) -> Vector:
        return unique([(unnamed(labels), compute(value)) for labels, value in inner(moment)])

    return Query("vector", vector=evaluate)


def _calendar(seconds: float, part: Callable[[datetime], int]) -> float:
    if math.isnan(seconds) or math.isinf(seconds):
        return math.nan
    return float(part(datetime.fromtimestamp(math.floor(seconds), UTC)))


def _bounded(name: str, args: Sequence[Any], compiler: Compiling) -> Query:
    inner = compiler.vector(args[0])
    bounds = [compiler.scalar(arg) for arg in args[1:]]

    def evaluate(moment: int) -> Vector:
        given = [bound(moment) for bound in bounds]
        if name == "round":
            to = given[0] if given else 1.0
            return unique([(unnamed(labels), rounded(value, to)) for labels, value in inner(moment)])
        low = given[0] if name != "clamp_max" else -math.inf
        high = given[-1] if name != "clamp_min" else math.inf
        if low > high:
            return []
        return unique([(unnamed(labels), _clamped(value, low, high)) for labels, value in inner(moment)])

    return Query("vector", vector=evaluate)


def _clamped(value: float, low: float, high: float) -> float:
    if math.isnan(value) or math.isnan(low) or math.isnan(high):
        return math.nan
    return max(low, min(high, value))


def _of_ranges(name: str, args: Sequence[Any], compiler: Compiling) -> Query | None:
    if name in RATES:
        counter, per_second = RATES[name]
        return _vector(ranges.rates(_range(args[0], compiler), counter=counter, per_second=per_second))
    if name in {"irate", "idelta"}:
        return _vector(ranges.instant_change(_range(args[0], compiler), per_second=name == "irate"))
    if name in ranges.OVER:
        keeps = name == "last_over_time"
        return _vector(ranges.over_time(_range(args[0], compiler), ranges.OVER[name], keeps_name=keeps))
    if name == "quantile_over_time":
        return _vector(ranges.quantile_over_time(compiler.scalar(args[0]), _range(args[1], compiler)))
    if name in {"deriv", "predict_linear"}:
        ahead = compiler.scalar(args[1]) if name == "predict_linear" else None
        return _vector(ranges.trend(_range(args[0], compiler), ahead))
    return None


def _of_vectors(name: str, args: Sequence[Any], compiler: Compiling) -> Query | None:
    if name == "histogram_quantile":
        share, inner = compiler.scalar(args[0]), compiler.vector(args[1])
        return _vector(lambda moment: histogram_quantile(share(moment), inner(moment)))
    if name in {"sort", "sort_desc"}:
        inner, down = compiler.vector(args[0]), name == "sort_desc"
        return _vector(lambda moment: sorted(inner(moment), key=lambda one: _order(one[1], down=down)))
    if name == "timestamp":
        node = _bare(args[0])
        if isinstance(node, parser.VectorSelector):
            stamps = timestamps(node, compiler.frame)
            return _vector(lambda moment: unique([(unnamed(labels), at) for labels, at in stamps(moment)]))
        inner = compiler.vector(node)
        return _vector(lambda moment: unique([(unnamed(labels), moment / 1000) for labels, _ in inner(moment)]))
    return None


def _order(value: float, *, down: bool) -> tuple[bool, float]:
    return math.isnan(value), 0.0 if math.isnan(value) else -value if down else value


def _of_labels(name: str, args: Sequence[Any], compiler: Compiling) -> Query | None:
    if name in {"absent", "absent_over_time"}:
        return _vector(_absent(name, args[0], compiler))
    if name == "label_replace":
        target, replacement, source, expression = (compiler.string(arg) for arg in args[1:])
        return _vector(label_replace(compiler.vector(args[0]), target, replacement, source, expression))
    if name == "label_join":
        target, separator, *sources = (compiler.string(arg) for arg in args[1:])
        return _vector(label_join(compiler.vector(args[0]), target, separator, sources))
    return None


def _absent(name: str, arg: Any, compiler: Compiling) -> Evaluate:
    node = _bare(arg)
    selector = node.vector_selector if isinstance(node, parser.MatrixSelector) else node
    labels = absent_labels(matchers_of(selector)) if isinstance(selector, parser.VectorSelector) else ()
    if name == "absent":
        inner = compiler.vector(node)
    else:
        inner = ranges.over_time(_range(node, compiler), lambda _: 1.0, keeps_name=True)
    return lambda moment: [] if inner(moment) else [(labels, 1.0)]


def _bare(node: Any) -> Any:
    while isinstance(node, parser.ParenExpr):
        node = node.expr
    return node


def _range(node: Any, compiler: Compiling) -> Ranged:
    found = compiler.query(node)
    if found.matrix is None:
        raise BadQuery(f"expected type range vector, got {found.kind}")
    return found.matrix


def _vector(evaluate: Evaluate) -> Query:
    return Query("vector", vector=evaluate)
