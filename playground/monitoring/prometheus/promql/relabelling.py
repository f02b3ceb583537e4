"""`label_replace`, `label_join`, and the labels of what is absent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from playground.monitoring.prometheus.labels import NAME, Labels, Matcher, labelled, value_of
from playground.monitoring.prometheus.promql.errors import Unevaluable
from playground.monitoring.prometheus.promql.model import Evaluate, Vector, unique

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
REFERENCE = re.compile(r"\$(?:\$|(?P<bare>\w+)|\{(?P<braced>\w+)\})", re.ASCII)


def label_replace(inner: Evaluate, target: str, replacement: str, source: str, expression: str) -> Evaluate:
    try:
        pattern = re.compile(expression, re.ASCII)
    except re.error:
        raise Unevaluable(f"invalid regular expression in label_replace(): {expression}") from None
    if not LABEL.fullmatch(target):
        raise Unevaluable(f"invalid destination label name in label_replace(): {target}")

    def evaluate(moment: int) -> Vector:
        found: Vector = []
        for labels, value in inner(moment):
            match = pattern.fullmatch(value_of(labels, source))
            if match is None:
                found.append((labels, value))
            else:
                found.append((labelled(dict(labels) | {target: _expanded(replacement, match)}), value))
        return unique(found)

    return evaluate


def _expanded(template: str, match: re.Match[str]) -> str:
    """Fill `$1`, `${1}` and `${name}` in; what was not caught is empty."""

    def fill(reference: re.Match[str]) -> str:
        name = reference["bare"] or reference["braced"]
        if name is None:
            return "$"
        try:
            return match[int(name) if name.isdecimal() else name] or ""
        except IndexError:
            return ""

    return REFERENCE.sub(fill, template)


def label_join(inner: Evaluate, target: str, separator: str, sources: Sequence[str]) -> Evaluate:
    if not LABEL.fullmatch(target):
        raise Unevaluable(f"invalid destination label name in label_join(): {target}")

    def evaluate(moment: int) -> Vector:
        found: Vector = []
        for labels, value in inner(moment):
            joined = separator.join(value_of(labels, source) for source in sources)
            found.append((labelled(dict(labels) | {target: joined}), value))
        return unique(found)

    return evaluate


def absent_labels(matchers: Sequence[Matcher]) -> Labels:
    """Return what can be said of a series that is not there: the labels that it must have had."""
    named = Counter(one.name for one in matchers)
    sure = [one for one in matchers if one.operator == "=" and named[one.name] == 1 and one.name != NAME]
    return labelled({one.name: one.value for one in sure})
