from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.playground.slack.rig import Bot, Rig, running, running_bot


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with running_bot() as bot:
        yield bot


@pytest.fixture
async def slack(tmp_path: Path, bot: Bot) -> AsyncIterator[Rig]:
    async with running(tmp_path / "slack", bot) as rig:
        yield rig
