"""How many alerts are stored and acknowledged in a second, and how many root messages a storm makes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.alerting.house import a_house, alert, delivery
from tests.bench.figures import Figure, figure

ROUNDS, DELIVERIES, CONNECTIONS = 5, 1_500, 32
BARE = "a bare aiohttp handler that checks the token, parses and inserts the same row, in the same run"
GROUPS = 100


async def run() -> list[Figure]:
    found: dict[str, list[float]] = {"bare": [], "causeway": []}
    async with AsyncExitStack() as stack:
        ports = {variant: await stack.enter_async_context(server(variant)) for variant in found}
        for port in ports.values():
            await load(port, 200)  # warm
        for _ in range(ROUNDS):
            for variant, port in ports.items():
                found[variant].append(await load(port, DELIVERIES))
    ratios = [ours / bare for ours, bare in zip(found["causeway"], found["bare"], strict=True)]
    roots = [float(await storm_roots())]
    return [
        figure("alerts_per_s", found["causeway"], "1/s", better="higher", against=BARE),
        figure("alerts_ratio", ratios, "ratio", better="higher", goal=0.60, against=BARE),
        figure("storm_root_messages", roots, "", better="lower", goal=GROUPS, against="10,000 alerts in 100 groups"),
    ]


async def storm_roots() -> int:
    """Return how many root messages 100 groups make: a dependency fails, and what stands above it with it."""
    services = ("checkout-web", "orders-api", "orders-db")
    bodies = [
        delivery(
            *(
                alert(
                    f"Alert{number % 7}", service=services[number % 3], environment="production", pod=f"{number}-{pod}"
                )
                for pod in range(100)
            ),
            groupLabels={"alertname": f"Alert{number % 7}", "service": services[number % 3], "shard": str(number)},
        )
        for number in range(GROUPS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with a_house(f"sqlite:///{folder}/storm.db") as house:
            await house.hear(*bodies)
            return len(house.roots())


@asynccontextmanager
async def server(variant: str) -> AsyncIterator[int]:
    process = await _python("tests.bench.alerts_server", variant, core=0)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def load(port: int, count: int) -> float:
    process = await _python("tests.bench.alerts_load", str(port), str(count), str(CONNECTIONS), core=1)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load generator failed; see above")
    return float(json.loads(output)["alerts_per_s"])


async def _python(module: str, *arguments: str, core: int) -> Process:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, {cores[core]})
    return process
