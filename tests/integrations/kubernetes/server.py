"""An API server that answers what a test tells it, good or broken, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from integrations.kubernetes import KubernetesCluster, connect

PATIENCE_S = 30.0
"""Longest wait for what must come."""
TOKEN = "a-token-that-must-never-be-printed"
KINDS = {
    "/api/v1": [("Pod", "pods", True), ("ConfigMap", "configmaps", True), ("Namespace", "namespaces", False)],
    "/apis/apps/v1": [("Deployment", "deployments", True)],
}


@dataclass(frozen=True)
class Asked:
    """Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Say:
    """One answer. `drop` closes the connection without one; `cut` promises more than it sends; `hang` says nothing.

    `lines` are sent one by one; then the answer goes on until the test lets it end, unless `ends`.
    """

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False
    hang: bool = False
    lines: tuple[Any, ...] | None = None
    ends: bool = True


class Server:
    """Answers discovery by itself, and everything else from `script`, then by `otherwise`."""

    def __init__(self) -> None:
        self.script: list[Say] = []
        self.otherwise: Callable[[Asked], Say] = lambda _: refusal(404, "the server could not find the resource")
        self.kinds: dict[str, list[tuple[str, str, bool]]] = {path: list(kinds) for path, kinds in KINDS.items()}
        self.asked: list[Asked] = []
        self.discovered: list[str] = []
        self.pauses: list[float] = []
        self.release = asyncio.Event()
        self._came = asyncio.Condition()

    async def watched(self, times: int) -> list[str]:
        """Wait for so many watches; return the version that each was asked to go on from."""
        async with asyncio.timeout(PATIENCE_S), self._came:
            await self._came.wait_for(lambda: len(self._watches()) >= times)
        return self._watches()

    def _watches(self) -> list[str]:
        return [asked.query["resourceVersion"] for asked in self.asked if "watch" in asked.query]

    async def sleep(self, seconds: float) -> None:
        """Take the place of sleeping in the adapter: nobody waits, and the test sees for how long."""
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.kinds and request.method == "GET":
            self.discovered.append(request.path)
            return web.json_response(_discovery(self.kinds[request.path]))
        raw = await request.read()
        headers = {name.lower(): text for name, text in request.headers.items()}
        body = json.loads(raw) if raw else None
        asked = Asked(request.method, request.path, dict(request.query), headers, body)
        async with self._came:
            self.asked.append(asked)
            self._came.notify_all()
        say = self.script.pop(0) if self.script else self.otherwise(asked)
        if say.hang:
            await self.release.wait()
        if say.drop or say.hang:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if say.lines is not None or say.cut:
            return await self._stream(request, say)
        text = say.body if isinstance(say.body, str) else json.dumps(say.body)
        return web.Response(status=say.status, text=text, headers=dict(say.headers))

    async def _stream(self, request: web.Request, say: Say) -> web.StreamResponse:
        response = web.StreamResponse(status=say.status)
        if say.cut:
            response.content_length = 1000
        await response.prepare(request)
        for line in say.lines or ():
            await response.write((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n")
        if say.cut:
            assert request.transport is not None
            request.transport.close()
        elif not say.ends:
            await self.release.wait()
        return response

    @asynccontextmanager
    async def cluster(self, folder: Path, **settings: Any) -> AsyncIterator[KubernetesCluster]:
        async with self.served() as url:
            file = folder / "kubeconfig"
            file.write_text(json.dumps(kubeconfig(url)))
            cluster = connect(str(file), {"staging": ""}, **{"sleep": self.sleep, "timeout_s": 20, **settings})[
                "staging"
            ]
            try:
                yield cluster
            finally:
                self.release.set()
                await cluster.close()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        server = TestServer(app)
        await server.start_server()
        try:
            yield str(server.make_url("")).rstrip("/")
        finally:
            self.release.set()
            await server.close()


def kubeconfig(url: str, *, user: Mapping[str, Any] | None = None, context: str = "main") -> Any:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": dict(user or {"token": TOKEN})}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
    }


def refusal(code: int, message: str, reason: str = "", **details: Any) -> Say:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
    return Say(code, {**body, **({"reason": reason} if reason else {}), **({"details": details} if details else {})})


def listed(*objects: Any, version: str = "10", more: str = "") -> Say:
    return Say(body={"kind": "List", "metadata": {"resourceVersion": version, "continue": more}, "items": [*objects]})


def config_map(name: str, version: str = "1", **values: str) -> Any:
    metadata = {"name": name, "namespace": "x", "uid": f"uid-{name}", "resourceVersion": version}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": values}


def _discovery(kinds: list[tuple[str, str, bool]]) -> Any:
    resources = [{"kind": kind, "name": plural, "namespaced": namespaced} for kind, plural, namespaced in kinds]
    return {"kind": "APIResourceList", "resources": resources}
