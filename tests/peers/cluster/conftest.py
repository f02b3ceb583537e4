"""Each test runs once on each cluster that it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.peers.cluster.houses import House, fake_house, real_house
from tests.peers.control_plane.fixtures import CONTROL_PLANE

REAL = pytest.param("real", marks=CONTROL_PLANE)


async def _open(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    if kind == "fake":
        yield await fake_house()
        return
    async with real_house(request.getfixturevalue("control_plane")) as house:
        yield house


@pytest.fixture(params=["fake", REAL])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Any cluster: what effects rely on."""
    async for opened in _open(request.param, request):
        yield opened


@pytest.fixture(params=[REAL])
async def town(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A cluster with schemas and controllers: what the fake does not have."""
    async for opened in _open(request.param, request):
        yield opened
