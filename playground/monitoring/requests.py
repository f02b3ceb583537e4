"""Single requests, each a function of service, environment and number: what one of them did on its way.

Logs and traces are told of the same ones, so that a trace id out of a log line is found. Only every so many seconds one
is told of; the numbers that Prometheus has are of all.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.monitoring.incidents import Effect, Effects
from playground.monitoring.living import Living
from playground.monitoring.traffic import USUAL_ERRORS, Route, routes

EVERY_S: Mapping[str, float] = {"production": 5.0, "staging": 20.0}
"""Environment → seconds from one request that is told of to the next."""
SELDOM_S = 30.0
LONGEST_S = 30.0
"""No request takes longer."""
WORK = {"latency": "compute prices", "saturation": "wait for a worker", "errors": "read discounts"}
"""Kind of an incident → the part of a request in which its time is lost."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    id: str
    parent: str
    """Empty for the first one."""
    service: str
    pod: str
    name: str
    kind: str
    """`server`, `client` or `internal`."""
    begin: float
    """Seconds since 1970."""
    duration_s: float
    failed: bool = False
    because: str = ""
    """Why it failed."""
    status: int = 0
    """Of HTTP; 0 where the span is of something else."""
    effect: Effect = field(default_factory=Effect)
    """Of an incident of its own service, when it was one."""
    attributes: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    trace_id: str
    environment: str
    spans: tuple[Span, ...]
    """In the order of their begin; the first one is the whole."""

    @property
    def root(self) -> Span:
        return self.spans[0]


