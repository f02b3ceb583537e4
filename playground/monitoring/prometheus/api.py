"""The part of Prometheus' HTTP API that asks for series: queries, and which series and labels there are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import promql_parser as parser
from aiohttp import web
from multidict import MultiDict, MultiMapping

from playground.monitoring.prometheus.answers import (
    Refusal,
    bad_parameter,
    duration,
    failure,
    moment,
    named,
    point,
    seconds,
    steps,
    success,
)
from playground.monitoring.prometheus.labels import Labels
from playground.monitoring.prometheus.metadata import METADATA
from playground.monitoring.prometheus.promql.compiling import compiled, parsed
from playground.monitoring.prometheus.promql.errors import BadQuery, Unevaluable
from playground.monitoring.prometheus.promql.model import Query
from playground.monitoring.prometheus.promql.relabelling import LABEL
from playground.monitoring.prometheus.promql.selecting import matchers_of
from playground.monitoring.prometheus.samples import Series
from playground.monitoring.prometheus.storage import Storage

Handler = Callable[[MultiMapping[Any]], Awaitable[web.Response]]
BREATH = 20
"""After so many steps of a range query others get their turn."""


class QueryApi:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add_to(self, router: web.UrlDispatcher) -> None:
        for path, handler in (
            ("query", self._query),
            ("query_range", self._range),
            ("series", self._series),
            ("labels", self._labels),
        ):
            answer = answering(handler)
            router.add_get(f"/api/v1/{path}", answer)
            router.add_post(f"/api/v1/{path}", answer)
        router.add_get("/api/v1/label/{name}/values", self._values)
        router.add_get("/api/v1/metadata", answering(self._metadata))

    async def _query(self, given: MultiMapping[Any]) -> web.Response:
        at = moment(given, "time", self._storage.lives.now())
        _check_timeout(given)
        query = self._read(given, at, at)
        return success(instant(query, at))

    async def _range(self, given: MultiMapping[Any]) -> web.Response:
        times = steps(given)
        _check_timeout(given)
        query = self._read(given, times.start, times[-1])
        if query.kind not in {"vector", "scalar"}:
            kind = "range vector" if query.kind == "matrix" else "string"
            text = f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
            raise bad_parameter("query", text)
        found: dict[Labels, list[list[Any]]] = {}
        for number, at in enumerate(times):
            if number % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            for labels, value in (
                query.vector(at) if query.vector else [((), query.scalar(at) if query.scalar else 0.0)]
            ):
                found.setdefault(labels, []).append(point(at, value))
        result = [{"metric": named(labels), "values": found[labels]} for labels in sorted(found)]
        return success({"resultType": "matrix", "result": result})

    def _read(self, given: MultiMapping[Any], begin: int, end: int) -> Query:
        self._storage.refresh()
        try:
            return compiled(str(given.get("query", "")), self._storage, begin, end)
        except BadQuery as error:
            raise bad_parameter("query", str(error)) from None

    async def _series(self, given: MultiMapping[Any]) -> web.Response:
        if not given.getall("match[]", []):
            raise Refusal("bad_data", "no match[] parameter provided")
        return success([named(series.labels) for series in self._matching(given)])

    async def _labels(self, given: MultiMapping[Any]) -> web.Response:
        return success(sorted({name for series in self._matching(given) for name, _ in series.labels}))

    async def _values(self, request: web.Request) -> web.Response:
        async def answer(given: MultiMapping[Any]) -> web.Response:
            name = request.match_info["name"]
            if not LABEL.fullmatch(name):
                raise Refusal("bad_data", f'invalid label name: "{name}"')
            found = {value for series in self._matching(given) for label, value in series.labels if label == name}
            return success(sorted(found))

        return await answering(answer)(request)

    async def _metadata(self, given: MultiMapping[Any]) -> web.Response:
        wanted = given.get("metric")
        found = {
            name: [{"type": kind, "help": text, "unit": ""}]
            for name, (kind, text) in METADATA.items()
            if wanted in (None, "", name)
        }
        return success(found)

    def _matching(self, given: MultiMapping[Any]) -> Sequence[Series]:
        """Return the series that any `match[]` fits and that have samples from `start` to `end`, by their labels."""
        self._storage.refresh()
        now = self._storage.lives.now()
        begin, end = moment(given, "start", self._storage.lives.origin), moment(given, "end", now)
        texts = given.getall("match[]", [])
        found: dict[Labels, Series] = {}
        for series in self._selected(texts) if texts else self._storage.everything():
            if series.count(begin, end):
                found[series.labels] = series
        return [found[labels] for labels in sorted(found)]

    def _selected(self, texts: Iterable[str]) -> Iterable[Series]:
        for text in texts:
            try:
                yield from self._storage.select(matchers_of(_selector(str(text))))
            except (BadQuery, re.error) as error:
                raise bad_parameter("match[]", str(error)) from None


def _selector(text: str) -> parser.VectorSelector:
    node = parsed(text)
    if not isinstance(node, parser.VectorSelector):
        raise BadQuery("it must be a selector of series")
    return node


def _check_timeout(given: Mapping[str, str]) -> None:
    if given.get("timeout"):
        duration(given, "timeout")


def instant(query: Query, at: int) -> dict[str, Any]:
    if query.vector is not None:
        found = query.vector(at)
        result = [{"metric": named(labels), "value": point(at, value)} for labels, value in found]
        return {"resultType": "vector", "result": result}
    if query.scalar is not None:
        return {"resultType": "scalar", "result": point(at, query.scalar(at))}
    if query.matrix is not None:
        rows = []
        for window in query.matrix.windows(at):
            times, values = window.samples()
            if times:
                points = [point(time, value) for time, value in zip(times, values, strict=True)]
                rows.append({"metric": named(window.labels), "values": points})
        return {"resultType": "matrix", "result": rows}
    return {"resultType": "string", "result": [seconds(at), query.string]}


def answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Read parameters from the address and, in a POST, from the form; turn refusals into answers."""

    async def answer(request: web.Request) -> web.Response:
        given: MultiDict[Any] = MultiDict(request.query)
        if request.method == "POST":
            given.extend(await request.post())
        try:
            return await handler(given)
        except Refusal as refusal:
            return failure(refusal.kind, str(refusal))
        except BadQuery as error:
            return failure("bad_data", str(error))
        except Unevaluable as error:
            return failure("execution", str(error))
        except RecursionError:
            return failure("execution", "the expression is nested too deeply")

    return answer
