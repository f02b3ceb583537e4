"""An adapter that speaks to a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integrations.kubernetes import KubernetesCluster
from tests.integrations.kubernetes.server import Server


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def cluster(server: Server, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    async with server.cluster(tmp_path) as opened:
        yield opened
