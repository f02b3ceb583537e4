"""What it costs to end 200 previews in the same minute, and to sweep 2,000 lines of the book over 20,000 objects."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from bot.effects import ProveGone, RemoveNamespace
from bot.effects.absent import HostsAbsent, NamespaceAbsent, VolumesAbsent
from bot.model.effect import Effect, Run
from bot.model.principal import Principal
from bot.ports import CatalogRegistry, Cluster, Forge, ObjectRef, Ports
from integrations.kubernetes import connect
from tests.bench.awaiting import line
from tests.bench.children import python, rss_mb
from tests.bench.figures import Figure, figure
from tests.bench.preview_cluster import CONTEXT, preview

PREVIEWS = 200
LINES = 2000
OBJECTS = 20_000
RUNS = 3
PATIENCE_S = 120.0
PERSON = Principal(user="user:default/author", display_name="Sample Author")


async def run() -> list[Figure]:
    return [*await _teardowns(), *await _sweeps()]


async def _teardowns() -> list[Figure]:
    seconds, each_second, busiest, each = [], [], [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as place:
            async with python("tests.bench.preview_cluster", place, str(PREVIEWS), "0") as server:
                told = json.loads(await line(server))
                took, before, after = await _torn_down(told["kubeconfig"], server)
        requests = after["requests"] - before["requests"]
        seconds.append(took)
        each_second.append(requests / took)
        busiest.append(float(after["busiest"]))
        each.append(requests / PREVIEWS)
    many = f"{PREVIEWS} previews that end at once, each a namespace deleted, waited for and proved gone"
    beside = f"to the cluster meanwhile: {statistics.median(each):.1f} for each preview, whatever their number"
    return [
        figure("previews_200_teardown_s", seconds, "s", better="lower", goal=60, against=many),
        figure("previews_200_teardown_rps", each_second, "1/s", better="lower", against=f"requests {beside}"),
        figure("previews_200_busiest_s", busiest, "1", better="lower", against="requests in the busiest second"),
    ]


async def _torn_down(kubeconfig: str, server: Any) -> tuple[float, Mapping[str, int], Mapping[str, int]]:
    clusters = connect(kubeconfig, {"default": CONTEXT})
    cluster = clusters["default"]
    nobody = (cast("Forge", None), cast("CatalogRegistry", None))
    ports = Ports(forge=nobody[0], catalog=nobody[1], clusters=clusters)
    plans = [await _plan(cluster, number) for number in range(PREVIEWS)]
    before = await _asked(server)
    begin = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(_end(plan, ports) for plan in plans))
    took = time.perf_counter() - begin
    after = await _asked(server)
    await cluster.close()
    return took, before, after


async def _plan(cluster: Cluster, number: int) -> tuple[Effect, ...]:
    name = preview(number)
    live: Any = await cluster.get(ObjectRef("v1", "Namespace", name))
    uid = str(live["metadata"]["uid"])
    checks = (
        NamespaceAbsent(name=name, uid=uid),
        VolumesAbsent(namespace=name),
        HostsAbsent(hosts=(f"web.{preview(number)}.example.com",)),
    )
    inventory = f"preview.{preview(number)}"
    return (
        RemoveNamespace(id="remove", cluster="default", namespace=name, uid=uid, inventory=inventory),
        ProveGone(id="prove", cluster="default", namespace=name, checks=checks),
    )


async def _end(plan: tuple[Effect, ...], ports: Ports) -> None:
    for effect in plan:
        outcome = await effect.apply(
            ports, Run(operation="op", effect=effect.id, principal=PERSON, now=datetime.now(UTC))
        )
        assert outcome.outputs.get("proved", "yes") == "yes", outcome.seen


async def _asked(server: Any) -> Mapping[str, int]:
    server.stdin.write(b"how much\n")
    found: Mapping[str, int] = json.loads(await line(server))
    return found


async def _sweeps() -> list[Figure]:
    seconds, memory, looked = [], [], 0
    with tempfile.TemporaryDirectory() as place:
        async with python("tests.bench.preview_cluster", place, "0", str(OBJECTS)) as server:
            told = json.loads(await line(server))
            url = f"sqlite:///{place}/book.sqlite"
            async with python("tests.bench.sweeper", told["kubeconfig"], url, str(LINES)) as sweeper:
                await line(sweeper)
                idle = rss_mb(sweeper.pid)
                for _ in range(RUNS):
                    assert sweeper.stdin is not None
                    sweeper.stdin.write(b"go\n")
                    found = json.loads(await line(sweeper))
                    seconds.append(found["seconds"])
                    memory.append(found["peak_mb"] - idle)
                    looked = found["objects"]
    beside = f"{LINES:,} lines of the book held against {looked:,} objects of a cluster"
    peak = f"most memory added by that; the objects' content alone is {OBJECTS * 2 / 1000 / 2:.0f} MB"
    return [
        figure("sweep_2000_s", seconds, "s", better="lower", goal=60, against=beside),
        figure("sweep_2000_mb", memory, "MB", better="lower", goal=100, against=peak),
    ]
