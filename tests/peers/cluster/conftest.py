"""Each test runs once on each cluster that it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.peers.cluster.houses import REAL, House, Town, fake_house, real_town, simulated_town


@asynccontextmanager
async def _town(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    if kind == "simulator":
        async with simulated_town(request.getfixturevalue("tmp_path")) as town:
            yield town
        return
    async with real_town(request.getfixturevalue("control_plane")) as town:
        yield town


@pytest.fixture(params=["fake", "simulator", REAL])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Any cluster: what effects rely on."""
    if request.param == "fake":
        yield await fake_house()
        return
    async with _town(request.param, request) as town:
        yield town


@pytest.fixture(params=["simulator", REAL])
async def town(request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    """A cluster with schemas and controllers: what the fake does not have."""
    async with _town(request.param, request) as town:
        yield town


@pytest.fixture(params=[REAL])
async def counting_town(request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    """A cluster that counts and judges what pods ask for: the playground's does not (docs/guides/playground.md)."""
    async with _town(request.param, request) as town:
        yield town
