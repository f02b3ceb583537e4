from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.peers.api_server.twins import Twins
from tests.peers.api_server.twins import twins as started
from tests.peers.control_plane.rig import ControlPlane


@pytest.fixture
async def twins(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Twins]:
    async with started(control_plane, tmp_path) as both:
        yield both
