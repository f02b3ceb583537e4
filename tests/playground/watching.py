"""Loki and Tempo of the playground over one story, for tests of either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer

from playground.clock import PlaygroundClock
from playground.monitoring.incidents import Incidents
from playground.monitoring.living import LivingServices
from playground.monitoring.loki.peer import LokiPeer
from playground.monitoring.tempo.peer import TempoPeer

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
Json = dict[str, Any]


class StandingClock(PlaygroundClock):
    """Stands still until it is moved."""

    def __call__(self) -> datetime:
        return NOON + self._offset


@dataclass
class Watch:
    clock: StandingClock
    incidents: Incidents
    http: aiohttp.ClientSession
    loki: str
    tempo: str

    @property
    def now(self) -> float:
        return self.clock().timestamp()

    async def get(self, base: str, path: str, status: int = 200, **query: Any) -> Any:
        params = {name: str(value) for name, value in query.items()}
        async with self.http.get(f"{base}{path}", params=params) as response:
            text = await response.text()
            assert response.status == status, text
            return await response.json() if response.content_type == "application/json" else text

    async def lines(self, query: str, minutes: float = 30, **more: Any) -> list[tuple[int, str, Json]]:
        """Return nanoseconds, line and labels, newest first."""
        begin = int((self.now - minutes * 60) * 1e9)
        end = int(self.now * 1e9)
        asked = {"query": query, "start": begin, "end": end, "limit": 5000, **more}
        data = (await self.get(self.loki, "/loki/api/v1/query_range", **asked))["data"]
        assert data["resultType"] == "streams"
        found = [(int(at), text, one["stream"]) for one in data["result"] for at, text in one["values"]]
        return sorted(found, key=lambda line: -line[0])

    async def count(self, query: str) -> dict[str, float]:
        """Return what an instant query counts, by the values of its labels."""
        data = (await self.get(self.loki, "/loki/api/v1/query", query=query, time=int(self.now * 1e9)))["data"]
        assert data["resultType"] == "vector"
        return {",".join(one["metric"].values()): float(one["value"][1]) for one in data["result"]}

    async def search(self, query: str, minutes: float = 30, **more: Any) -> list[Json]:
        asked = {"q": query, "start": int(self.now - minutes * 60), "end": int(self.now) + 1, **more}
        found: list[Json] = (await self.get(self.tempo, "/api/search", **asked))["traces"]
        return found


@asynccontextmanager
async def watching() -> AsyncIterator[Watch]:
    clock = StandingClock()
    incidents = Incidents(LivingServices(), clock)
    loki = TestServer(LokiPeer(clock=clock, incidents=incidents).application())
    tempo = TestServer(TempoPeer(clock=clock, incidents=incidents).application())
    await loki.start_server()
    await tempo.start_server()
    try:
        async with aiohttp.ClientSession() as http:
            yield Watch(clock, incidents, http, _plain(loki), _plain(tempo))
    finally:
        await loki.close()
        await tempo.close()


def _plain(server: TestServer) -> str:
    return str(server.make_url("")).rstrip("/")
