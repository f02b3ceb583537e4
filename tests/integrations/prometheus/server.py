"""A small Prometheus that answers what a test tells it to, byte for byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from integrations.prometheus import PrometheusMetrics, connect

Writes = Callable[[web.StreamResponse], Awaitable[None]]


@dataclass
class Prometheus:
    status: int = 200
    answer: Any = None
    """What is written as JSON; bytes as they are."""
    headers: dict[str, str] = field(default_factory=dict)
    writes: Writes | None = None
    """Writes the body itself, piece by piece."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """Each question's form, `path` and `address` (its whole query string) beside."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def answers(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.asked.append(
            {"path": request.path, "address": request.query_string} | {key: str(value) for key, value in form.items()}
        )
        self.arrived.set()
        if self.writes is not None:
            response = web.StreamResponse(status=self.status, headers=self.headers)
            response.content_type = "application/json"
            await response.prepare(request)
            await self.writes(response)
            return response
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(body=body, status=self.status, headers={"Content-Type": "application/json"} | self.headers)


@asynccontextmanager
async def serving(prometheus: Prometheus, **limits: Any) -> AsyncIterator[PrometheusMetrics]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", prometheus.answers)
    async with TestServer(application, shutdown_timeout=1) as server:
        metrics = connect(str(server.make_url("")), **limits)
        try:
            yield metrics
        finally:
            await metrics.close()
            await turns()
    await turns()


async def turns() -> None:
    """Let connections that are being closed, or were just taken, have their turn."""
    for _ in range(20):
        await asyncio.sleep(0)


def vector(*values: tuple[dict[str, str], str], at: float = 0.0, **beside: Any) -> dict[str, Any]:
    """An instant vector as the server writes it."""
    result = [{"metric": labels, "value": [at, value]} for labels, value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}} | beside


def matrix(*series: tuple[dict[str, str], Iterable[tuple[float, str]]], **beside: Any) -> dict[str, Any]:
    result = [{"metric": labels, "values": [list(point) for point in points]} for labels, points in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}} | beside


def error(kind: str, text: str) -> dict[str, str]:
    return {"status": "error", "errorType": kind, "error": text}
