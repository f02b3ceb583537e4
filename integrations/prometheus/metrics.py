"""The metrics port on Prometheus' client library.

The library blocks, so it works in a small pool of threads of its own. Whoever waits is let go when the time is over, in
the queue before the pool as well, and then the connection is cut, so that no thread works on for nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import TooMuch
from bot.ports import Measured
from integrations.prometheus.answers import SYSTEM
from integrations.prometheus.calls import Call
from integrations.reading.errors import late

if TYPE_CHECKING:
    from integrations.prometheus.client import Client
    from integrations.prometheus.connections import Connections

THREADS = 8
"""Questions at once. A person's question asks about ten, each of some milliseconds."""
TIMEOUT_S = 5.0
"""Of one question, in seconds. The server is told the same, so that it does not work on for nobody."""
MOST_POINTS = 11_000
"""Points of one series; Prometheus' own limit."""


class PrometheusMetrics:
    """Satisfies `bot.ports.Metrics`."""

    def __init__(self, url: str, *, timeout_s: float, threads: int = THREADS) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="prometheus")
        self._opening = threading.Lock()
        self._connections: Connections | None = None

    async def at(self, query: str, moment: datetime | None = None) -> Measured:
        return await self._ask(lambda client: client.at(query, moment, self._timeout_s))

    async def over(self, query: str, begin: datetime, end: datetime, step: timedelta) -> Measured:
        if step > timedelta(0) and (end - begin) / step > MOST_POINTS:
            raise TooMuch(f"{SYSTEM} gives no more than {MOST_POINTS} points.", hint="Ask of a shorter time.")
        return await self._ask(lambda client: client.over(query, begin, end, step, self._timeout_s))

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        if self._connections is not None:
            self._connections.close()

    async def _ask(self, question: Callable[[Client], Measured]) -> Measured:
        call = Call()
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._answer, call, question)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except TimeoutError:
            raise late(SYSTEM) from None
        finally:
            call.cut()

    def _answer(self, call: Call, question: Callable[[Client], Measured]) -> Measured:
        with call.in_this_thread():
            return question(self._client())

    def _client(self) -> Client:
        from integrations.prometheus.client import Client  # noqa: PLC0415  # few need it, and starting must be quick
        from integrations.prometheus.connections import Connections  # noqa: PLC0415  # the same

        with self._opening:
            if self._connections is None:
                self._connections = Connections(self._threads, secure=self._url.startswith("https:"))
        return Client(self._url, self._connections)


def connect(url: str, *, timeout_s: float = TIMEOUT_S, threads: int = THREADS) -> PrometheusMetrics:
    """Return the port for the server at that address. Nothing is sent before the first question."""
    return PrometheusMetrics(url.rstrip("/"), timeout_s=timeout_s, threads=threads)
