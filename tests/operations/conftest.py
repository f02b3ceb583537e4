from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.postgresql import Cluster, cluster
from tests.peers.tools import need


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    with cluster(need("postgresql")) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'causeway.sqlite'}"
    running: Cluster = request.getfixturevalue("postgresql")
    return running.database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'causeway.sqlite'}"
