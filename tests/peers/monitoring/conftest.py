"""One Prometheus and one VictoriaMetrics with the same samples, for a whole run of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.peers.monitoring import houses
from tests.playground.prometheus.rig import Measured


@pytest.fixture(scope="session")
def known_past() -> Measured:
    return houses.known_past()


@pytest.fixture(scope="session")
def filled_prometheus(known_past: Measured, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with houses.filled_prometheus(known_past, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture(scope="session")
def filled_victoria(known_past: Measured, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with houses.filled_victoria(known_past, tmp_path_factory.mktemp("victoria")) as url:
        yield url


@pytest.fixture
async def metered(request: pytest.FixtureRequest, known_past: Measured) -> AsyncIterator[houses.Metered]:
    fixtures = {"prometheus": "filled_prometheus", "victoria-metrics": "filled_victoria"}
    kind: str = request.param
    url = request.getfixturevalue(fixtures[kind]) if kind in fixtures else ""
    async with houses.metered(kind, url, known_past) as house:
        yield house


@pytest.fixture
async def firing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[houses.Firing]:
    async with houses.firing(request.param, tmp_path) as house:
        yield house
