"""What it costs to wait for 200 services at once, and to watch 2,000 Applications.

The cluster is the playground's, in a process of its own, with the traffic of rollouts as its controllers and its Argo
CD made it. Who waits is a process of its own too, so that nothing else is counted; beside it another one reads the same
watches and does nothing with them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.children import cpu_s, python, rss_mb
from tests.bench.cluster_server import APPLICATIONS, AWAITED
from tests.bench.figures import Figure, figure

WINDOWS = 3
WINDOW_S = 20.0
"""Each second has the traffic of any other, so that a third of a minute stands for a minute."""
SETTLE_S = 5.0
"""Before the first look: what it costs to begin is not what it costs to wait."""
ENOUGH = 0.95
"""Share of the traffic that has to be played for a figure to mean what it says."""
WATCHES = 3
PATIENCE_S = 300.0
"""Longest wait for a child to be ready: to fill the cluster takes a quarter of a minute of processor time."""
SERVICES = f"{AWAITED} services rolled out each minute, one in ten crashing, among {APPLICATIONS:,} Applications"


class Minute(NamedTuple):
    """What one window would come to in a minute."""

    ours: float
    """Processor time, in seconds."""
    bare: float
    happened: float


class Cluster:
    def __init__(self, process: Process, told: dict[str, Any]) -> None:
        self._process = process
        self.each_minute: float = told["each_minute"]
        self.access: tuple[str, str] = told["kubeconfig"], told["commit"]

    async def happened(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(b"how much\n")
        return int(await line(self._process))


async def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as place:
        async with opened(Path(place)) as cluster:
            minutes, memory = await _awaited(cluster)
            watched = [await _watched(cluster) for _ in range(WATCHES)]
    bare = statistics.median(one.bare for one in minutes)
    played = statistics.median(one.happened for one in minutes) / cluster.each_minute
    if played < ENOUGH:
        print(f"await_cpu is too low: this machine had so much to do that only {played:.0%} of the traffic was played")
    beside = (
        f"{SERVICES}, {cluster.each_minute:,.0f} changes; {bare:.1f} for a program that only reads and parses the same "
        "watches, in the same seconds"
    )
    of_watch = f"resident memory added by following one of {APPLICATIONS:,} Applications, which watches them all"
    ratios = [one.ours / one.bare for one in minutes]
    return [
        figure("await_cpu", [one.ours for one in minutes], "s/min", better="lower", goal=3, against=beside),
        figure("await_cpu_ratio", ratios, "ratio", better="lower", against="the program that only reads and parses"),
        figure("await_rss_mb", [memory], "MB", better="lower", against=f"resident memory added by {SERVICES}"),
        figure("watch_rss_mb", watched, "MB", better="lower", goal=150, against=of_watch),
    ]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Cluster]:
    async with python("tests.bench.cluster_server", str(folder)) as process:
        yield Cluster(process, json.loads(await line(process)))


@asynccontextmanager
async def waiter(cluster: Cluster, count: int) -> AsyncIterator[tuple[Process, float]]:
    """Yield who waits once it does, and what its memory was before."""
    async with python("tests.bench.waiter", *cluster.access, str(count)) as process:
        await line(process)
        before = rss_mb(process.pid)
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        await line(process)
        await asyncio.sleep(SETTLE_S)
        yield process, before


async def line(process: Process) -> bytes:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        found = await process.stdout.readline()
    if not found:
        raise RuntimeError("a child has ended; see above")
    return found


async def _awaited(cluster: Cluster) -> tuple[list[Minute], float]:
    """Return what each window costs, and the memory that waiting takes in the end, in MB."""
    async with (
        python("tests.bench.bare_watches", cluster.access[0], str(AWAITED)) as bare,
        waiter(cluster, AWAITED) as (ours, before),
    ):
        await line(bare)
        minutes = []
        for _ in range(WINDOWS):
            begin = Minute(cpu_s(ours.pid), cpu_s(bare.pid), await cluster.happened())
            await asyncio.sleep(WINDOW_S)
            end = Minute(cpu_s(ours.pid), cpu_s(bare.pid), await cluster.happened())
            minutes.append(Minute(*((new - old) * 60 / WINDOW_S for old, new in zip(begin, end, strict=True))))
        return minutes, rss_mb(ours.pid) - before


async def _watched(cluster: Cluster) -> float:
    async with waiter(cluster, 0) as (process, before):
        return rss_mb(process.pid) - before
