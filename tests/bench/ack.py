"""How fast slash commands are stored and acknowledged, the work behind the acknowledgement included.

Server and load are processes of their own, each on its own core where there are two. The variants take turns, so that
a neighbour's load falls on all of them; a ratio is taken between neighbours in time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.bench.figures import Figure, figure

VARIANTS = ("bare", "causeway_1", "causeway_60", "bolt_60")
ROUNDS = 7
REQUESTS = 3000
CONNECTIONS = 64
BARE = "a bare aiohttp handler that verifies, parses and inserts the same row, in the same run"


@asynccontextmanager
async def server(variant: str) -> AsyncIterator[int]:
    process = await _python("tests.bench.ack_server", variant, core=0)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def load(port: int, count: int) -> dict[str, float]:
    process = await _python("tests.bench.ack_load", str(port), str(count), str(CONNECTIONS), core=1)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load generator failed; see above")
    measured: dict[str, float] = json.loads(output)
    return measured


async def _python(module: str, *arguments: str, core: int) -> Process:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, {cores[core]})
    return process


async def measure(rounds: int = ROUNDS, count: int = REQUESTS) -> dict[str, list[dict[str, float]]]:
    """Return, for each variant, what each round measured."""
    found: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
    async with AsyncExitStack() as stack:
        ports = {variant: await stack.enter_async_context(server(variant)) for variant in VARIANTS}
        for port in ports.values():
            await load(port, 500)  # warm
        for _ in range(rounds):
            for variant, port in ports.items():
                found[variant].append(await load(port, count))
    return found


def ratios(of: list[dict[str, float]], to: list[dict[str, float]]) -> list[float]:
    return [one["per_s"] / other["per_s"] for one, other in zip(of, to, strict=True)]


async def run() -> list[Figure]:
    found = await measure()
    bare = found["bare"]
    p99s = [one["p99_ms"] for one in found["causeway_60"]]
    rates = [one["per_s"] for one in found["causeway_60"]]
    return [
        figure("ack_ratio_1", ratios(found["causeway_1"], bare), "ratio", better="higher", goal=0.60, against=BARE),
        figure("ack_ratio_60", ratios(found["causeway_60"], bare), "ratio", better="higher", goal=0.60, against=BARE),
        figure(
            "ack_ratio_bolt_60",
            ratios(found["bolt_60"], bare),
            "ratio",
            better="higher",
            against=f"the same; plain Bolt with 60 commands, which stores nothing, beside {BARE}",
        ),
        figure("ack_per_s", rates, "1/s", better="higher", against=f"{CONNECTIONS} connections, 60 commands"),
        figure(
            "ack_stored_p99_ms",
            p99s,
            "ms",
            better="lower",
            goal=50,
            against=f"{CONNECTIONS} commands at once all the time, 60 registered",
        ),
    ]
