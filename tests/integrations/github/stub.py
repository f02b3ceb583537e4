"""A server that answers what a test tells it, good or broken, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from integrations.github import GitHubForge, Pace, connect

TOKEN = "a-token-that-must-never-be-printed"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Say:
    """One answer. `drop` closes the connection without one; `cut` promises more than it sends; `hang` says nothing."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    drop: bool = False
    cut: bool = False
    hang: bool = False


class Stub:
    def __init__(self) -> None:
        self.script: list[Say] = []
        self.otherwise: Callable[[Asked], Say] = lambda _: Say(404, {"message": "Not Found"})
        self.asked: list[Asked] = []
        self.naps: list[float] = []
        self._release = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Take the place of sleeping in the adapter: nobody waits, and the test sees for how long."""
        self.naps.append(seconds)
        self.now += seconds

    now = 5000.0

    def clock(self) -> float:
        return self.now

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        asked = Asked(
            request.method, request.path, dict(request.query), dict(request.headers), json.loads(raw) if raw else None
        )
        self.asked.append(asked)
        say = self.script.pop(0) if self.script else self.otherwise(asked)
        if say.hang:
            await self._release.wait()
        if say.drop or say.hang:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        text = say.text if say.text is not None else ("" if say.body is None else json.dumps(say.body))
        if say.cut:
            return await _half(request, say, text)
        kind = "text/html" if text.startswith("<") else "application/json"
        return web.Response(status=say.status, text=text, headers=dict(say.headers), content_type=kind)

    @asynccontextmanager
    async def forge(self, **settings: Any) -> AsyncIterator[GitHubForge]:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/{path:.*}", self.handle)
        server = TestServer(app)
        await server.start_server()
        arguments = {"token": SecretStr(TOKEN), "pace": Pace(burst=1000), "timeout_s": 20, **settings}
        forge = connect(str(server.make_url("/")), clock=self.clock, sleep=self.sleep, **arguments)
        try:
            yield forge
        finally:
            self._release.set()
            await forge.close()
            await server.close()


async def _half(request: web.Request, say: Say, text: str) -> web.StreamResponse:
    response = web.StreamResponse(status=say.status, headers=dict(say.headers))
    response.content_length = len(text) + 10
    await response.prepare(request)
    await response.write(text.encode()[: len(text) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


REPOSITORY = {
    "id": 7,
    "full_name": "acme/orders",
    "description": "Orders",
    "homepage": None,
    "default_branch": "main",
    "private": True,
    "html_url": "https://github.example/acme/orders",
    "clone_url": "https://github.example/acme/orders.git",
    "archived": False,
    "forks_count": 0,
}
SHA = "1" * 40
COMMIT = {
    "sha": SHA,
    "tree": {"sha": "2" * 40},
    "parents": [],
    "message": "m",
    "author": {"name": "A"},
    "html_url": "u",
}
BRANCH = {"name": "main", "commit": {"sha": SHA, "commit": COMMIT, "parents": [], "html_url": "u"}}
