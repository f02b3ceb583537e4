"""Child processes of the benchmarks, the playground's peers and `causeway serve`: ended whatever happens."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE_S = 60.0
"""Longest wait for a child to be ready or to end."""
LOOK_S = 0.005
"""Time between two looks whether a child is ready; it bounds the error of what is measured."""
PR_SET_PDEATHSIG = 1
_CAUSEWAY = [sys.executable, "-m", "bot.cli"]


@contextmanager
def child(*arguments: str, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `causeway ARGUMENTS` while the block runs; the kernel ends it when this process dies without an end."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*_CAUSEWAY, *arguments],
            env=_clean_environment(log.parent) | dict(env),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # started from the main thread only
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def peers(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """The playground's peers in a child; yields the line that it prints when all of them listen."""
    data, log = folder / "playground", folder / "peers.log"
    arguments = ("playground", "--peers-only", "--headless", "--json", "--port", "0", "--data-dir", str(data))
    with child(*arguments, env={}, log=log) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await asyncio.to_thread(process.stdout.readline)
        if not line:
            raise RuntimeError(f"The peers did not start:\n{log.read_text()}")
        yield json.loads(line)


@asynccontextmanager
async def bot(ready: Mapping[str, Any], folder: Path) -> AsyncIterator[tuple[subprocess.Popen[str], float]]:
    """`causeway serve` on these peers; yields the process and how long its first 200 took, in seconds."""
    log = folder / "bot.log"
    begin = time.perf_counter()
    with child("serve", env=ready["env"], log=log) as process:
        async with aiohttp.ClientSession() as http:
            while not await _answers(http, f"{ready['bot']}/readyz"):
                if process.poll() is not None or time.perf_counter() - begin > PATIENCE_S:
                    raise RuntimeError(f"The bot did not start:\n{log.read_text()}")
                await asyncio.sleep(LOOK_S)
        yield process, time.perf_counter() - begin


@asynccontextmanager
async def python(module: str, *arguments: str) -> AsyncIterator[Process]:
    """Run a module of the benchmarks; it ends when its standard input is closed, and dies with this process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), stdin=PIPE, stdout=PIPE, preexec_fn=_die_with_parent
    )
    assert process.stdin is not None
    try:
        yield process
        process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            if await process.wait():
                raise RuntimeError(f"{module} has failed; see above")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB (10⁶ bytes)."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _clean_environment(folder: Path) -> dict[str, str]:
    """Without settings of this shell, and with compiled modules kept from one start to the next, as installed ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAUSEWAY_", "PYTHON"))}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
