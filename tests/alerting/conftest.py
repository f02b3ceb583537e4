from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.alerting.house import House, a_house
from tests.operations.conftest import postgresql, url

__all__ = ["postgresql", "url"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(f"sqlite:///{tmp_path / 'alerts.db'}") as made:
        yield made
