"""LogQL: selectors, line filters, `| json`, label filters, counts over time and their aggregations.

What Loki knows beyond that is refused with a text that says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playground.monitoring.words import ParseError, Words, expression, span_s

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

MATCHES = ("=", "!=", "=~", "!~")
COMPARES = ("==", ">", ">=", "<", "<=")
LINE_FILTERS = ("|=", "!=", "|~", "!~")
SIGNS = (
    *MATCHES,
    *COMPARES,
    *LINE_FILTERS,
    "|",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "|>",
    "!>",
)
COUNTS = ("count_over_time", "rate")
OTHER_RANGES = (
    "bytes_over_time", "bytes_rate", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time",
    "quantile_over_time", "first_over_time", "last_over_time", "absent_over_time", "stddev_over_time",
    "stdvar_over_time", "rate_counter",
)  # fmt: skip
AGGREGATIONS = ("sum", "min", "max", "avg", "count", "topk", "bottomk")
OTHER_AGGREGATIONS = ("stddev", "stdvar", "sort", "sort_desc", "label_replace", "vector", "approx_topk")
EMPTY = (
    "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible "
    'value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """From a line and its labels to what is left of them, or None where a stage drops the line."""

    selector: Test
    stages: tuple[Callable[[str, dict[str, str]], dict[str, str] | None], ...]

    def run(self, text: str, labels: Labels) -> dict[str, str] | None:
        found: dict[str, str] | None = dict(labels)
        for stage in self.stages:
            if found is None:
                return None
            found = stage(text, found)
        return found


@dataclass(frozen=True, slots=True)
class Grouping:
    names: tuple[str, ...]
    without: bool = False

    def of(self, labels: Labels) -> dict[str, str]:
        if self.without:
            return {name: value for name, value in labels.items() if name not in self.names}
        return {name: labels[name] for name in self.names if labels.get(name)}


@dataclass(frozen=True, slots=True)
class Counted:
    """Lines of the last `range_s` seconds, counted or as a rate."""

    function: str
    pipeline: Pipeline
    range_s: float
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Aggregated:
    operation: str
    inner: Counted | Aggregated
    grouping: Grouping
    count: int = 0
    """Of `topk` and `bottomk`."""


Metric = Counted | Aggregated
Query = Pipeline | Metric


def parse(text: str) -> Query:
    """Read a query. Raise `ParseError` as Loki answers."""
    words = Words(text, name=r"[a-zA-Z_][a-zA-Z0-9_]*", signs=SIGNS)
    found = _query(words)
    if words.is_sign("+", "-", "*", "/", "%", "^", "==", ">", "<") or words.is_name("and", "or", "unless"):
        raise words.not_played("an operation between two results")
    if words.now.kind != "end":
        raise words.error(f"unexpected {words.now.text}")
    return found


def _query(words: Words) -> Query:
    if words.is_sign("{"):
        return _pipeline(words)
    return _metric(words)


def _metric(words: Words) -> Metric:
    if words.take("("):
        inner = _metric(words)
        words.expect(")")
        return inner
    if words.is_name(*COUNTS):
        return _counted(words)
    if words.is_name(*AGGREGATIONS):
        return _aggregated(words)
    if words.is_name(*OTHER_RANGES, *OTHER_AGGREGATIONS):
        raise words.not_played(f"`{words.now.text}`")
    raise words.error(f"unexpected {words.now.text}")


def _counted(words: Words) -> Counted:
    function = words.next().text
    words.expect("(")
    pipeline = _pipeline(words, ranged=True)
    words.expect("[")
    range_s = span_s(words.expect_kind("duration").text)
    words.expect("]")
    offset_s = 0.0
    if words.take("offset"):
        offset_s = span_s(words.expect_kind("duration").text)
    words.expect(")")
    return Counted(function, pipeline, range_s, offset_s)


def _aggregated(words: Words) -> Aggregated:
    operation = words.next().text
    grouping = _grouping(words)
    words.expect("(")
    count = 0
    if operation in {"topk", "bottomk"}:
        count = int(float(words.expect_kind("number").text))
        words.expect(",")
    inner = _metric(words)
    words.expect(")")
    grouping = grouping or _grouping(words)
    return Aggregated(operation, inner, grouping or Grouping(()), count)


def _grouping(words: Words) -> Grouping | None:
    if not words.is_name("by", "without"):
        return None
    without = words.next().text == "without"
    words.expect("(")
    names = []
    while not words.is_sign(")"):
        names.append(words.expect_kind("name").text)
        if not words.take(","):
            break
    words.expect(")")
    return Grouping(tuple(names), without)


def _pipeline(words: Words, *, ranged: bool = False) -> Pipeline:
    selector = _selector(words)
    stages: list[Callable[[str, dict[str, str]], dict[str, str] | None]] = []
    while words.now.kind != "end" and not (ranged and words.is_sign("[", ")")):
        if words.is_sign(*LINE_FILTERS):
            stages.append(_line_filter(words))
        elif words.take("|"):
            stages.append(_stage(words))
        elif words.is_sign("|>", "!>"):
            raise words.not_played("a pattern match")
        else:
            break
    return Pipeline(selector, tuple(stages))


def _selector(words: Words) -> Test:
    words.expect("{")
    tests: list[Test] = []
    strict = False
    while not words.is_sign("}"):
        name = words.expect_kind("name").text
        operator = words.expect(*MATCHES).text
        value = words.expect_kind("string").text
        test = _match(name, operator, value)
        tests.append(test)
        strict = strict or not test({})
        if not words.take(","):
            break
    words.expect("}")
    if not strict:
        raise ParseError(EMPTY)
    return lambda labels: all(test(labels) for test in tests)


def _match(name: str, operator: str, value: str) -> Test:
    """Return the test of one label; one that is not there is empty. Expressions fit the whole of it."""
    wanted = operator in {"=", "=~"}
    if "~" not in operator:
        return lambda labels: (labels.get(name, "") == value) == wanted
    pattern = expression(value)
    return lambda labels: bool(pattern.fullmatch(labels.get(name, ""))) == wanted


def _line_filter(words: Words) -> Callable[[str, dict[str, str]], dict[str, str] | None]:
    operator = words.next().text
    texts = [words.expect_kind("string").text]
    while words.take("or"):
        texts.append(words.expect_kind("string").text)
    if operator in {"|=", "!="}:
        tests: list[Callable[[str], bool]] = [_contains(text) for text in texts]
    else:
        tests = [_searches(expression(text)) for text in texts]
    wanted = operator.startswith("|")
    return lambda text, labels: labels if any(test(text) for test in tests) == wanted else None


def _contains(wanted: str) -> Callable[[str], bool]:
    return lambda text: wanted in text


def _searches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.search(text) is not None


def _stage(words: Words) -> Callable[[str, dict[str, str]], dict[str, str] | None]:
    if words.is_name("json") and not (words.after.kind == "sign" and words.after.text in (*MATCHES, *COMPARES)):
        words.next()
        if words.now.kind == "name" and words.after.text == "=":
            raise words.not_played("`json` with expressions")
        return _json
    others = (
        "logfmt",
        "pattern",
        "regexp",
        "unpack",
        "line_format",
        "label_format",
        "unwrap",
        "decolorize",
        "drop",
        "keep",
    )
    if words.is_name(*others) and words.after.text not in (*MATCHES, *COMPARES):
        raise words.not_played(f"the stage `{words.now.text}`")
    test = _either(words)
    return lambda _, labels: labels if test(labels) else None


def _json(text: str, labels: dict[str, str]) -> dict[str, str]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return {
            **labels,
            "__error__": "JSONParserErr",
            "__error_details__": "Value looks like object, but can't find closing '}'",
        }
    found = dict(labels)
    for name, value in _flat(told, ""):
        found[f"{name}_extracted" if name in labels else name] = value
    return found


def _flat(told: Mapping[str, object], before: str) -> list[tuple[str, str]]:
    """Return the fields as labels: what lies in another object with both names, and no lists."""
    found: list[tuple[str, str]] = []
    for key, value in told.items():
        name = before + re.sub(r"[^a-zA-Z0-9_]", "_", key)
        if isinstance(value, dict):
            found += _flat(value, f"{name}_")
        elif isinstance(value, bool):
            found.append((name, str(value).lower()))
        elif value is not None and not isinstance(value, list):
            found.append((name, str(value)))
    return found


def _either(words: Words) -> Test:
    tests = [_both(words)]
    while words.take("or"):
        tests.append(_both(words))
    return lambda labels: any(test(labels) for test in tests)


def _both(words: Words) -> Test:
    tests = [_label_filter(words)]
    while words.take("and", ",") or (words.now.kind == "name" and not words.is_name("or", "offset")):
        tests.append(_label_filter(words))
    return lambda labels: all(test(labels) for test in tests)


def _label_filter(words: Words) -> Test:
    if words.take("("):
        inner = _either(words)
        words.expect(")")
        return inner
    name = words.expect_kind("name").text
    operator = words.expect(*MATCHES, *COMPARES).text
    value = words.next()
    if value.kind == "string" and operator in MATCHES:
        return _match(name, operator, value.text)
    if value.kind in {"number", "duration"} and operator not in {"=~", "!~"}:
        number = float(value.text) if value.kind == "number" else span_s(value.text)
        return _compare(name, operator, number, spans=value.kind == "duration")
    raise words.error(f"unexpected {value.text}", value)


def _compare(name: str, operator: str, wanted: float, *, spans: bool) -> Test:
    tests: dict[str, Callable[[float], bool]] = {
        "=": lambda found: found == wanted,
        "==": lambda found: found == wanted,
        "!=": lambda found: found != wanted,
        ">": lambda found: found > wanted,
        ">=": lambda found: found >= wanted,
        "<": lambda found: found < wanted,
        "<=": lambda found: found <= wanted,
    }
    test = tests[operator]

    def fits(labels: Labels) -> bool:
        text = labels.get(name, "")
        if spans:
            return bool(re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdw]))+", text)) and test(span_s(text))
        try:
            return bool(text) and test(float(text))
        except ValueError:
            return False

    return fits
