"""`causeway` as child processes, so that one can be killed while the others live on."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.scenario.world import World

START_S = 90.0
"""Longest wait for a child to be ready, or to end once it was told to."""
PR_SET_PDEATHSIG = 1
NEWEST = 10**9
PACE_S = 0.2
"""Longest pause between two looks at what no event tells of."""


class Child:
    """One `causeway …` process. What it writes to standard error is kept."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.log: list[str] = []
        self._written = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def line(self) -> str:
        """Return the next line of standard output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await self.process.stdout.readline()
        assert line, f"it ended with {await self.process.wait()}: {self.log}"
        return line.decode()

    async def logged(self, event: str) -> None:
        """Wait until this event stands in the log."""
        async with asyncio.timeout(START_S), self._written:
            await self._written.wait_for(lambda: self._reader.done() or any(f'"{event}"' in one for one in self.log))
        assert any(f'"{event}"' in one for one in self.log), f"it ended: {self.log}"

    async def kill(self) -> None:
        """Pull the plug: nothing of it runs any further."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Tell it to stop, and return its exit status."""
        self.process.terminate()
        async with asyncio.timeout(START_S):
            return await self.process.wait()

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self.process.stderr is not None
        try:
            async for line in self.process.stderr:
                async with self._written:
                    self.log.append(line.decode(errors="replace").rstrip())
                    self._written.notify_all()
        finally:
            async with self._written:
                self._written.notify_all()


async def causeway(stack: AsyncExitStack, *words: str, env: Mapping[str, str]) -> Child:
    """Start a child that ends with the stack, and with this process however that ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CAUSEWAY_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot.cli", *words),
        env={**clean, **env},
        stdout=PIPE,
        stderr=PIPE,
        limit=2**24,
        preexec_fn=_die_with_parent,  # between fork and exec it makes one system call and nothing else
    )
    child = Child(process)
    stack.push_async_callback(child.close)
    return child


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Town:
    """Peers in one process, and bots in others."""

    def __init__(self, stack: AsyncExitStack, http: aiohttp.ClientSession, peers: Child, ready: dict[str, Any]) -> None:
        self._stack = stack
        self.http = http
        self.peers = peers
        self.ready = ready

    def seen_from(self, url: str) -> World:
        """The world, with the bot at `url` behind its HTTP door."""
        return World(None, self.http, {**self.ready, "bot": url})

    async def bot(self, url: str, replica: str, **env: str) -> Child:
        """Start a bot and return once it answers."""
        listen = url.removeprefix("http://")
        given = {**self.ready["env"], "CAUSEWAY_LISTEN": listen, "CAUSEWAY_REPLICA": replica, **env}
        child = await causeway(self._stack, "serve", env=given)
        await child.logged("serving")
        return child

    async def hold(self, route: str, delay_s: float = 60.0) -> None:
        """Have GitHub take the next call of `route`, and do nothing about it for a while."""
        here = self.seen_from("")
        await here.fail_github(route=route, times=1, delay_ms=int(delay_s * 1000))

    async def held(self, route: str) -> None:
        """Wait until the call that `hold` ordered has come."""

        async def look() -> bool | None:
            async with self.http.get(f"{self.ready['github']}/sim/faults") as response:
                waiting = [fault["route"] for fault in await response.json()]
            return True if route not in waiting else None

        await self.until(look)

    async def until(self, found: Callable[[], Any]) -> Any:
        """Look again and again, at the latest after `PACE_S`, until the answer is not None."""
        slack = self.seen_from("").slack
        async with asyncio.timeout(START_S):
            while (answer := await found()) is None:
                last = (await slack.call("GET", "events", after=NEWEST, timeout_s=0))["last"]
                await slack.call("GET", "events", after=last, timeout_s=PACE_S)
        return answer


@asynccontextmanager
async def town(folder: Path, bots: list[str], *options: str) -> AsyncIterator[Town]:
    """Start the peers, which deliver to `bots` in turn."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        words = ["playground", "--peers-only", "--json", "--headless", "--port", "0", "--data-dir", str(folder)]
        for url in bots:
            words += ["--bot-url", url]
        peers = await causeway(stack, *words, *options, env={})
        yield Town(stack, http, peers, json.loads(await peers.line()))


def free_urls(count: int) -> list[str]:
    """Return addresses on which nothing listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()
