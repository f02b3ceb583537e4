"""A small Argo CD on a loopback port: knows some applications, streams what a test changes, fails as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from integrations.argocd import ArgoCDApi
from integrations.argocd.stream import LOOK_AGAIN_S

TOKEN = "a-token-that-must-never-be-printed"
HIDDEN = {"error": "permission denied", "code": 7, "message": "permission denied"}


@dataclass(frozen=True)
class Say:
    """One answer in place of the usual one. `drop` closes the connection; `hang` says nothing until the end."""

    status: int = 200
    body: Any = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: bool = False


class Stub:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.windows: dict[str, Any] = {"canSync": True}
        self.script: list[Say] = []
        """Answers of the next calls that are no streams."""
        self.stream_script: list[Say] = []
        """Answers of the next streams."""
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        """Method, path, query and body of every call."""
        self.naps: list[float] = []
        self.later = asyncio.Semaphore(0)
        """Released: so much time has passed that one who reads again and again does so once more."""
        self.streams: list[asyncio.Queue[bytes | None]] = []
        self.called = asyncio.Event()
        """Set with every call."""
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds == LOOK_AGAIN_S:
            await self.later.acquire()
            return
        self.naps.append(seconds)
        await asyncio.sleep(0)

    def put(self, document: dict[str, Any], *, told: bool = True) -> None:
        """Change an application, and tell the streams of it."""
        name = document["metadata"]["name"]
        kind = "MODIFIED" if name in self.documents else "ADDED"
        self.documents[name] = document
        if told:
            self.say({"result": {"type": kind, "application": document}})

    def remove(self, name: str, *, told: bool = True) -> None:
        gone = self.documents.pop(name)
        if told:
            self.say({"result": {"type": "DELETED", "application": gone}})

    def say(self, event: Any) -> None:
        self.raw(f"data: {json.dumps(event)} \n\n".encode())

    def raw(self, content: bytes | None) -> None:
        """Send these bytes on every stream; end them with None."""
        for queue in self.streams:
            queue.put_nowait(content)

    def calls(self, part: str) -> int:
        """Return how often it was asked for what has this part in its path."""
        return sum(part in path for _, path, _, _ in self.asked)

    # --- the server

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, dict(request.query), body))
        self.called.set()
        streams = request.path == "/api/v1/stream/applications"
        script = self.stream_script if streams else self.script
        if script:
            return await self._as_told(request, script.pop(0))
        if streams:
            return await self._stream(request)
        return self._usual(request)

    async def _as_told(self, request: web.Request, say: Say) -> web.StreamResponse:
        if say.drop:
            assert request.transport is not None
            request.transport.close()
        if say.hang:
            await self.over.wait()
        if say.text is not None:
            return web.Response(status=say.status, text=say.text, headers=say.headers)
        return web.json_response(say.body, status=say.status, headers=say.headers)

    def _usual(self, request: web.Request) -> web.Response:
        parts = request.path.removeprefix("/api/v1/applications").strip("/").split("/")
        if parts == [""]:
            return web.json_response({"metadata": {}, "items": list(self.documents.values()) or None})
        document = self.documents.get(parts[0])
        if document is None:
            return web.json_response(HIDDEN, status=403)
        return web.json_response(self.windows if parts[1:] == ["syncwindows"] else document)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept"] == "text/event-stream"
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.streams.append(queue)
        try:
            while (content := await queue.get()) is not None:
                await answer.prepare(request)  # as Argo CD does: nothing is sent before there is something to tell
                await answer.write(content)
        finally:
            self.streams.remove(queue)
        return answer


@asynccontextmanager
async def argo_cd(**options: Any) -> AsyncIterator[tuple[Stub, ArgoCDApi]]:
    stub = Stub()
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{path:.*}", stub.handle)
    server = TestServer(application)
    await server.start_server()
    api = ArgoCDApi(str(server.make_url("")), SecretStr(TOKEN), sleep=stub.sleep, **options)
    try:
        yield stub, api
    finally:
        stub.over.set()
        stub.raw(None)
        await api.close()
        await server.close()
