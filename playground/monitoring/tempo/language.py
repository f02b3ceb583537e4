"""TraceQL: which spans a query selects, by attributes and by what every span has.

What Tempo knows beyond that (structure, pipelines, metrics) is refused with a text that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.monitoring.requests import Request, Span
from playground.monitoring.tempo.otlp import resource_of, span_attributes
from playground.monitoring.words import Words, expression, span_s

COMPARES = ("=", "!=", "=~", "!~", ">", ">=", "<", "<=")
STRUCTURE = (">>", "<<", "~", "&>>", "&<<", "!>>", "!<<", "!~")
SIGNS = (*COMPARES, *STRUCTURE, "&&", "||", "!", "|", "{", "}", "(", ")", "+", "-", "*", "/", "%", "^", ",")
NAME = r"\.?[a-zA-Z_][a-zA-Z0-9_.\-/]*(?::[a-zA-Z]+)?"
STATUSES, KINDS = ("error", "ok", "unset"), ("server", "client", "internal", "producer", "consumer", "unspecified")
ALIASES = {
    "span:name": "name",
    "span:status": "status",
    "span:kind": "kind",
    "span:duration": "duration",
    "span:id": "span:id",
    "trace:id": "trace:id",
    "trace:duration": "traceDuration",
    "trace:rootName": "rootName",
    "trace:rootService": "rootServiceName",
    "span:statusMessage": "statusMessage",
}
INTRINSICS = frozenset(
    {"name", "status", "kind", "duration", "rootName", "rootServiceName", "traceDuration", "statusMessage"}
)
Value = str | float | bool
Test = Callable[[Request, Span], bool]
Read = Callable[[Request, Span], Value | None]


@dataclass(frozen=True, slots=True)
class Spans:
    """`{ … }`: spans that pass a test."""

    test: Test

    def select(self, request: Request) -> list[Span]:
        return [span for span in request.spans if self.test(request, span)]


@dataclass(frozen=True, slots=True)
class Joined:
    """`{ … } && { … }` and `{ … } || { … }`: traces that have spans of both, or of one of them."""

    left: Spans | Joined
    right: Spans | Joined
    both: bool

    def select(self, request: Request) -> list[Span]:
        left, right = self.left.select(request), self.right.select(request)
        if self.both and not (left and right):
            return []
        return [span for span in request.spans if span in left or span in right]


def parse(text: str) -> Spans | Joined:
    """Read a query. Raise `ParseError` as Tempo answers."""
    words = Words(text, name=NAME, signs=SIGNS, comment="//")
    found = _joined(words)
    if words.is_sign("|"):
        raise words.not_played("a pipeline")
    if words.is_sign(*STRUCTURE, ">", "<"):
        raise words.not_played("a relation between spans")
    if words.now.kind != "end":
        raise words.error(f"unexpected {words.now.text}")
    return found


def _joined(words: Words) -> Spans | Joined:
    found = _joined_by_and(words)
    while words.take("||"):
        found = Joined(found, _joined_by_and(words), both=False)
    return found


def _joined_by_and(words: Words) -> Spans | Joined:
    found = _spans(words)
    while words.take("&&"):
        found = Joined(found, _spans(words), both=True)
    return found


def _spans(words: Words) -> Spans | Joined:
    if words.take("("):
        inner = _joined(words)
        words.expect(")")
        return inner
    words.expect("{")
    if words.take("}"):
        return Spans(lambda _, __: True)
    test = _either(words)
    words.expect("}")
    return Spans(test)


def _either(words: Words) -> Test:
    tests = [_both(words)]
    while words.take("||"):
        tests.append(_both(words))
    return lambda request, span: any(test(request, span) for test in tests)


def _both(words: Words) -> Test:
    tests = [_one(words)]
    while words.take("&&"):
        tests.append(_one(words))
    return lambda request, span: all(test(request, span) for test in tests)


def _one(words: Words) -> Test:
    if words.take("!"):
        inner = _one(words)
        return lambda request, span: not inner(request, span)
    if words.take("("):
        either = _either(words)
        words.expect(")")
        return either
    if words.is_name("true", "false"):
        answer = words.next().text == "true"
        return lambda _, __: answer
    name = words.expect_kind("name")
    field = ALIASES.get(name.text, name.text)
    if field not in INTRINSICS and not field.startswith((".", "resource.", "span.")):
        if field.startswith(("event", "link", "instrumentation", "parent", "nested", "child", "trace:", "span:")):
            raise words.not_played(f"`{field}`")
        raise words.error(f"unexpected {name.text}", name)
    operator = words.expect(*COMPARES).text
    return _compared(words, field, operator)


def _compared(words: Words, field: str, operator: str) -> Test:
    token = words.next()
    read = reader(field)
    if token.kind == "string":
        if "~" in operator:
            pattern = expression(token.text)
            wanted = operator == "=~"
            return lambda request, span: _matches(read(request, span), pattern.fullmatch, wanted=wanted)
        return _ordered(read, operator, token.text)
    if token.kind == "duration":
        return _ordered(read, operator, span_s(token.text))
    if token.kind == "number":
        return _ordered(read, operator, float(token.text))
    if token.kind == "name" and token.text in ("true", "false"):
        return _ordered(read, operator, token.text == "true")
    if token.kind == "name" and token.text in {"status": STATUSES, "kind": KINDS}.get(field, ()):
        return _ordered(read, operator, token.text)
    if token.kind == "name" and token.text == "nil":
        raise words.not_played("`nil`")
    raise words.error(f"unexpected {token.text}", token)


def _matches(found: Value | None, fits: Callable[[str], object], *, wanted: bool) -> bool:
    return isinstance(found, str) and bool(fits(found)) == wanted


def _ordered(read: Read, operator: str, wanted: Value) -> Test:
    """Compare what is there. Another type, or nothing at all, is neither equal nor unequal."""

    def fits(request: Request, span: Span) -> bool:
        found = read(request, span)
        if found is None or isinstance(found, str) != isinstance(wanted, str):
            return False
        match operator:
            case "=":
                return found == wanted
            case "!=":
                return found != wanted
        if isinstance(found, str) or isinstance(wanted, str):
            return False
        signs = {">": found > wanted, ">=": found >= wanted, "<": found < wanted, "<=": found <= wanted}
        return signs.get(operator, False)

    return fits


def reader(field: str) -> Read:
    """Return what reads a field of a span."""
    intrinsic: dict[str, Read] = {
        "name": lambda _, span: span.name,
        "status": lambda _, span: "error" if span.failed else "unset",
        "statusMessage": lambda _, span: span.because,
        "kind": lambda _, span: span.kind,
        "duration": lambda _, span: span.duration_s,
        "rootName": lambda request, _: request.root.name,
        "rootServiceName": lambda request, _: request.root.service,
        "traceDuration": lambda request, _: request.root.duration_s,
    }
    if field in intrinsic:
        return intrinsic[field]
    scope, _, name = field.partition(".")

    def read(request: Request, span: Span) -> Value | None:
        found: Value | None = span_attributes(span).get(name) if scope != "resource" else None
        return resource_of(request, span).get(name) if found is None and scope != "span" else found

    return read
