"""How a preview is doing now: each service, each database, each address, as the cluster tells."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.deps import Deps
from bot.errors import PlatformError
from bot.health.facts import Workload
from bot.health.parsing import workload
from bot.ports import Cluster
from bot.previews.changes import addresses, workloads
from bot.previews.reading import Preview
from bot.rendering.delivery import Standing
from bot.rendering.delivery.direct import objects_of

PATIENCE_S = 2.0
"""Longest wait for the cluster, in seconds: somebody waits for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    name: str
    url: str = ""
    """Where it answers from outside; empty: nowhere."""
    live: Workload | None = None
    """None where the cluster has none, or did not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    services: tuple[ServiceState, ...]
    problem: str = ""
    """Why the cluster told nothing; empty when it did."""


async def read_state(preview: Preview, standing: Standing, deps: Deps) -> State:
    """Raises nothing that the cluster could be to blame for."""
    objects = objects_of(standing.files)
    urls = addresses(objects)
    names = sorted({*(name for name, _ in workloads(objects)), *preview.terms.commits})
    cluster = deps.clusters.get(preview.place.settings.cluster)
    live: dict[str, Workload] = {}
    problem = ""
    if cluster is None:
        problem = f"The cluster `{preview.place.settings.cluster}` is not connected."
    else:
        try:
            async with asyncio.timeout(PATIENCE_S):
                live = await _live(preview, cluster)
        except TimeoutError:
            problem = "The cluster has not answered yet."
        except PlatformError as error:
            problem = error.message
    services = tuple(ServiceState(name=name, url=urls.get(name, ""), live=live.get(name)) for name in names)
    return State(services=services, problem=problem)


async def _live(preview: Preview, cluster: Cluster) -> dict[str, Workload]:
    labels = {"causeway.io/environment": preview.name}
    found = await cluster.list("apps/v1", "Deployment", namespace=preview.place.namespace, labels=labels)
    return {one.name: one for one in map(workload, found)}
