"""Whether we may let a person into a database: asked before anything is planned, so that nobody approves in vain."""

from __future__ import annotations

import asyncio

from bot.deps import Deps
from bot.errors import Refused
from bot.ports import Cluster
from bot.rendering.stores import Store

VERBS = ("create", "patch", "delete")
"""What it takes to make a pod and to take it away. Server-side apply is `patch`, which needs `create` for a new one."""
COMPONENT = "manifests/install/components/database-access"


def cluster_of(store: Store, deps: Deps) -> Cluster:
    """Raise `Refused` where it is not connected."""
    cluster = deps.clusters.get(store.cluster)
    if cluster is None:
        raise Refused(
            f"The cluster of {store.name}, `{store.cluster}`, is not connected.",
            hint="The platform team sets CAUSEWAY_KUBECONFIG and `platform.clusters`.",
        )
    return cluster


async def refuse_without_access(store: Store, deps: Deps) -> Cluster:
    """Raise `Refused` where the server says that we may not make or remove pods beside the database."""
    cluster = cluster_of(store, deps)
    answers = await asyncio.gather(*(cluster.may(verb, "v1", "pods", namespace=store.namespace) for verb in VERBS))
    if not all(answers):
        raise Refused(
            f"Causeway may let nobody into {store.name}: the cluster `{cluster.name}` does not let it make and remove "
            f"pods in the namespace `{store.namespace}`.",
            hint=f"The platform team grants that with `{COMPONENT}`, bound in that namespace.",
        )
    return cluster
