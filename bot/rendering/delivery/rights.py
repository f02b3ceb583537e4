"""Whether we may deliver straight to a cluster: asked before anything is planned, so that nobody approves in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.errors import Refused
from bot.ports import Cluster, ObjectRef
from bot.rendering.delivery.change import Place

WRITTEN = (
    ("v1", "configmaps"),
    ("v1", "serviceaccounts"),
    ("v1", "services"),
    ("apps/v1", "deployments"),
    ("autoscaling/v2", "horizontalpodautoscalers"),
    ("batch/v1", "cronjobs"),
    ("networking.k8s.io/v1", "ingresses"),
    ("networking.k8s.io/v1", "networkpolicies"),
    ("policy/v1", "poddisruptionbudgets"),
)
"""What every cluster has of the kinds that a platform document becomes."""
IN_PREVIEWS = (("v1", "limitranges"), ("v1", "resourcequotas"), ("batch/v1", "jobs"))
"""What stands around the services of a preview, and fills its databases."""
COMPONENT = "manifests/install/components/direct-delivery"


async def refuse_without_rights(place: Place, clusters: Mapping[str, Cluster]) -> None:
    """Raise `Refused` where the server says that we may not write there, or not make the namespace that is missing."""
    cluster = clusters.get(place.settings.cluster)
    if cluster is None or place.is_gitops:
        return
    await _refuse_missing_namespace(place, cluster)
    written = (*WRITTEN, *IN_PREVIEWS) if _is_preview(place) else WRITTEN
    answers = await asyncio.gather(
        *(cluster.may("patch", version, resource, namespace=place.namespace) for version, resource in written)
    )
    denied = [resource for (_, resource), allowed in zip(written, answers, strict=True) if not allowed]
    if denied:
        what = "anything" if len(denied) == len(written) else _listed(denied)
        raise Refused(
            f"{place.environment} is delivered straight to the cluster `{cluster.name}`, which does not let Causeway "
            f"write {what} in the namespace `{place.namespace}`.",
            hint=f"The platform team grants that with `{COMPONENT}`; `causeway doctor` says what is missing.",
        )


async def _refuse_missing_namespace(place: Place, cluster: Cluster) -> None:
    if await cluster.get(ObjectRef("v1", "Namespace", place.namespace)) is not None:
        return
    if not await cluster.may("create", "v1", "namespaces"):
        raise Refused(
            f"The cluster `{cluster.name}` has no namespace `{place.namespace}`, and does not let Causeway make one.",
            hint=f"The platform team makes it and grants `{COMPONENT}` in it, or grants `{COMPONENT}-anywhere`.",
        )


def _is_preview(place: Place) -> bool:
    """A whole preview is one place, of a service of this name in an environment that is a namespace by itself."""
    return place.platform.previews is not None and (place.service, place.namespace) == ("preview", place.environment)


def _listed(resources: list[str]) -> str:
    *others, last = resources
    return f"{', '.join(others)} or {last}" if others else last
