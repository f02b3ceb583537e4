"""What can be asked, in which language, and with which values. The texts stand in `manifests/queries/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """Its value is the ending of its files."""

    PROMQL = "promql"
    LOGQL = "logql"
    TRACEQL = "traceql"


class Value(StrEnum):
    """How a value is written into the text."""

    TEXT = "text"
    """`str`: in quotes."""
    REGEX = "regex"
    """`Regex`: in quotes."""
    NUMBER = "number"
    SPAN = "span"
    """`timedelta`."""
    BOUND = "bound"
    """Seconds: a regular expression in quotes for the label `le` of a histogram's bucket."""


@dataclass(frozen=True, slots=True)
class Question:
    language: Language
    values: Mapping[str, Value]
    """By name, as `$name` in the text."""
    needs: frozenset[str]
    """Values without which the answer would be about something else."""


_SERVICE = {"namespace": Value.TEXT, "service": Value.TEXT, "range": Value.SPAN}
_PLACE = {"service": Value.TEXT, "environment": Value.TEXT, "range": Value.SPAN}


def _metrics(**more: Value) -> Question:
    return Question(Language.PROMQL, _SERVICE | more, frozenset({"namespace", "service", *more}))


def _lines() -> Question:
    return Question(Language.LOGQL, _SERVICE, frozenset({"namespace", "service"}))


def _traces(**more: Value) -> Question:
    return Question(Language.TRACEQL, _PLACE | more, frozenset({"service", *more}))


QUESTIONS: Mapping[str, Question] = {
    "request_rate": _metrics(),
    "error_ratio": _metrics(),
    "latency_quantile": _metrics(quantile=Value.NUMBER),
    "latency_share": _metrics(below_s=Value.BOUND),
    "burn_availability": _metrics(budget=Value.NUMBER),
    "burn_latency": _metrics(budget=Value.NUMBER, below_s=Value.BOUND),
    "saturation_cpu": _metrics(),
    "saturation_memory": _metrics(),
    "up": _metrics(),
    "restarts": _metrics(),
    "in_progress": _metrics(),
    "deploys": _metrics(),
    "error_lines": _lines(),
    "error_counts": _lines(),
    "new_patterns": _lines(),
    "failing_requests": _traces(),
    "slow_requests": _traces(above=Value.SPAN),
}
"""All take `namespace` and `service` (of traces: `service` and `environment`), and `range` (5 minutes when left out).

Further values: `quantile` and `budget` (1 - target) from 0 to 1; `below_s` in seconds, a bound of the histogram's
buckets; `above`, a `timedelta`.
"""
