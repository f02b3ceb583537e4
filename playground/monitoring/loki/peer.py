"""Loki as a peer of the playground: its query API, and `/sim/…` beside it."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.clock import PlaygroundClock
from playground.monitoring.door import Door
from playground.monitoring.incidents import Incidents
from playground.monitoring.loki.evaluating import CannotAnswer, Evaluation, Vector, limited, number, streams
from playground.monitoring.loki.language import Metric, Pipeline, Query, parse
from playground.monitoring.loki.lines import Line, lines, stream
from playground.monitoring.requests import Requests
from playground.monitoring.story import Story
from playground.monitoring.words import ParseError, span_s

HOUR = 3600 * 10**9
MOST_LINES = 5000
MOST_POINTS = 11_000
LONGEST = 721 * HOUR
API = "/loki/api/v1"
Options = Mapping[str, str]


class Wrong(ValueError):
    """A parameter that cannot be read; the text is Loki's."""


class LokiPeer:
    """One Loki with one tenant, open to everybody."""

    name = "loki"

    def __init__(self, *, clock: PlaygroundClock, incidents: Incidents) -> None:
        self._clock = clock
        self._incidents = incidents
        self._door = Door(clock)
        self._story = Story(incidents)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1024 * 1024)
        self._door.add_to(application)
        self._story.add_to(application.router)
        router = application.router
        for path, handler in (
            ("/ready", self._ready),
            (f"{API}/status/buildinfo", self._build),
            (f"{API}/query_range", self._query_range),
            (f"{API}/query", self._query),
            (f"{API}/labels", self._labels),
            (f"{API}/label/{{name}}/values", self._values),
            (f"{API}/series", self._series),
        ):
            router.add_get(path, handler)
            if path.startswith(API):
                router.add_post(path, handler)
        return application

    async def start(self) -> None:
        """Do nothing: lines are functions of time."""

    async def close(self) -> None:
        """Do nothing: nothing is kept."""

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _build(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "3.1.0", "revision": "playground", "branch": "", "buildDate": ""})

    # --- queries

    async def _query_range(self, request: web.Request) -> web.Response:
        options = await _options(request)
        try:
            query = parse(options.get("query", ""))
            begin, end = _span(options, self._now())
            answer = await asyncio.to_thread(self._ranged, self._requests(), query, begin, end, options)
        except (ParseError, Wrong, CannotAnswer) as error:
            return _refused(error)
        return _success(answer)

    def _ranged(self, requests: Requests, query: Query, begin: int, end: int, options: Options) -> dict[str, Any]:
        if isinstance(query, Pipeline):
            found = _read(requests, query, begin, min(end, self._now()))
            forward = _forward(options)
            return {"resultType": "streams", "result": streams(query, found, limit=_limit(options), forward=forward)}
        step = _step(options, begin, end)
        if (end - begin) // step > MOST_POINTS:
            raise Wrong(
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
                "parameter"
            )
        moments = range(begin, end + 1, step)
        evaluation = self._evaluation(requests, query, begin, end)
        series: dict[Any, list[list[Any]]] = {}
        for at in moments:
            for key, value in evaluation.at(at).items():
                series.setdefault(key, []).append([_seconds(at), number(value)])
        limited(series)
        result = [{"metric": dict(key), "values": values} for key, values in sorted(series.items())]
        return {"resultType": "matrix", "result": result}

    async def _query(self, request: web.Request) -> web.Response:
        options = await _options(request)
        try:
            query = _counting(parse(options.get("query", "")))
            at = moment(options.get("time"), self._now())
            vector = await asyncio.to_thread(self._instant, self._requests(), query, at)
        except (ParseError, Wrong, CannotAnswer) as error:
            return _refused(error)
        result = [
            {"metric": dict(key), "value": [_seconds(at), number(value)]} for key, value in sorted(vector.items())
        ]
        return _success({"resultType": "vector", "result": result})

    def _instant(self, requests: Requests, query: Metric, at: int) -> Vector:
        vector = self._evaluation(requests, query, at, at).at(at)
        limited(vector)
        return vector

    def _evaluation(self, requests: Requests, query: Metric, begin: int, end: int) -> Evaluation:
        now = self._now()
        return Evaluation(query, lambda pipeline, low, high: _read(requests, pipeline, low, min(high, now)), begin, end)

    def _requests(self) -> Requests:
        return Requests(self._incidents.effects())

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1e6) * 1000

    # --- labels

    async def _labels(self, request: web.Request) -> web.Response:
        names = {name for labels in self._streams() for name in labels}
        return web.json_response({"status": "success", "data": sorted(names)})

    async def _values(self, request: web.Request) -> web.Response:
        wanted = request.match_info["name"]
        found = {labels[wanted] for labels in self._streams() if wanted in labels}
        return web.json_response({"status": "success", "data": sorted(found)})

    async def _series(self, request: web.Request) -> web.Response:
        values = request.query.getall("match[]", []) or [str(v) for v in (await request.post()).getall("match[]", [])]
        try:
            queries = [parse(text) for text in values]
        except ParseError as error:
            return _refused(error)
        selectors = [query for query in queries if isinstance(query, Pipeline)]
        found = [one for one in self._streams() if any(query.selector(one) for query in selectors)]
        return web.json_response({"status": "success", "data": found})

    def _streams(self) -> list[dict[str, str]]:
        return [stream(one, pod) for one in self._incidents.living.services() for pod in one.pods]


