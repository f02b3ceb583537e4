from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.playground.github.running import GitHub, running


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHub]:
    async with running(tmp_path / "github") as peer:
        yield peer
