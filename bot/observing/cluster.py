"""Looks at what runs: briefly, and closer only where that shows something odd."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.errors import NotFound, Refused
from bot.health import StuckFacts, parsing, read_stuck_facts
from bot.health.diagnosis import looks_stuck
from bot.ports import Cluster, Object
from bot.rendering.delivery import Place

SERVICE, ENVIRONMENT = "causeway.io/service", "causeway.io/environment"
_KINDS = (
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "StatefulSet", ""),
    ("batch/v1", "CronJob", ""),
    ("v1", "Pod", "pods"),
)
"""What is listed, and how it is called where our account may not; what few services have is not missed."""


async def look(place: Place, cluster: Cluster) -> StuckFacts:
    """Return what is seen of the service's workloads and pods; of an odd one, everything that explains it.

    What our account may not read is named in `unreadable`. Raise `UpstreamUnavailable` when the cluster is away.
    """
    labels = {SERVICE: place.service, ENVIRONMENT: place.environment}
    unreadable: list[str] = []

    async def listed(api_version: str, kind: str, resource: str) -> Sequence[Object]:
        try:
            return await cluster.list(api_version, kind, namespace=place.namespace, labels=labels)
        except NotFound:
            return ()
        except Refused:
            if resource:
                unreadable.append(f"{resource} in {place.namespace}")
            return ()

    deployments, stateful, scheduled, pods = await asyncio.gather(*(listed(*kind) for kind in _KINDS))
    seen = StuckFacts(
        service=place.service,
        environment=place.environment,
        namespace=place.namespace,
        delivered_by=place.application if place.is_gitops else "",
        workloads=tuple(map(parsing.workload, (*deployments, *stateful, *scheduled))),
        pods=tuple(map(parsing.pod, pods)),
        unreadable=tuple(unreadable),
    )
    if not seen.workloads or (all(one.is_rolled_out for one in seen.workloads) and not looks_stuck(seen)):
        return seen
    closely = await read_stuck_facts(
        cluster,
        service=place.service,
        environment=place.environment,
        namespace=place.namespace,
        labels=labels,
        delivered_by=seen.delivered_by,
    )
    # Everybody may ask how it is, and read the answer; what it writes is for those who may read its log.
    return replace(closely, logs={})