class Requests:
    """Of the services that live now. Another thread may compute with it."""

    def __init__(self, effects: Effects) -> None:
        self.living = {one.key: one for one in effects.services}
        self._effects = effects
        self._by_prefix = {_prefix(one.key): one for one in effects.services}

    def find(self, trace_id: str) -> Request | None:
        """Return the request that has this id (32 hexadecimal digits), or None."""
        one = self._by_prefix.get(trace_id[:8])
        if one is None:
            return None
        number = int(trace_id[8:20], 16)
        known = _trace_id(one.key, number) == trace_id and self._is_told(one, number)
        return self._made(one, number) if known else None

    def newest_first(self, key: Key, begin: float, end: float, *, calling: bool = False) -> Iterator[Request]:
        """Yield the requests that began at a service from `begin` on and before `end`; of those that go on to other
        services only, with `calling`."""
        one = self.living.get(key)
        if one is None:
            return
        every = every_s(one.environment)
        for number in range(int(end // every), int(begin // every) - 1, -1):
            if calling and not _route(one, number).calls:
                continue
            if begin <= _moment(one.key, number) < end and self._is_told(one, number):
                yield self._made(one, number)

    def through(self, key: Key, begin: float, end: float) -> Iterator[Request]:
        """Yield the requests that reached a service, begun there or at one that calls it."""
        yield from self.newest_first(key, begin, end)
        name, environment = key
        for caller in self.living.values():
            if caller.environment == environment and name in caller.depends_on:
                found = self.newest_first(caller.key, begin, end, calling=True)
                yield from (one for one in found if any(span.service == name for span in one.spans))

    def _is_told(self, one: Living, number: int) -> bool:
        return bool(one.pods) and _moment(one.key, number) >= one.since

    def _made(self, one: Living, number: int) -> Request:
        trace_id = _trace_id(one.key, number)
        spans = _Trace(self, self._effects, trace_id).served(one, _route(one, number), _moment(one.key, number))
        return Request(trace_id, one.environment, tuple(spans))


class _Trace:
    """The spans of one request, from service to service."""

    def __init__(self, requests: Requests, effects: Effects, trace_id: str) -> None:
        self._requests = requests
        self._effects = effects
        self._trace_id = trace_id
        self._count = 0

    def _next_id(self) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._trace_id} {self._count}".encode()).hexdigest()[:16]

    def served(self, one: Living, route: Route, begin: float, parent: str = "") -> list[Span]:
        """Return the span of a service that answers, and those below it."""
        luck = _Luck(self._trace_id, one.name)
        effect = self._effects.effect(one.name, one.environment, begin)
        own = effect if effect.cause == one.name else Effect()
        work_s = route.latency_s * (0.5 if route.calls else 1.0) * luck.factor
        lost_s = min(own.extra_latency_s * (0.6 + 0.8 * luck.draw("lost")), LONGEST_S / 2)
        failed = luck.draw("fails") < USUAL_ERRORS + own.error_share
        span_id, pod = self._next_id(), one.pods[int(luck.draw("pod") * len(one.pods))]
        below: list[Span] = []
        at = begin + work_s * 0.2
        if not route.calls:
            below.append(_query(one, id=self._next_id(), begin=at, duration_s=work_s * 0.6, pod=pod, parent=span_id))
            at += work_s * 0.6
        if lost_s > 0.02:
            told: dict[str, Any] = {"pod": pod, "parent": span_id, "begin": at, "duration_s": lost_s, "effect": own}
            below.append(_span(one, WORK[own.kind], id=self._next_id(), **told))
            at += lost_s
        answers = []
        for called in (self._requests.living.get((name, one.environment)) for name in one.depends_on if route.calls):
            if called is not None and called.pods:
                spans = self._called(one, called, route, at, pod=pod, parent=span_id)
                answers.append(spans[1])
                below += spans
                at += spans[0].duration_s
        status, because = _outcome(failed, answers, own)
        whole = _span(
            one,
            route.name,
            id=span_id,
            pod=pod,
            parent=parent,
            kind="server",
            begin=begin,
            duration_s=at - begin + work_s * 0.2,
            failed=status >= 500,
            because=because,
            status=status,
            effect=own,
            attributes={"http.request.method": route.method, "http.route": route.path},
        )
        return [whole, *below]

    def _called(self, caller: Living, called: Living, route: Route, at: float, **outside: str) -> list[Span]:
        """Return the span of the caller, then the called service's own ones. `outside`: the caller's pod and span."""
        span_id = self._next_id()
        wanted = next((r for r in routes(called.name) if r.name == route.calls), routes(called.name)[0])
        inner = self.served(called, wanted, at + 0.001, span_id)
        answer = inner[0]
        outer = _span(
            caller,
            wanted.name,
            **outside,
            id=span_id,
            kind="client",
            begin=at,
            duration_s=answer.duration_s + 0.002,
            failed=answer.failed,
            because=f"{called.name} answered {answer.status}" if answer.failed else "",
            status=answer.status,
            attributes={"http.request.method": wanted.method, "server.address": called.name},
        )
        return [outer, *inner]


def every_s(environment: str) -> float:
    return EVERY_S.get(environment, SELDOM_S)


def _outcome(failed: bool, answers: Sequence[Span], own: Effect) -> tuple[int, str]:
    """Return the HTTP status of a request, and why it is none of the good ones."""
    broken = next((answer for answer in answers if answer.failed), None)
    if broken is not None:
        return 502, f"{broken.service} answered {broken.status}"
    if not failed:
        return 200, ""
    reasons = {"errors": "column orders.discount does not exist", "saturation": "no worker was free in time"}
    return 500, reasons.get(own.kind, "connection reset by peer")


def _span(one: Living, name: str, *, kind: str = "internal", **more: Any) -> Span:
    return Span(service=one.name, name=name, kind=kind, **more)


def _query(one: Living, **more: Any) -> Span:
    attributes = {"db.system": "postgresql", "db.operation": "SELECT"}
    return _span(one, f"SELECT {one.name.partition('-')[0]}", kind="client", attributes=attributes, **more)


def _prefix(key: Key) -> str:
    return hashlib.sha256(f"trace {key[0]}/{key[1]}".encode()).hexdigest()[:8]


def _trace_id(key: Key, number: int) -> str:
    check = hashlib.sha256(f"trace {key[0]}/{key[1]} {number}".encode()).hexdigest()[:12]
    return f"{_prefix(key)}{number:012x}{check}"


def _moment(key: Key, number: int) -> float:
    return (number + _Luck(key[0], key[1], number).draw("moment")) * every_s(key[1])


def _route(one: Living, number: int) -> Route:
    left = _Luck(one.name, one.environment, number).draw("route")
    found = routes(one.name)
    for route in found:
        left -= route.share
        if left < 0:
            return route
    return found[-1]


class _Luck:
    """Numbers from 0.0 up to 1.0 that are the same for the same words."""

    PLACES = ("moment", "route", "latency", "lost", "fails", "pod")

    def __init__(self, *words: object) -> None:
        self._digest = hashlib.sha256(" ".join(str(word) for word in words).encode()).digest()

    def draw(self, what: str) -> float:
        place = 4 * self.PLACES.index(what)
        return int.from_bytes(self._digest[place : place + 4]) / 2**32

    @property
    def factor(self) -> float:
        """How many times the usual time: seldom three times, mostly about once."""
        return 0.6 - 0.5 * math.log(1 - self.draw("latency"))
