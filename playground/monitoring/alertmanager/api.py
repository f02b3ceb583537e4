"""Alertmanager's HTTP API, version 2."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from playground.monitoring.alertmanager.alerts import UNREADABLE, WRONG_TYPE, Alert, Unfit, posted, written
from playground.monitoring.alertmanager.groups import RECEIVER, configuration, grouped
from playground.monitoring.alertmanager.keeping import Kept
from playground.monitoring.alertmanager.matching import Matcher, from_filter
from playground.monitoring.alertmanager.silences import Unknown

STATES = ("active", "pending", "expired")
VERSION = "0.25.0"


class Api:
    def __init__(
        self, kept: Kept, clock: Callable[[], datetime], changed: Callable[[], None], *, urls: Sequence[str] = ()
    ) -> None:
        """`changed` is called after every write; `urls` are those of the webhooks that are called."""
        self._urls = tuple(urls)
        self._kept = kept
        self._clock = clock
        self._changed = changed
        self._started = clock()

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/-/ready", self._ready)
        router.add_get("/-/healthy", self._ready)
        for method, path, handler in (
            ("GET", "status", self._status),
            ("GET", "receivers", self._receivers),
            ("GET", "alerts", self._alerts),
            ("POST", "alerts", self._post_alerts),
            ("GET", "alerts/groups", self._groups),
            ("GET", "silences", self._silences),
            ("POST", "silences", self._post_silence),
            ("GET", "silence/{id}", self._silence),
            ("DELETE", "silence/{id}", self._expire),
        ):
            router.add_route(method, f"/api/v2/{path}", handler)

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def _status(self, _: web.Request) -> web.Response:
        nothing = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision"), "")
        told = {
            "cluster": {"peers": [], "status": "disabled"},
            "config": {"original": configuration(self._urls)},
            "uptime": written(self._started),
            "versionInfo": {**nothing, "version": VERSION},
        }
        return web.json_response(told)

    async def _receivers(self, _: web.Request) -> web.Response:
        return web.json_response([{"name": RECEIVER}])

    # --- alerts

    async def _alerts(self, request: web.Request) -> web.Response:
        wanted = _wanted(request)
        now = self._clock()
        found = (self._told(alert, now) for alert in self._firing(now))
        return web.json_response([told for told in found if wanted(told)])

    async def _groups(self, request: web.Request) -> web.Response:
        wanted = _wanted(request)
        now = self._clock()
        answer = []
        for group in grouped(self._firing(now)):
            alerts = [told for told in (self._told(alert, now) for alert in group.alerts) if wanted(told)]
            if alerts:
                answer.append({"alerts": alerts, "labels": dict(group.labels), "receiver": {"name": RECEIVER}})
        return web.json_response(answer)

    def _firing(self, now: datetime) -> list[Alert]:
        return [alert for alert in self._kept.alerts.values() if not alert.is_resolved(now)]

    def _told(self, alert: Alert, now: datetime) -> dict[str, Any]:
        silenced = self._kept.silences.silencing(alert.labels, now)
        state = "suppressed" if silenced else "active"
        generator = {"generatorURL": alert.generator_url} if alert.generator_url else {}
        return {
            "annotations": dict(alert.annotations),
            "endsAt": written(alert.ends_at),
            "fingerprint": alert.fingerprint,
            "receivers": [{"name": RECEIVER}],
            "startsAt": written(alert.starts_at),
            "status": {"inhibitedBy": [], "silencedBy": silenced, "state": state},
            "updatedAt": written(alert.updated_at),
            **generator,
            "labels": dict(alert.labels),
        }

    async def _post_alerts(self, request: web.Request) -> web.Response:
        """Take what is fit, and refuse the rest."""
        body = await _body(request)
        if not isinstance(body, list):
            return _unfit(Unfit('parsing alerts body from "" failed, because it is no array', UNREADABLE))
        now, problems = self._clock(), []
        for told in body:
            try:
                self._kept.take(posted(told, now))
            except Unfit as error:
                if error.code:
                    return _unfit(error)
                problems.append(str(error))
        self._changed()
        if problems:
            raise web.HTTPBadRequest(text="; ".join(problems))
        return web.Response()

    # --- silences

    async def _silences(self, request: web.Request) -> web.Response:
        """Tell of all, those that stand first."""
        filters = _filters(request)
        now = self._clock()
        found = [
            one
            for one in self._kept.silences
            if all(any(_same(asked, one_matcher) for one_matcher in one.matchers) for asked in filters)
        ]
        found.sort(key=lambda one: (STATES.index(one.state(now)), one.ends_at))
        return web.json_response([one.told(now) for one in found])

    async def _silence(self, request: web.Request) -> web.Response:
        if (refusal := _no_id(request)) is not None:
            return refusal
        try:
            return web.json_response(self._kept.silences.get(request.match_info["id"]).told(self._clock()))
        except Unknown:
            return web.Response(status=404)

    async def _post_silence(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            made = self._kept.silences.put(body, self._clock())
        except Unfit as error:
            return _unfit(error)
        except Unknown:
            return web.json_response("silence not found", status=404)
        self._changed()
        return web.json_response({"silenceID": made.id})

    async def _expire(self, request: web.Request) -> web.Response:
        if (refusal := _no_id(request)) is not None:
            return refusal
        try:
            self._kept.silences.expire(request.match_info["id"], self._clock())
        except Unknown:  # newer ones answer 404
            return web.json_response("silence not found", status=500)
        self._changed()
        return web.Response()


def _wanted(request: web.Request) -> Callable[[Mapping[str, Any]], bool]:
    """Return what a query lets through. Everything, where it asks for nothing special."""
    filters = _filters(request)
    active = _flag(request, "active")
    silenced = _flag(request, "silenced")

    def wanted(told: Mapping[str, Any]) -> bool:
        fits = all(one.fits(told["labels"]) for one in filters)
        return fits and (silenced if told["status"]["silencedBy"] else active)

    return wanted


def _filters(request: web.Request) -> list[Matcher]:
    try:
        return [from_filter(text) for text in request.query.getall("filter", [])]
    except Unfit as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "true") in {"true", "1"}


def _no_id(request: web.Request) -> web.Response | None:
    """Return the refusal of what is no id at all."""
    wanted = request.match_info["id"]
    try:
        uuid.UUID(wanted)
    except ValueError:
        return _unfit(Unfit(f'silenceID in path must be of type uuid: "{wanted}"', WRONG_TYPE))
    return None


def _unfit(error: Unfit) -> web.Response:
    if not error.code:
        return web.json_response(str(error), status=400)
    return web.json_response({"code": error.code, "message": str(error)}, status=400 if error.code == 400 else 422)


def _same(asked: Matcher, stands: Matcher) -> bool:
    return asked.name == stands.name and asked.fits({stands.name: stands.value})


async def _body(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"parsing body failed, because {error}") from error
