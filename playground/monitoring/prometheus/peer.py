"""Prometheus as a peer of the playground: its HTTP API, rules that fire, `/sim/…` beside it, and a plain page.

POST /sim/requests {host, count?}     somebody has used this host: the ingress controller has counted it
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from playground.clock import PlaygroundClock
from playground.kubernetes.objects import Objects
from playground.monitoring.incidents import Incidents
from playground.monitoring.prometheus.api import QueryApi
from playground.monitoring.prometheus.faults import Door
from playground.monitoring.prometheus.ingress import Asked
from playground.monitoring.prometheus.lives import Lives
from playground.monitoring.prometheus.storage import Storage
from playground.monitoring.story import Story

MAX_BODY = 1024 * 1024


class PrometheusPeer:
    """One Prometheus that scrapes what lives in the cluster of `objects`."""

    name = "prometheus"

    def __init__(self, *, data_dir: Path, clock: PlaygroundClock, incidents: Incidents, objects: Objects) -> None:
        self._lives = Lives(incidents, clock, objects=objects, file=data_dir / "prometheus.json")
        self._asked = Asked(data_dir / "asked.json")
        self.storage = Storage(self._lives, objects=objects, asked=self._asked)
        self._api = QueryApi(self.storage)
        self._door = Door(clock)
        self._story = Story(incidents)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY)
        self._door.add_to(application)
        router = application.router
        self._story.add_to(router)
        self._api.add_to(router)
        router.add_get("/-/healthy", _healthy)
        router.add_get("/-/ready", _ready)
        router.add_post("/sim/requests", self._use)
        return application

    async def start(self) -> None:
        self._lives.note()

    async def close(self) -> None:
        self._lives.note()

    async def _use(self, request: web.Request) -> web.Response:
        try:
            wish = await request.json()
            host, count = str(wish["host"]), int(wish.get("count", 1))
        except (KeyError, TypeError, ValueError, AttributeError):
            return web.json_response({"ok": False, "message": "send {host, count}"}, status=400)
        if not host or count < 1:
            return web.json_response({"ok": False, "message": "send {host, count}"}, status=400)
        self._asked.add(host, count, self._lives.now())
        return web.json_response({"ok": True})


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Healthy.\n")


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Ready.\n")
