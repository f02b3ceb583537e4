"""How long `causeway serve` takes to its first 200, and what it holds in memory once it has nothing to do."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.bench.children import bot, cpu_s, peers, rss_mb
from tests.bench.figures import Figure, figure

RUNS = 5
STILL_S = 1.0
"""A process is idle when this long has cost it less than a tenth of that in processor time."""


async def run() -> list[Figure]:
    walls: list[float] = []
    works: list[float] = []
    memories: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        async with peers(folder) as ready:
            async with bot(ready, folder):  # makes the database and compiles what Python has not compiled yet
                pass
            for _ in range(RUNS):
                async with bot(ready, folder) as (process, wall):
                    works.append(cpu_s(process.pid))
                    walls.append(wall)
                    await _idle(process.pid)
                    memories.append(rss_mb(process.pid))
    return [
        figure("start_s", walls, "s", better="lower", goal=1.5, against="spawn to the first 200 of /readyz"),
        figure("start_cpu_s", works, "s", better="lower", against="processor time until then, other load left out"),
        figure("rss_mb", memories, "MB", better="lower", goal=150, against="idle after its start"),
    ]


async def _idle(pid: int) -> None:
    before = cpu_s(pid)
    while True:
        await asyncio.sleep(STILL_S)
        now = cpu_s(pid)
        if now - before < STILL_S / 10:
            return
        before = now
