"""What the suites run on: the real servers and the playground's, each behind the same few things that a test needs.

All that measure hold the same samples: those of the playground's formulas, written out for the real ones.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports import FiringGroup
from integrations.alertmanager import Alertmanager
from integrations.alertmanager import connect as connect_alertmanager
from integrations.prometheus import PrometheusMetrics, connect
from integrations.reading.times import written
from playground.clock import PlaygroundClock
from playground.monitoring.alertmanager.peer import AlertmanagerPeer
from playground.monitoring.incidents import Incidents
from playground.monitoring.living import LivingServices
from playground.monitoring.prometheus.api import QueryApi
from playground.monitoring.prometheus.samples import Series
from tests.peers.control_plane.programs import await_true
from tests.peers.monitoring import rig
from tests.peers.monitoring.backfilled import write
from tests.playground.prometheus.rig import Measured

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
END = BEGIN + timedelta(minutes=30)
MANY = 50_000
"""Series of the name `many`, which only the real servers hold."""
PATIENCE_S = 60.0

METRICS = [
    pytest.param("simulator"),
    pytest.param("prometheus", marks=rig.MONITORING),
    pytest.param("victoria-metrics", marks=rig.MONITORING),
]
ALERTS = [pytest.param("simulator"), pytest.param("alertmanager", marks=rig.MONITORING)]


# --- what measures


@dataclass(frozen=True)
class Metered:
    """A server that measures."""

    kind: str
    metrics: PrometheusMetrics
    url: str
    past: Measured
    """What it holds."""

    def samples(self, **labels: str) -> Series:
        """Return the one series that has these labels."""
        wanted = set(labels.items())
        (found,) = [one for one in self.past.storage.everything() if wanted <= set(one.labels)]
        return found


def known_past() -> Measured:
    """Half an hour of the sample services in production, without anything that happens."""
    past = Measured(begin=BEGIN, history=timedelta())
    past.living.only("production")
    past.lives.note()
    past.advance(minutes=30)
    past.storage.refresh()
    return past


@contextmanager
def filled_prometheus(past: Measured, folder: Path) -> Iterator[str]:
    samples = folder / "samples.om"
    with samples.open("w") as to:
        at = END.timestamp()
        to.writelines(f'many{{n="{number}"}} 1 {at:.3f}\n' for number in range(MANY))
        write(past.storage, *_ends(), to)
    with rig.prometheus(folder, {"scrape_configs": []}, samples=samples) as url:
        yield url


@contextmanager
def filled_victoria(past: Measured, folder: Path) -> Iterator[str]:
    with rig.victoria_metrics(folder) as url:
        many = ({"__name__": "many", "n": str(number)} for number in range(MANY))
        at = [_ends()[1]]
        lines = [json.dumps({"metric": labels, "values": [1], "timestamps": at}) for labels in many]
        for one in past.storage.everything():
            moments, values = one.window(*_ends())
            told = {"metric": dict(one.labels), "values": list(values), "timestamps": list(moments)}
            lines.append(json.dumps(told))
        rig.call(f"{url}/api/v1/import", "\n".join(lines).encode())
        rig.call(f"{url}/internal/force_flush")
        await_true("what was imported is found", lambda: f'"{MANY}"' in _count(url))
        yield url


def _count(url: str) -> str:
    return rig.call(f"{url}/api/v1/query?query=count(many)&time={END.timestamp():.0f}&nocache=1").decode()


def _ends() -> tuple[int, int]:
    return round(BEGIN.timestamp() * 1000), round(END.timestamp() * 1000)


@asynccontextmanager
async def metered(kind: str, url: str, past: Measured) -> AsyncIterator[Metered]:
    """Connect to a real server; `url` is empty for the simulator, which is started here."""
    if url:
        metrics = connect(url, timeout_s=PATIENCE_S)
        try:
            yield Metered(kind, metrics, url, past)
        finally:
            await metrics.close()
        return
    application = web.Application()
    QueryApi(past.storage).add_to(application.router)
    async with TestServer(application) as server:
        async with metered(kind, str(server.make_url("")).rstrip("/"), past) as house:
            yield house


# --- what fires


@dataclass
class Firing:
    """An Alertmanager, what it has told its receiver, and a way to make alerts come and go."""

    kind: str
    alerts: Alertmanager
    url: str
    session: aiohttp.ClientSession
    heard: list[Mapping[str, Any]] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def fire(self, *labels: Mapping[str, str], ends_at: datetime | None = None) -> None:
        """Tell of alerts as Prometheus does; with an end they are resolved."""
        now = datetime.now(UTC)
        told = [
            {
                "labels": dict(one),
                "annotations": {"summary": "It is slow"},
                "startsAt": written(now - timedelta(minutes=1)),
                **({"endsAt": written(ends_at)} if ends_at else {}),
            }
            for one in labels
        ]
        async with self.session.post(f"{self.url}/api/v2/alerts", json=told) as response:
            assert response.status == 200, await response.text()

    async def group(self, service: str) -> FiringGroup | None:
        """Return the one group of that service, if it fires."""
        found = [one for one in await self.alerts.groups() if one.labels.get("service") == service]
        assert len(found) <= 1
        return found[0] if found else None

    async def hear(self, request: web.Request) -> web.Response:
        async with self.came:
            self.heard.append(await request.json())
            self.came.notify_all()
        return web.Response()

    async def told_of(self, service: str, status: str) -> Mapping[str, Any]:
        """Wait until the receiver is told that it fires or is resolved."""

        def found() -> Mapping[str, Any] | None:
            groups = [one for one in self.heard if one["groupLabels"].get("service") == service]
            return next((one for one in groups if one["status"] == status), None)

        async with asyncio.timeout(PATIENCE_S), self.came:
            await self.came.wait_for(lambda: found() is not None)
        said = found()
        assert said is not None
        return said


@asynccontextmanager
async def firing(kind: str, folder: Path) -> AsyncIterator[Firing]:
    """Start one with a receiver of its own. It is quick enough to be started for each test."""
    async with aiohttp.ClientSession() as session:
        house = Firing(kind, connect_alertmanager(""), "", session)
        hook = web.Application(client_max_size=1 << 26)
        hook.router.add_post("/webhook", house.hear)
        async with TestServer(hook) as ours:
            webhook = str(ours.make_url("/webhook"))
            start = _simulated(folder, webhook) if kind == "simulator" else _real(folder, webhook)
            async with start as house.url:
                house.alerts = connect_alertmanager(house.url)
                try:
                    yield house
                finally:
                    await house.alerts.close()


@asynccontextmanager
async def _real(folder: Path, webhook: str) -> AsyncIterator[str]:
    with rig.alertmanager(folder, rig.receiver(webhook, "token-of-the-rig")) as url:
        yield url


@asynccontextmanager
async def _simulated(folder: Path, webhook: str) -> AsyncIterator[str]:
    clock = PlaygroundClock()
    peer = AlertmanagerPeer(
        data_dir=folder,
        base_url="http://127.0.0.1:9093",
        clock=clock,
        webhook_urls=[webhook],
        token="token-of-the-rig",
        incidents=Incidents(LivingServices(), clock),
    )
    async with TestServer(peer.application()) as server:
        await peer.start()
        try:
            yield str(server.make_url("")).rstrip("/")
        finally:
            await peer.close()
