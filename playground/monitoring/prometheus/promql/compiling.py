"""From the text of a query to a function of the moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import promql_parser as parser

from playground.monitoring.prometheus.labels import NAME, unnamed
from playground.monitoring.prometheus.promql import aggregating, matching
from playground.monitoring.prometheus.promql.errors import BadQuery
from playground.monitoring.prometheus.promql.functions import call
from playground.monitoring.prometheus.promql.model import Budget, Evaluate, Number, Query, Storage, Vector, unique
from playground.monitoring.prometheus.promql.selecting import Frame, matrix_selector, subquery, vector_selector

SUBQUERY_STEP = 60_000
"""Milliseconds: the global evaluation interval, which a subquery without a step is evaluated at."""
DEEPEST = 200
"""How many expressions may stand in one another."""


@lru_cache(maxsize=2048)
def parsed(text: str) -> parser.Expr:
    """Read a query. Raise `BadQuery` with what is wrong with it."""
    if text.count("(") > DEEPEST:
        raise BadQuery("the expression is nested too deeply")
    try:
        return parser.parse(text)
    except ValueError as error:
        raise BadQuery(f"parse error: {error}") from None


def compiled(text: str, storage: Storage, begin: int, end: int) -> Query:
    """Make a query ready to be evaluated from `begin` to `end`, in milliseconds since 1970.

    Raise `BadQuery` for what cannot be read or is not supported.
    """
    budget = Budget()
    return replace(Compiler(Frame(storage, begin, end, budget, SUBQUERY_STEP)).query(parsed(text)), budget=budget)


class Compiler:
    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def query(self, node: Any) -> Query:
        while isinstance(node, parser.ParenExpr):
            node = node.expr
        match node:
            case parser.NumberLiteral():
                value = node.val
                return Query("scalar", scalar=lambda _: value)
            case parser.StringLiteral():
                return Query("string", string=node.val)
            case parser.VectorSelector():
                return Query("vector", vector=vector_selector(node, self.frame))
            case parser.MatrixSelector():
                return Query("matrix", matrix=matrix_selector(node, self.frame))
            case parser.SubqueryExpr():
                return Query("matrix", matrix=subquery(node, self.vector(node.expr), self.frame))
            case parser.Call():
                return call(node.func.name, node.args, self)
            case parser.AggregateExpr():
                return Query("vector", vector=self._aggregation(node))
            case parser.BinaryExpr():
                return self._binary(node)
            case parser.UnaryExpr():
                return self._negated(node)
        raise BadQuery(f"{type(node).__name__} is not supported here")

    def vector(self, node: Any) -> Evaluate:
        """Compile what has to be a vector; a number becomes one without labels."""
        found = self.query(node)
        if found.vector is not None:
            return found.vector
        scalar = found.scalar
        if scalar is None:
            raise BadQuery(f"expected type instant vector, got {found.kind}")
        return lambda moment: [((), scalar(moment))]

    def scalar(self, node: Any) -> Number:
        found = self.query(node)
        if found.scalar is None:
            raise BadQuery(f"expected type scalar, got {found.kind}")
        return found.scalar

    def string(self, node: Any) -> str:
        found = self.query(node)
        if found.kind != "string":
            raise BadQuery(f"expected type string, got {found.kind}")
        return found.string

    def _negated(self, node: parser.UnaryExpr) -> Query:
        found = self.query(node.expr)
        if found.scalar is not None:
            scalar = found.scalar
            return Query("scalar", scalar=lambda moment: -scalar(moment))
        vector = self.vector(node.expr)

        def evaluate(moment: int) -> Vector:
            return unique([(unnamed(labels), -value) for labels, value in vector(moment)])

        return Query("vector", vector=evaluate)

    def _aggregation(self, node: parser.AggregateExpr) -> Evaluate:
        name, inner = str(node.op), self.vector(node.expr)
        labels = node.modifier.labels if node.modifier else None
        by = node.modifier is not None and node.modifier.type == parser.AggModifierType.By
        group = aggregating.grouping(labels, by=by)
        if name in aggregating.SIMPLE:
            return aggregating.aggregate(name, inner, group)
        if name in {"topk", "bottomk"}:
            return aggregating.extremes(inner, group, self.scalar(node.param), top=name == "topk")
        if name == "quantile":
            return aggregating.aggregate_quantile(self.scalar(node.param), inner, group)
        if name == "count_values":
            return aggregating.count_values(self.string(node.param), inner, group)
        raise BadQuery(f"the aggregation {name} is not supported here")

    def _binary(self, node: parser.BinaryExpr) -> Query:
        name, left, right = str(node.op), self.query(node.lhs), self.query(node.rhs)
        wants_bool = bool(node.modifier and node.modifier.return_bool)
        if name not in {*matching.ARITHMETIC, *matching.COMPARISONS, *matching.SETS}:
            raise BadQuery(f"the operator {name} is not supported here")
        operation = matching.Operation(name, wants_bool)
        if left.scalar is not None and right.scalar is not None:
            return Query("scalar", scalar=matching.numbers(operation, left.scalar, right.scalar))
        if left.vector is not None and right.vector is not None:
            return Query("vector", vector=_vectors(operation, left.vector, right.vector, _rules(node)))
        vector, number = (right.vector, left.scalar) if right.vector is not None else (left.vector, right.scalar)
        if vector is None or number is None:
            raise BadQuery("binary expression must contain only scalar and instant vector types")
        swapped = left.scalar is not None
        return Query("vector", vector=matching.with_number(operation, vector, number, swapped=swapped))


def _vectors(operation: matching.Operation, left: Evaluate, right: Evaluate, rules: matching.Matching) -> Evaluate:
    if operation.name in matching.SETS:
        return matching.together(operation.name, left, right, rules)
    return matching.between(operation, left, right, rules)


def _rules(node: parser.BinaryExpr) -> matching.Matching:
    modifier = node.modifier
    if modifier is None:
        return matching.Matching(on=False, labels=frozenset())
    if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
        raise BadQuery("filling in for what has no match is not supported here")
    found = modifier.matching
    included: Sequence[str] = modifier.group_labels or ()
    return matching.Matching(
        on=found is not None and found.type == parser.LabelModifierType.Include,
        labels=frozenset(found.labels if found is not None else ()),
        many=_many(modifier.card),
        included=[label for label in included if label != NAME],
    )


def _many(found: parser.VectorMatchCardinality) -> str:
    if found == parser.VectorMatchCardinality.ManyToOne:
        return "left"
    return "right" if found == parser.VectorMatchCardinality.OneToMany else ""
