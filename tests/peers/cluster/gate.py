"""A door between a client and a server that a test can slam, hold and open: a plain TCP forwarder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit


class Gate:
    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._shut = False
        self._passing: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Condition()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"{self._target.scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def passing(self) -> int:
        """How many connections there are."""
        return len(self._passing)

    async def slam(self, then: Literal["open", "hold", "shut"] = "open") -> None:
        """Break every connection. Those that come afterwards pass, wait for `open`, or are broken too."""
        self._shut = then == "shut"
        self._open.set() if then == "open" else self._open.clear()
        for task in list(self._passing):
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def open(self) -> None:
        self._shut = False
        self._open.set()

    async def until(self, passing: int) -> None:
        """Wait until so many connections are left or there."""
        async with self._moved:
            await self._moved.wait_for(lambda: len(self._passing) == passing)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self.slam("shut")

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._shut:
            writer.close()
            return
        task = asyncio.ensure_future(self._pass(reader, writer))
        await self._note(task, there=True)
        try:
            await task
        except (asyncio.CancelledError, OSError):
            pass  # slammed
        finally:
            writer.transport.abort()
            await self._note(task, there=False)

    async def _note(self, task: asyncio.Task[None], *, there: bool) -> None:
        async with self._moved:
            self._passing.add(task) if there else self._passing.discard(task)
            self._moved.notify_all()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        there = await asyncio.open_connection(self._target.hostname, self._target.port)
        both = [asyncio.ensure_future(_copy(reader, there[1])), asyncio.ensure_future(_copy(there[0], writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there[1].transport.abort()
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()


@asynccontextmanager
async def gate(url: str) -> AsyncIterator[Gate]:
    """Stand before a server for the length of the block."""
    opened = Gate(url)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()
