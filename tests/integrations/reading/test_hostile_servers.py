"""Servers that speak no good HTTP, against all four adapters: each failure has a name, and each wait has an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import PlatformError, TimedOut, TooMuch, UpstreamUnavailable
from integrations import alertmanager, loki, prometheus, tempo

PATIENCE_S = 60.0
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Writes = Callable[[asyncio.StreamWriter], Awaitable[None]]


def raw(content: bytes) -> Writes:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return write


def forever(begin: bytes, part: bytes, pause_s: float = 0.0) -> Writes:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)  # how slowly a hostile server drips

    return write


CASES: dict[str, tuple[Writes, type[PlatformError]]] = {
    "no HTTP": (raw(b"\x00\x01garbage\r\n\r\n"), UpstreamUnavailable),
    "nothing": (raw(b""), UpstreamUnavailable),
    "less than promised": (raw(GOOD + b"Content-Length: 1000\r\n\r\n{}"), UpstreamUnavailable),
    "a length below zero": (raw(GOOD + b"Content-Length: -5\r\n\r\n{}"), UpstreamUnavailable),
    "a chunk without a size": (raw(GOOD + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n{}"), UpstreamUnavailable),
    "half a chunk": (raw(GOOD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n{}"), UpstreamUnavailable),
    "another version": (raw(b"HTTP/2 200\r\n\r\n{}"), UpstreamUnavailable),
    "no such status": (raw(b"HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\n{}"), UpstreamUnavailable),
    "a broken way elsewhere": (
        raw(b"HTTP/1.1 302 Found\r\nLocation: http://[::\r\nContent-Length: 0\r\n\r\n"),
        UpstreamUnavailable,
    ),
    "a deep document": (raw(GOOD + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000), UpstreamUnavailable),
    "a chunk without an end": (
        forever(GOOD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n", b" " * 65_536),
        TooMuch,
    ),
    "headers without an end": (forever(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"), UpstreamUnavailable),
    "a header that trickles": (forever(b"HTTP/1.1 200 OK\r\n", b"X", 0.05), TimedOut),
    "promises without an end": (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), TimedOut),
}


@asynccontextmanager
async def speaking(writes: Writes) -> AsyncIterator[str]:
    """Answer whatever is asked so, and hang up."""
    tasks: set[asyncio.Task[Any] | None] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            await writes(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(on_connection, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in tasks:
            if task is not None:
                task.cancel()
    for _ in range(5):  # connections that are being closed have their turn
        await asyncio.sleep(0)


@pytest.mark.parametrize("case", CASES)
async def test_every_failure_has_a_name_and_every_wait_an_end(case: str) -> None:
    writes, kind = CASES[case]
    timeout_s = 0.5 if kind is TimedOut else PATIENCE_S
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(speaking(writes))
        adapters: Any = [one.connect(url, timeout_s=timeout_s) for one in (prometheus, alertmanager, loki, tempo)]
        for adapter in adapters:
            stack.push_async_callback(adapter.close)
        measures, fires, writes_lines, traces = adapters
        begin = NOON - timedelta(hours=1)
        async with asyncio.timeout(PATIENCE_S):
            ended = await asyncio.gather(
                measures.at("up"),
                fires.groups(),
                writes_lines.lines("{}", begin, NOON, limit=5),
                traces.trace("ab"),
                return_exceptions=True,
            )
    assert [type(one) for one in ended] == [kind] * 4
