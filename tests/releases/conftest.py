from __future__ import annotations

import pytest

from tests.releases.house import House


@pytest.fixture
async def house() -> House:
    return await House().begin()
