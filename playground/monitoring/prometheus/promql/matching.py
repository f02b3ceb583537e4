"""Operators between two vectors, or a vector and a number: which value meets which, and what the result is called."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.monitoring.prometheus.labels import EMPTY, NAME, Labels, labelled, only, unnamed, value_of, without
from playground.monitoring.prometheus.promql.errors import Unevaluable
from playground.monitoring.prometheus.promql.model import Evaluate, Number, Vector, shown, unique
from playground.monitoring.prometheus.promql.numbers import divide, modulo, power

Compute = Callable[[float, float], float]
Compare = Callable[[float, float], bool]
ARITHMETIC: dict[str, Compute] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "%": modulo,
    "^": power,
    "atan2": math.atan2,
}
COMPARISONS: dict[str, Compare] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SETS = ("and", "or", "unless")


@dataclass(frozen=True, slots=True)
class Matching:
    """Which labels have to agree, and which side may have several for one of the other."""

    on: bool
    labels: frozenset[str]
    many: str = ""
    """`left` or `right`; empty: one to one."""
    included: Sequence[str] = ()
    """Labels that the many get from the one."""

    def key(self, labels: Labels) -> Labels:
        return only(labels, self.labels) if self.on else without(labels, {*self.labels, NAME})


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    wants_bool: bool

    def value(self, left: float, right: float) -> float | None:
        """Return the result; None where a comparison drops it."""
        if self.name in ARITHMETIC:
            return ARITHMETIC[self.name](left, right)
        holds = COMPARISONS[self.name](left, right)
        if self.wants_bool:
            return 1.0 if holds else 0.0
        return left if holds else None

    @property
    def keeps_name(self) -> bool:
        return self.name not in ARITHMETIC and not self.wants_bool


def numbers(operation: Operation, left: Number, right: Number) -> Number:
    def evaluate(moment: int) -> float:
        value = operation.value(left(moment), right(moment))
        assert value is not None  # noqa: S101 - the parser asks for `bool` here
        return value

    return evaluate


def with_number(operation: Operation, vector: Evaluate, number: Number, *, swapped: bool) -> Evaluate:
    """`swapped`: the number stands on the left. A comparison keeps the vector's value all the same."""
    arithmetic, keeps_name = operation.name in ARITHMETIC, operation.keeps_name

    def evaluate(moment: int) -> Vector:
        other = number(moment)
        found: Vector = []
        for labels, value in vector(moment):
            result = operation.value(other, value) if swapped else operation.value(value, other)
            if result is None:
                continue
            kept = value if swapped and not arithmetic and not operation.wants_bool else result
            found.append((labels if keeps_name else unnamed(labels), kept))
        return found if keeps_name else unique(found)

    return evaluate


def together(name: str, left: Evaluate, right: Evaluate, matching: Matching) -> Evaluate:
    """`and`, `or`, `unless`."""

    def evaluate(moment: int) -> Vector:
        lefts, rights = left(moment), right(moment)
        if name == "or":
            there = {matching.key(labels) for labels, _ in lefts}
            return unique(lefts + [one for one in rights if matching.key(one[0]) not in there])
        there = {matching.key(labels) for labels, _ in rights}
        return [one for one in lefts if (matching.key(one[0]) in there) == (name == "and")]

    return evaluate


def between(operation: Operation, left: Evaluate, right: Evaluate, matching: Matching) -> Evaluate:
    swapped = matching.many == "right"

    def evaluate(moment: int) -> Vector:
        many, one = (right(moment), left(moment)) if swapped else (left(moment), right(moment))
        ones = _by_key(one, matching, side="left" if swapped else "right")
        found: Vector = []
        used: set[tuple[Labels, Labels]] = set()
        for labels, value in many:
            key = matching.key(labels)
            if key not in ones:
                continue
            other, other_value = ones[key]
            result = operation.value(other_value, value) if swapped else operation.value(value, other_value)
            if result is None:
                continue
            named = _named(labels, other, operation, matching)
            _refuse_second(used, (key, named if matching.many else EMPTY), matching)
            found.append((named, result))
        return unique(found)

    return evaluate


def _by_key(vector: Vector, matching: Matching, *, side: str) -> dict[Labels, tuple[Labels, float]]:
    found: dict[Labels, tuple[Labels, float]] = {}
    for labels, value in vector:
        key = matching.key(labels)
        if key in found:
            raise Unevaluable(
                f"found duplicate series for the match group {_group(key)} on the {side} hand-side of the operation: "
                f"[{shown(labels)}, {shown(found[key][0])}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
        found[key] = labels, value
    return found


def _group(key: Labels) -> str:
    return shown(key) or "{}"


def _refuse_second(used: set[tuple[Labels, Labels]], key: tuple[Labels, Labels], matching: Matching) -> None:
    if key in used:
        if matching.many:
            raise Unevaluable("multiple matches for labels: grouping labels must ensure unique matches")
        raise Unevaluable("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
    used.add(key)


def _named(labels: Labels, other: Labels, operation: Operation, matching: Matching) -> Labels:
    kept = labels if operation.name not in ARITHMETIC else unnamed(labels)
    if not matching.many:
        kept = only(kept, matching.labels) if matching.on else without(kept, matching.labels)
    if matching.included:
        pairs = dict(kept) | {name: value_of(other, name) for name in matching.included}
        kept = labelled(pairs)
    return unnamed(kept) if operation.wants_bool else kept
