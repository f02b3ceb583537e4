"""One fresh world for each scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario.children import Town, free_urls, town
from tests.scenario.world import World, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "playground") as found:
        yield found


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[tuple[Town, str]]:
    """One bot's worth of peers, on SQLite, and the address where that bot is expected."""
    (url,) = free_urls(1)
    async with town(tmp_path / "playground", [url]) as found:
        yield found, url
