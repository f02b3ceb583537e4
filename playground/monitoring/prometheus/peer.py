"""Prometheus as a peer of the playground: its HTTP API, rules that fire, `/sim/…` beside it, and a plain page.

POST /sim/requests {host, count?, per_hour?}     somebody uses this host, now and from now on: the ingress controller
                                                 counts it
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from playground.clock import PlaygroundClock
from playground.kubernetes.objects import Objects
from playground.monitoring.incidents import Incidents
from playground.monitoring.prometheus.api import QueryApi
from playground.monitoring.prometheus.faults import PrometheusDoor
from playground.monitoring.prometheus.ingress import Asked
from playground.monitoring.prometheus.labels import written
from playground.monitoring.prometheus.lives import Lives
from playground.monitoring.prometheus.promql.compiling import compiled
from playground.monitoring.prometheus.promql.errors import BadQuery, Unevaluable
from playground.monitoring.prometheus.promql.numbers import told
from playground.monitoring.prometheus.rules.api import RulesApi
from playground.monitoring.prometheus.rules.book import Book
from playground.monitoring.prometheus.rules.engine import Engine
from playground.monitoring.prometheus.rules.notifying import Notifier
from playground.monitoring.prometheus.storage import Storage
from playground.monitoring.story import Story

MAX_BODY = 1024 * 1024


class PrometheusPeer:
    """One Prometheus that scrapes what lives in the cluster of `objects`."""

    name = "prometheus"

    def __init__(
        self,
        *,
        data_dir: Path,
        base_url: str,
        clock: PlaygroundClock,
        incidents: Incidents,
        objects: Objects,
        alertmanager_url: str,
    ) -> None:
        self._lives = Lives(incidents, clock, objects=objects, file=data_dir / "prometheus.json")
        self._asked = Asked(data_dir / "asked.json")
        self.storage = Storage(self._lives, objects=objects, asked=self._asked)
        self._book = Book(incidents.living, objects)
        self._engine = Engine(self.storage, self._book, Notifier(alertmanager_url, base_url))
        self._apis = QueryApi(self.storage), RulesApi(self._book, self._lives)
        self._door = PrometheusDoor(clock)
        self._clock = clock
        self._story = Story(incidents)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY)
        self._door.add_to(application)
        router = application.router
        self._story.add_to(router)
        for api in self._apis:
            api.add_to(router)
        router.add_get("/-/healthy", _healthy)
        router.add_get("/-/ready", _ready)
        router.add_get("/", self._page)
        router.add_get("/graph", self._page)
        router.add_post("/sim/requests", self._use)
        return application

    async def start(self) -> None:
        self._lives.note()
        self._clock.before_followers(self._engine.catch_up)
        self._engine.start()

    async def close(self) -> None:
        await self._engine.close()
        self._lives.note()

    async def _page(self, request: web.Request) -> web.Response:
        """Show an expression's values now, and what fires, plainly."""
        expr = request.query.get("g0.expr", "")
        rows = []
        if expr:
            try:
                now = self._lives.now()
                self.storage.refresh()
                found = compiled(expr, self.storage, now, now).values(now)
                rows = [(written(labels) or "{}", told(value)) for labels, value in found]
            except (BadQuery, Unevaluable) as error:
                rows = [(str(error), "")]
        alerts = [(written(active.labels), active.state) for _, active in self._book.alerts()]
        text = (
            "<!doctype html><title>Prometheus</title><h1>Prometheus</h1>"
            f'<form action="/graph"><input name="g0.expr" size="100" value="{html.escape(expr)}"></form>'
            f"{_table(rows)}<h1>Alerts</h1>{_table(alerts)}"
        )
        return web.Response(text=text, content_type="text/html")

    async def _use(self, request: web.Request) -> web.Response:
        try:
            wish = await request.json()
            host, count, per_hour = str(wish["host"]), float(wish.get("count", 0)), float(wish.get("per_hour", 0))
        except (KeyError, TypeError, ValueError, AttributeError):
            return web.json_response({"ok": False, "message": "send {host, count} or {host, per_hour}"}, status=400)
        if not host or count < 0 or per_hour < 0:
            return web.json_response({"ok": False, "message": "nobody asks less often than never"}, status=400)
        self._asked.add(host, self._lives.now(), count=count, per_hour=per_hour)
        return web.json_response({"ok": True})


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Healthy.\n")


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Ready.\n")


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"
