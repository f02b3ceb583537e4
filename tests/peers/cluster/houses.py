"""The clusters that the suite runs on, each behind the same few things that a test needs beside the port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from bot.ports import Change, Cluster, Object
from integrations.kubernetes import KubernetesCluster, connect
from playground.kubernetes.peer import KubernetesPeer
from tests.fakes.cluster import FakeCluster
from tests.peers.control_plane.fixtures import CONTROL_PLANE, bot_rights, crds
from tests.peers.control_plane.rig import ADMIN_TOKEN, BOT_TOKEN, ControlPlane, kubeconfig, path_of

REAL = pytest.param("real", marks=CONTROL_PLANE)
PATIENCE_S = 40.0
"""Longest wait for something that a busy machine does in its own time."""


@dataclass(frozen=True)
class House:
    """A cluster with everything allowed, and what happens to it from outside."""

    kind: Literal["fake", "simulator", "real"]
    cluster: Cluster
    namespace: Callable[[], Awaitable[str]]
    """Makes one that no other test has; return its name."""
    by_another: Callable[[Mapping[str, Any], str], Awaitable[None]]
    """Server-side apply by force, under the name of another field manager."""


@dataclass(frozen=True)
class Town(House):
    """A cluster behind an address, with rights, schemas, a history and controllers."""

    bot: Cluster
    """With the rights that `manifests/install/` grants, and no others."""
    url: str
    kubeconfig: Callable[[str], str]
    """Writes a kubeconfig that reaches the cluster through another address; returns its path."""
    compact: Callable[[], Awaitable[None]]
    """Has the cluster forget what came before."""


async def fake_house() -> House:
    cluster = FakeCluster("contract")
    numbers = count(1)

    async def namespace() -> str:
        name = f"test-{next(numbers)}"
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    async def by_another(obj: Mapping[str, Any], manager: str) -> None:
        cluster.put(obj, manager=manager)

    return House("fake", cluster, namespace, by_another)


@asynccontextmanager
async def real_town(plane: ControlPlane) -> AsyncIterator[Town]:
    async def namespace() -> str:
        return await asyncio.to_thread(plane.namespace)

    async def by_another(obj: Mapping[str, Any], manager: str) -> None:
        await asyncio.to_thread(lambda: plane.apply(obj, manager=manager))

    async def compact() -> None:
        await asyncio.to_thread(plane.compact)

    async with AsyncExitStack() as stack:
        cluster, bot = (opened(stack, str(file)) for file in (plane.admin, plane.bot))
        through = plane.kubeconfig_through
        yield Town("real", cluster, namespace, by_another, bot, plane.url, through, compact)


@asynccontextmanager
async def simulated_town(folder: Path) -> AsyncIterator[Town]:
    """The playground's Kubernetes on a loopback port, with the same rights installed."""
    async with AsyncExitStack() as stack:
        peer = KubernetesPeer(
            data_dir=folder,
            base_url="http://127.0.0.1",
            clock=lambda: datetime.now(UTC),
            admin_token=ADMIN_TOKEN,
            bot_token=BOT_TOKEN,
            pullable=lambda _image: True,
        )
        await peer.start()
        stack.push_async_callback(peer.close)
        server = TestServer(peer.application())
        await server.start_server()
        stack.push_async_callback(server.close)
        url = peer.base_url = str(server.make_url("")).rstrip("/")
        http = await stack.enter_async_context(aiohttp.ClientSession(url))
        outside = Outside(http, folder)
        for crd in crds():
            peer.store.apply(crd, manager="rig")
        for obj in bot_rights():
            await outside.by_another(obj, "rig")
        cluster, bot = (opened(stack, outside.kubeconfig(url, token)) for token in (ADMIN_TOKEN, BOT_TOKEN))
        yield Town(
            "simulator", cluster, outside.namespace, outside.by_another, bot, url, outside.kubeconfig, outside.compact
        )


class Outside:
    """What happens to the playground's cluster beside the adapter."""

    def __init__(self, http: aiohttp.ClientSession, folder: Path) -> None:
        self._http = http
        self._folder = folder
        self._numbers = count(1)

    async def namespace(self) -> str:
        name = f"test-{next(self._numbers)}"
        await self._call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    async def by_another(self, obj: Mapping[str, Any], manager: str) -> None:
        path = f"{path_of(obj)}?fieldManager={manager}&force=true"
        await self._call("PATCH", path, obj, "application/apply-patch+yaml")

    async def compact(self) -> None:
        await self._call("POST", "/sim/compact", {})

    def kubeconfig(self, url: str, token: str = ADMIN_TOKEN) -> str:
        file = self._folder / f"{next(self._numbers)}.kubeconfig"
        file.write_text(json.dumps(kubeconfig(url, token)))
        return str(file)

    async def _call(self, method: str, path: str, body: Any, kind: str = "application/json") -> None:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": kind}
        async with self._http.request(method, path, data=json.dumps(body), headers=headers) as answer:
            assert answer.status < 300, await answer.text()


def opened(stack: AsyncExitStack, kubeconfig: str, **settings: Any) -> KubernetesCluster:
    """Return the adapter for a kubeconfig's current context; it is closed with the stack."""
    cluster = connect(kubeconfig, {"contract": ""}, timeout_s=PATIENCE_S, **settings)["contract"]
    stack.push_async_callback(cluster.close)
    return cluster


class Watching:
    """Follows a watch and waits for what a test expects of it."""

    def __init__(self, changes: AsyncIterator[Change]) -> None:
        self._changes = changes

    async def next(self) -> Change:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._changes)

    async def synced(self) -> list[Change]:
        """Return everything up to `synced`, without it."""
        return await self.until(lambda change: change.what == "synced")

    async def until(self, expected: Callable[[Change], bool]) -> list[Change]:
        """Return what came before the one that is expected."""
        before: list[Change] = []
        while not expected(change := await self.next()):
            before.append(change)
        return before

    async def object(self, expected: Callable[[Any], bool]) -> Any:
        """Return the first object that is as expected."""
        while True:
            change = await self.next()
            if change.what == "present" and expected(change.object):
                return change.object

    async def gone(self, name: str) -> None:
        await self.until(lambda change: change.what == "deleted" and name_of(change.object) == name)


@asynccontextmanager
async def watching(cluster: Cluster, api_version: str, kind: str, **scope: Any) -> AsyncIterator[Watching]:
    changes = cluster.watch(api_version, kind, **scope)
    async with aclosing(changes):  # type: ignore[type-var]  # every watch is an asynchronous generator
        yield Watching(changes)


def name_of(obj: Object | None) -> str:
    return str(meta(obj)["name"])


def meta(obj: Object | None) -> Any:
    assert obj is not None
    return obj["metadata"]


def config_map(namespace: str, name: str, values: Mapping[str, str], **metadata: Any) -> dict[str, Any]:
    named = {"name": name, "namespace": namespace, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": dict(values)}


def deployment(namespace: str, name: str, *, pod: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """`pod` is added to the pod's spec, `spec` to the Deployment's."""
    labels = {"app.kubernetes.io/name": name}
    container = {"name": "web", "image": "registry.example/acme/web:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **(pod or {})}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec},
    }
