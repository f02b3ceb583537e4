"""What is different about any object because it stands in a preview: it is for a while, and it may sleep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bot.model.annotations import COMPARE_OPTIONS, SYNC_OPTIONS

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

NEEDLESS = frozenset({"PrometheusRule", "ConfigMap", "PodDisruptionBudget", "HorizontalPodAutoscaler"})
"""Nobody is woken for a preview or keeps its dashboard, and nothing has to be kept running."""
UNWANTED = (SYNC_OPTIONS, COMPARE_OPTIONS, "argocd.argoproj.io/sync-wave")
"""Annotations. All of a preview goes with it. And a wave waits until the one before is healthy, which a database that
sleeps is not."""
REPLACED = {"type": "Recreate"}
"""The old pod goes before the new one comes: beside one another they may not fit into the quota."""
HIBERNATION = "cnpg.io/hibernation"


def fitted(objects: Iterable[Object], *, asleep: bool) -> Iterator[Object]:
    """Yield the objects as a preview has them. Asleep, no pod is left of them."""
    for obj in objects:
        if obj["kind"] not in NEEDLESS:
            yield _asleep(_fitted(obj)) if asleep else _fitted(obj)


def _fitted(obj: Object) -> dict[str, Any]:
    metadata: Any = obj["metadata"]
    annotations = {key: value for key, value in metadata.get("annotations", {}).items() if key not in UNWANTED}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    found: dict[str, Any] = {**obj, "metadata": rest | ({"annotations": annotations} if annotations else {})}
    if obj["kind"] == "Deployment":
        template = _lenient(found["spec"]["template"])
        return {**found, "spec": {**found["spec"], "strategy": REPLACED, "template": template}}
    if obj["kind"] == "CronJob":
        job = found["spec"]["jobTemplate"]
        inner = {**job["spec"], "template": _lenient(job["spec"]["template"])}
        return {**found, "spec": {**found["spec"], "jobTemplate": {**job, "spec": inner}}}
    return found


def _lenient(template: dict[str, Any]) -> dict[str, Any]:
    """Let pods start without ConfigMaps that only the real environments have."""
    volumes = [
        {**volume, "configMap": {**volume["configMap"], "optional": True}} if "configMap" in volume else volume
        for volume in template["spec"].get("volumes", [])
    ]
    return {**template, "spec": {**template["spec"], "volumes": volumes}}


def _asleep(obj: dict[str, Any]) -> dict[str, Any]:
    match obj["kind"]:
        case "Deployment":
            return {**obj, "spec": {**obj["spec"], "replicas": 0}}
        case "CronJob" | "Job":
            return {**obj, "spec": {**obj["spec"], "suspend": True}}
        case "Cluster":
            annotations = {**obj["metadata"].get("annotations", {}), HIBERNATION: "on"}
            return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}
    return obj
