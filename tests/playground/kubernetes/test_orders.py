"""What can be ordered of the simulated cluster over HTTP: volumes that do not come, databases that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from playground.kubernetes.peer import KubernetesPeer
from tests.playground.kubernetes.cluster import Clock

CNPG = "postgresql.cnpg.io"


@pytest.fixture(params=[True, False], ids=["played", "not played"])
def played(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def http(tmp_path: Path, *, played: bool) -> AsyncIterator[ClientSession]:
    peer = KubernetesPeer(
        data_dir=tmp_path,
        base_url="http://127.0.0.1",
        clock=Clock(),
        admin_token="admin",
        bot_token="bot",
        pullable=(lambda _image: True) if played else None,
    )
    await peer.start()
    spec = {"instances": 1, "storage": {"size": "1Gi"}}
    metadata = {"name": "orders-db", "namespace": "default"}
    peer.store.create({"apiVersion": f"{CNPG}/v1", "kind": "Cluster", "metadata": metadata, "spec": spec})
    server = TestServer(peer.application())
    await server.start_server()
    async with ClientSession(str(server.make_url("/"))) as session:
        yield session
    await server.close()
    await peer.close()


async def order(http: ClientSession, path: str, **body: Any) -> tuple[int, Any]:
    async with http.post(path, json=body) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("played", [True], indirect=True)
async def test_what_is_ordered_is_counted(http: ClientSession) -> None:
    assert await order(http, "/sim/databases", namespace="default", name="orders-db", state="stuck") == (
        200,
        {"ok": True, "databases": 1},
    )
    assert await order(http, "/sim/volumes", namespace="default", selector="a=b", state="pending") == (
        200,
        {"ok": True, "volumes": 0},
    )


@pytest.mark.parametrize("played", [True], indirect=True)
@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/sim/volumes", {"state": "broken"}, "`state` is one of `pending`, `ready`"),
        ("/sim/volumes", {"state": "ready", "selector": 7}, "`selector` is an object of labels or `label=value,…`"),
        ("/sim/databases", {"name": "a", "state": "pending"}, "`state` is one of `stuck`, `failed`, `ready`"),
        ("/sim/databases", {"state": "stuck"}, "`name` names the database: its Cluster, its claim, or its RDSInstance"),
    ],
)
async def test_an_order_that_nobody_knows_is_refused(http: ClientSession, path: str, body: Any, why: str) -> None:
    assert await order(http, path, namespace="default", **body) == (400, {"ok": False, "message": why})


@pytest.mark.parametrize("played", [False], indirect=True)
@pytest.mark.parametrize("path", ["/sim/volumes", "/sim/databases"])
async def test_where_nothing_is_played_nothing_can_be_ordered(http: ClientSession, path: str) -> None:
    status, answer = await order(http, path, namespace="default", name="orders-db", state="ready")
    assert (status, answer["message"]) == (400, "nothing plays the nodes of this cluster")
