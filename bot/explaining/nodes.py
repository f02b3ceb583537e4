"""Which nodes of a service's pods are lost, and since when."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from bot.errors import NotFound, Refused
from bot.explaining.troubles import LostNode
from bot.health.facts import Pod
from bot.health.parsing import moment, node_is_ready
from bot.health.shapes import map_at, maps_in
from bot.ports import Cluster, Object, ObjectRef

MOST = 8
"""Nodes that are looked at."""


async def lost_nodes(cluster: Cluster, pods: Sequence[Pod]) -> tuple[LostNode, ...]:
    """Return the nodes that are not ready. Where our account may not look at nodes, nothing is known of them. Raise
    `UpstreamUnavailable` when the cluster is away."""
    held = Counter(one.node for one in pods if one.node)
    names = sorted(held)[:MOST]
    nodes = await asyncio.gather(*(_node(cluster, name) for name in names))
    return tuple(
        LostNode(name=name, at=moment(_ready(node).get("lastTransitionTime")), pods=held[name])
        for name, node in zip(names, nodes, strict=True)
        if node is not None and not node_is_ready(node)
    )


async def _node(cluster: Cluster, name: str) -> Object | None:
    try:
        return await cluster.get(ObjectRef("v1", "Node", name))
    except (NotFound, Refused):
        return None


def _ready(node: Object) -> Object:
    conditions = maps_in(map_at(node, "status"), "conditions")
    return next((one for one in conditions if one.get("type") == "Ready"), {})
