"""How a preview is doing now: each service, each database, each address, as the cluster tells."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.databases import state as databases
from bot.deps import Deps
from bot.errors import PlatformError
from bot.health.facts import Workload
from bot.health.parsing import workload
from bot.ports import Cluster
from bot.previews.changes import addresses, documents_of, rollouts_of, workloads
from bot.previews.reading import Preview
from bot.previews.sources import read_again, read_surroundings
from bot.rendering.delivery import Standing
from bot.rendering.delivery.direct import objects_of
from bot.rendering.previews import preview_outline
from bot.rendering.previews.change import document_of
from bot.rendering.stores import Store

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
class DatabaseState:
    store: Store
    state: databases.State


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    services: tuple[ServiceState, ...]
    databases: tuple[DatabaseState, ...] = ()
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
    found: tuple[DatabaseState, ...] = ()
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await _databases(preview, deps)
    except TimeoutError:
        problem = problem or "How its databases are doing is not known yet; ask again in a moment."
    except PlatformError as error:
        problem = problem or f"How its databases are doing is not known: {error.message}"
    return State(services=services, databases=found, problem=problem)


async def _databases(preview: Preview, deps: Deps) -> tuple[DatabaseState, ...]:
    """Return its databases as its documents have them, each as the cluster tells. A preview without one asks nobody."""
    document = document_of(preview.release, preview.place)
    shown = await read_again(document, preview, deps)
    around = await read_surroundings(document, shown, deps)
    outline = preview_outline(
        preview.place,
        preview.release,
        documents_of(shown),
        rollouts=rollouts_of(shown, preview.place),
        owners=around.owners,
        sources=around.databases,
    )
    states = await asyncio.gather(*(databases.read_state(store, deps) for store in outline.stores))
    return tuple(DatabaseState(store=store, state=state) for store, state in zip(outline.stores, states, strict=True))


async def _live(preview: Preview, cluster: Cluster) -> dict[str, Workload]:
    labels = {"causeway.io/environment": preview.name}
    found = await cluster.list("apps/v1", "Deployment", namespace=preview.place.namespace, labels=labels)
    return {one.name: one for one in map(workload, found)}