def _read(requests: Requests, pipeline: Pipeline, begin: int, end: int) -> Iterable[Line]:
    for one in requests.living.values():
        wanted = {pod for pod in one.pods if pipeline.selector(stream(one, pod))}
        if wanted:
            yield from (line for line in lines(requests, one, begin, end) if line.labels["pod"] in wanted)


async def _options(request: web.Request) -> dict[str, str]:
    """Return the parameters, from the address or from a form."""
    found = dict(request.query)
    if request.method == "POST":
        found |= {name: str(value) for name, value in (await request.post()).items()}
    return found


def moment(text: str | None, default: int) -> int:
    """Read a time into nanoseconds: digits are nanoseconds, or seconds where they are few or have a fraction; else
    RFC 3339. Raise `Wrong`."""
    if not text:
        return default
    if re.fullmatch(r"\d{1,10}(\.\d+)?|\d+\.\d+", text):
        whole, _, part = text.partition(".")
        return int(whole) * 10**9 + int((part + "0" * 9)[:9])
    if re.fullmatch(r"\d{1,19}", text):
        return int(text)
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError as error:
        raise Wrong(f'cannot parse "{text}" to a valid timestamp') from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1e6) * 1000


def _span(options: Options, now: int) -> tuple[int, int]:
    """Return begin and end. Raise `Wrong`."""
    end = moment(options.get("end"), now)
    begin = moment(options.get("start"), end - _since(options))
    if begin > end:
        raise Wrong("end timestamp must not be before or equal to start time")
    if end - begin > LONGEST:
        length = (end - begin) // 10**9
        raise Wrong(f"the query time range exceeds the limit (query length: {length}s, limit: 721h)")
    return begin, end


def _counting(query: Query) -> Metric:
    if isinstance(query, Pipeline):
        what = "log queries are not supported as an instant query type"
        raise Wrong(f"{what}, please change your query to a range query type")
    return query


def _since(options: Options) -> int:
    text = options.get("since", "1h")
    if not re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|[smhdw]))+", text):
        raise Wrong(f"could not parse 'since' parameter: not a valid duration string: \"{text}\"")
    return int(span_s(text) * 1e9)


def _step(options: Options, begin: int, end: int) -> int:
    text = options.get("step", "")
    if not text:
        return max(int((end - begin) / 1e9 / 250), 1) * 10**9
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|[smhdw]))+", text):
        seconds = span_s(text)
    else:
        raise Wrong(f'cannot parse "{text}" to a valid duration')
    if seconds <= 0 or not math.isfinite(seconds):
        raise Wrong("zero or negative query resolution step widths are not accepted. Try a positive integer")
    return int(seconds * 1e9)


def _limit(options: Options) -> int:
    text = options.get("limit", "100")
    if not re.fullmatch(r"\d{1,9}", text) or int(text) == 0:
        raise Wrong("limit must be a positive value")
    if int(text) > MOST_LINES:
        raise Wrong(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({text} > {MOST_LINES})"
        )
    return int(text)


def _forward(options: Options) -> bool:
    text = options.get("direction", "backward").lower()
    if text not in {"forward", "backward"}:
        raise Wrong(f"invalid direction '{text}'")
    return text == "forward"


def _seconds(at: int) -> float | int:
    return at // 10**9 if at % 10**9 == 0 else at / 1e9


def _success(data: dict[str, Any]) -> web.Response:
    return web.json_response({"status": "success", "data": {**data, "stats": {}}})


def _refused(error: Exception) -> web.Response:
    return web.Response(status=400, text=str(error))
