"""`/livez`, `/readyz` and `/metrics`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else a sentence."""


class Probes:
    def __init__(self, checks: Mapping[str, Check], metrics: CollectorRegistry) -> None:
        self._checks = checks
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/livez", self.live), web.get("/readyz", self.ready), web.get("/metrics", self.metrics)]

    async def live(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(self, _request: web.Request) -> web.Response:
        """Ready means: what arrives can be stored. Slack or GitHub being down is not our unreadiness."""
        troubles = {name: await check() for name, check in self._checks.items()}
        lines = [f"{name}: {trouble or 'ok'}" for name, trouble in troubles.items()]
        return web.Response(text="\n".join(lines) + "\n", status=503 if any(troubles.values()) else 200)

    async def metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})
