"""Tempo as a peer of the playground: search, traces by id, and `/sim/…` beside it."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from playground.clock import PlaygroundClock
from playground.monitoring.door import Door
from playground.monitoring.incidents import Incidents
from playground.monitoring.requests import LONGEST_S, Request, Requests
from playground.monitoring.story import Story
from playground.monitoring.tempo.language import Joined, Spans, parse
from playground.monitoring.tempo.otlp import found, resource_spans
from playground.monitoring.words import ParseError

DEFAULT_LIMIT, DEFAULT_SPANS = 20, 3
MOST_TRACES = 262_144
LOOKED_AT = 40_000
"""How many requests a search looks at, newest first: Tempo as well ends a search that finds little."""
HOUR_S = 3600
LONGEST_SEARCH_S = 168 * HOUR_S


class Wrong(ValueError):
    """A parameter that cannot be read; the text is Tempo's."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a search asks for. Times in seconds since 1970."""

    query: Spans | Joined
    begin: float
    end: float
    limit: int
    per_set: int


class TempoPeer:
    """One Tempo with one tenant, open to everybody."""

    name = "tempo"

    def __init__(self, *, clock: PlaygroundClock, incidents: Incidents) -> None:
        self._clock = clock
        self._incidents = incidents
        self._door = Door(clock)
        self._story = Story(incidents)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1024 * 1024)
        self._door.add_to(application)
        self._story.add_to(application.router)
        for path, handler in (
            ("/ready", self._ready),
            ("/api/echo", self._echo),
            ("/api/status/buildinfo", self._build),
            ("/api/search", self._search),
            ("/api/traces/{id}", self._trace),
            ("/api/v2/traces/{id}", self._trace_v2),
        ):
            application.router.add_get(path, handler)
        return application

    async def start(self) -> None:
        """Do nothing: traces are functions of time."""

    async def close(self) -> None:
        """Do nothing: nothing is kept."""

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _echo(self, _: web.Request) -> web.Response:
        return web.Response(text="echo")

    async def _build(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "2.6.0", "revision": "playground"})

    # --- search

    async def _search(self, request: web.Request) -> web.Response:
        now = self._now()
        try:
            wish = _wish(request, now)
        except ParseError as error:
            return web.Response(status=400, text=f"invalid TraceQL query: {error}")
        except Wrong as error:
            return web.Response(status=400, text=str(error))
        traces = await asyncio.to_thread(self._found, self._requests(), wish, now)
        metrics = {"inspectedTraces": len(traces), "completedJobs": 1, "totalJobs": 1}
        return web.json_response({"traces": traces, "metrics": metrics})

    def _found(self, requests: Requests, wish: Wish, now: float) -> list[dict[str, Any]]:
        """Return the newest traces that have a span of the query, and have come to their end."""
        begin, end = wish.begin, min(wish.end, now)
        answer = []
        for request in itertools.islice(_newest_first(requests, begin - LONGEST_S, end), LOOKED_AT):
            whole = request.root
            if not begin <= whole.begin + whole.duration_s <= end:
                continue
            if spans := wish.query.select(request):
                answer.append(found(request, spans, per_set=wish.per_set))
                if len(answer) == wish.limit:
                    break
        return answer

    # --- by id

    async def _trace(self, request: web.Request) -> web.Response:
        return self._told(request, lambda one: {"batches": resource_spans(one)})

    async def _trace_v2(self, request: web.Request) -> web.Response:
        return self._told(request, lambda one: {"trace": {"resourceSpans": resource_spans(one)}, "metrics": {}})

    def _told(self, request: web.Request, shape: Callable[[Request], dict[str, Any]]) -> web.Response:
        wanted = request.match_info["id"].lower()
        if not re.fullmatch(r"[0-9a-f]{1,32}", wanted):
            return web.Response(status=400, text="trace IDs can only contain hex characters: invalid trace ID")
        one = self._requests().find(wanted.zfill(32))
        if one is None or one.root.begin + one.root.duration_s > self._now():
            return web.Response(status=404, text="trace not found")
        return web.json_response(shape(one))

    def _requests(self) -> Requests:
        return Requests(self._incidents.effects())

    def _now(self) -> float:
        return self._clock().timestamp()


def _wish(request: web.Request, now: float) -> Wish:
    """Read the parameters of a search. Raise `Wrong` or `ParseError`."""
    limit = _number(request, "limit", DEFAULT_LIMIT)
    if not 0 < limit <= MOST_TRACES:
        raise Wrong("invalid limit: must be a positive number")
    if {"tags", "minDuration", "maxDuration"} & set(request.query):
        raise Wrong("a search by tags is not supported by the playground; use q")
    begin, end = _span(request, now)
    return Wish(parse(request.query.get("q", "{}")), begin, end, limit, _number(request, "spss", DEFAULT_SPANS))


def _newest_first(requests: Requests, begin: float, end: float) -> Iterator[Request]:
    """Yield the requests of all services, hour by hour backwards so that no service's come before another's."""
    for back in itertools.count():
        last = end - back * HOUR_S
        if last <= begin:
            return
        first = max(begin, last - HOUR_S)
        of_all = (one for key in requests.living for one in requests.newest_first(key, first, last))
        yield from sorted(of_all, key=lambda one: -one.root.begin)


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text):
        raise Wrong(f"invalid {name}: {text}")
    return int(text)


def _span(request: web.Request, now: float) -> tuple[float, float]:
    """Return begin and end, in seconds since 1970; without them the last hour. Raise `Wrong`."""
    begin, end = request.query.get("start"), request.query.get("end")
    if begin is None and end is None:
        return now - HOUR_S, now
    if begin is None or end is None:
        raise Wrong("start and end are required together")
    if not begin.isdecimal() or not end.isdecimal():
        raise Wrong(f"invalid start or end: {begin} {end}")
    first, last = int(begin), int(end)
    if last <= first:
        raise Wrong(f"http parameter start must be before end. received start={first} end={last}")
    if last - first > LONGEST_SEARCH_S:
        raise Wrong("range specified by start and end exceeds 168h0m0s")
    return float(first), float(last)
