"""Selectors, ranges and subqueries: what is read from the series, and as of when."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as parser

from playground.monitoring.prometheus.labels import NAME, Labels, Matcher
from playground.monitoring.prometheus.promql.errors import BadQuery
from playground.monitoring.prometheus.promql.model import Budget, Evaluate, Ranged, Storage, Vector
from playground.monitoring.prometheus.samples import Edges, Samples, Series

OPERATORS = (
    (parser.MatchOp.Equal, "="),
    (parser.MatchOp.NotEqual, "!="),
    (parser.MatchOp.Re, "=~"),
    (parser.MatchOp.NotRe, "!~"),
)  # no mapping: the parser's own words are no keys
Moved = Callable[[int], int]
"""From the moment of evaluation to the moment that is meant."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a query is evaluated against."""

    storage: Storage
    begin: int
    end: int
    """First and last moment of the query, for `@ start()` and `@ end()`."""
    budget: Budget
    step: int
    """Milliseconds between the evaluations of a subquery that does not say."""


def matchers_of(selector: parser.VectorSelector) -> list[Matcher]:
    if selector.matchers.or_matchers:
        raise BadQuery("alternatives in a selector (`or` between matchers) are not supported here")
    found = [Matcher(one.name, _operator(one.op), one.value) for one in selector.matchers.matchers]
    if selector.name:
        found.append(Matcher(NAME, "=", selector.name))
    return found


def _operator(found: parser.MatchOp) -> str:
    return next(sign for operator, sign in OPERATORS if operator == found)


def milliseconds(span: timedelta | None) -> int:
    return round(span.total_seconds() * 1000) if span else 0


def moved(node: Any, frame: Frame) -> Moved:
    """Read `@` and `offset` of a selector or subquery."""
    offset = milliseconds(node.offset)
    fixed = _fixed(node.at, frame)
    if fixed is not None:
        return lambda moment: fixed - offset
    return (lambda moment: moment - offset) if offset else (lambda moment: moment)


def _fixed(at: parser.AtModifier | None, frame: Frame) -> int | None:
    if at is None:
        return None
    frame.budget.once = True
    if at.type == parser.AtModifierType.Start:
        return frame.begin
    if at.type == parser.AtModifierType.End:
        return frame.end
    if at.at is None:  # pragma: no cover - the parser gives a time with this kind
        raise BadQuery("`@` needs a time")
    return round(at.at.timestamp() * 1000)


def selected(selector: parser.VectorSelector, frame: Frame) -> Sequence[Series]:
    try:
        return frame.storage.select(matchers_of(selector))
    except re.error as error:
        raise BadQuery(f"this expression is not supported here: {error}") from None


def vector_selector(selector: parser.VectorSelector, frame: Frame) -> Evaluate:
    series, move, budget = selected(selector, frame), moved(selector, frame), frame.budget

    def evaluate(moment: int) -> Vector:
        when = move(moment)
        budget.spend(len(series))
        return [(one.labels, found[1]) for one in series if (found := one.at(when)) is not None]

    return evaluate


def timestamps(selector: parser.VectorSelector, frame: Frame) -> Evaluate:
    """When the samples were scraped, rather than what they are."""
    series, move = selected(selector, frame), moved(selector, frame)

    def evaluate(moment: int) -> Vector:
        when = move(moment)
        return [(one.labels, found[0] / 1000) for one in series if (found := one.at(when)) is not None]

    return evaluate


@dataclass(slots=True)
class SeriesWindow:
    series: Series
    begin: int
    end: int
    budget: Budget

    @property
    def labels(self) -> Labels:
        return self.series.labels

    def samples(self) -> Samples:
        self.budget.spend(self.series.count(self.begin, self.end))
        return self.series.window(self.begin, self.end)

    def edges(self) -> Edges | None:
        self.budget.spend(2)
        return self.series.edges(self.begin, self.end)


@dataclass(slots=True)
class Assembled:
    """What a subquery has found for one set of labels."""

    labels: Labels
    times: list[int]
    values: list[float]

    def samples(self) -> Samples:
        return self.times, self.values

    def edges(self) -> Edges | None:
        pairs = zip(self.values, self.values[1:], strict=False)
        lost = sum(before for before, after in pairs if after < before)
        times, values = self.times, self.values
        return Edges(times[0], values[0], times[-1], values[-1], len(times), lost)


def matrix_selector(matrix: parser.MatrixSelector, frame: Frame) -> Ranged:
    selector = matrix.vector_selector
    series, move, span = selected(selector, frame), moved(selector, frame), milliseconds(matrix.range)

    def windows(moment: int) -> list[SeriesWindow]:
        end = move(moment)
        return [SeriesWindow(one, end - span, end, frame.budget) for one in series]

    return Ranged(windows, span, move)


def subquery(node: parser.SubqueryExpr, inner: Evaluate, frame: Frame) -> Ranged:
    """Evaluate `inner` at every multiple of the step within the range, whatever the moment is."""
    move, span, step = moved(node, frame), milliseconds(node.range), milliseconds(node.step) or frame.step
    seen: dict[int, Vector] = {}
    frame.budget.once = True

    def windows(moment: int) -> list[Assembled]:
        end = move(moment)
        found: dict[Labels, Assembled] = {}
        for time in range(-((span - end) // step) * step, end + 1, step):
            if time not in seen:
                seen[time] = inner(time)
            for labels, value in seen[time]:
                one = found.setdefault(labels, Assembled(labels, [], []))
                one.times.append(time)
                one.values.append(value)
        frame.budget.spend(sum(len(one.times) for one in found.values()))
        return list(found.values())

    return Ranged(windows, span, move)
