"""A small server that answers what a test tells it to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Told:
    """One answer. A body that is no bytes and no text is written as JSON."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    """The connection is closed in the place of it."""


@dataclass
class Server:
    """Answers in the order of `answers`, the last one again and again; a path in `places` has answers of its own."""

    answers: list[Told] = field(default_factory=list)
    places: dict[str, Told] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    """Method, path, query and JSON body of each request."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.asked.append((request.method, request.path, dict(request.query), json.loads(body) if body else None))
        told = self.places.get(f"{request.method} {request.path}") or self._next()
        if told.lost and request.transport is not None:
            request.transport.close()
        content = told.body if isinstance(told.body, bytes | str) else json.dumps(told.body)
        return web.Response(
            body=content.encode() if isinstance(content, str) else content,
            status=told.status,
            headers={"Content-Type": "application/json", **told.headers},
        )

    def _next(self) -> Told:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Yield the address."""
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{path:.*}", self.serve)
        async with TestServer(application, shutdown_timeout=1) as server:
            yield str(server.make_url("")).rstrip("/")


HTML = {"Content-Type": "text/html; charset=utf-8"}
NO_ANSWERS = (
    Told(b"<!doctype html><title>Sign in</title>", headers=HTML),
    Told(b""),
    Told(b'[{"labels":'),
    Told(b"[" * 100_000),
    Told(7),
    Told({"status": "success", "data": 7}),
    Told([7]),
    Told(b"gone", status=404),
    Told(b"<html>Bad Request</html>", status=400, headers=HTML),
    Told(b"busy", status=503),
    Told(b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}),
    Told(b"", status=302, headers={"Location": "http://127.0.0.1:1/elsewhere"}),
    Told(b"slow down", status=429, headers={"Retry-After": "7"}),
    Told(lost=True),
)
"""What is no answer, whatever was asked."""
