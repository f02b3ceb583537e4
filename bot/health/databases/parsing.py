"""Objects of CloudNativePG and Crossplane → the few fields that tell. As in `bot/health/parsing.py`, whatever is
missing or of another type is met with its plain default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.health.databases.facts import Instances, Job, Link
from bot.health.facts import Condition
from bot.health.shapes import conditions_of, map_at, maps_in, number_of, text_of
from bot.ports import Object, ObjectRef

CNPG = "postgresql.cnpg.io/v1"
SNAPSHOTS = "snapshot.storage.k8s.io/v1"
EXTERNAL_NAME = "crossplane.io/external-name"
PAUSED = "crossplane.io/paused"


def instances(obj: Object) -> Instances:
    """Read a `Cluster`."""
    spec, status = map_at(obj, "spec"), map_at(obj, "status")
    metadata = map_at(obj, "metadata")
    method, source = _bootstrap(spec, text_of(metadata, "namespace"))
    annotations = map_at(metadata, "annotations")
    return Instances(
        wanted=number_of(spec, "instances", 1),
        ready=number_of(status, "readyInstances"),
        phase=text_of(status, "phase"),
        phase_reason=text_of(status, "phaseReason"),
        conditions=conditions_of(status),
        primary=text_of(status, "currentPrimary"),
        host=text_of(status, "writeService"),
        has_secret=bool(text_of(map_at(status, "secretsResourceVersion"), "applicationSecretVersion")),
        method=method,
        source=source,
        asleep=annotations.get("cnpg.io/hibernation") == "on",
        fenced=bool(text_of(annotations, "cnpg.io/fencedInstances").strip("[]")),
    )


def _bootstrap(spec: Mapping[str, Any], namespace: str) -> tuple[str, ObjectRef | None]:
    """Return how a cluster is filled, and the object that it is filled from where that stands beside it."""
    bootstrap = map_at(spec, "bootstrap")
    if "recovery" in bootstrap:
        recovery = map_at(bootstrap, "recovery")
        backup = text_of(map_at(recovery, "backup"), "name")
        volume = map_at(recovery, "volumeSnapshots", "storage")
        if backup:
            return "recovery", ObjectRef(CNPG, "Backup", backup, namespace)
        if text_of(volume, "kind") == "VolumeSnapshot":
            return "recovery", ObjectRef(SNAPSHOTS, "VolumeSnapshot", text_of(volume, "name"), namespace)
        return "recovery", None
    if "pg_basebackup" in bootstrap:
        return "pg_basebackup", None
    return ("import" if map_at(bootstrap, "initdb", "import") else "initdb"), None


def job(obj: Object) -> Job:
    metadata, status = map_at(obj, "metadata"), map_at(obj, "status")
    failed = next((one for one in conditions_of(status) if (one.type, one.status) == ("Failed", "True")), None)
    return Job(
        name=text_of(metadata, "name"),
        role=text_of(map_at(metadata, "labels"), "cnpg.io/jobRole"),
        failed=number_of(status, "failed"),
        gave_up=(failed.reason or failed.message) if failed is not None else "",
    )


def link(obj: Object) -> Link:
    """Read a claim, a composite or a managed resource."""
    metadata, spec, status = map_at(obj, "metadata"), map_at(obj, "spec"), map_at(obj, "status")
    annotations, at = map_at(metadata, "annotations"), map_at(status, "atProvider")
    conditions = conditions_of(status)
    synced = next((one for one in conditions if one.type == "Synced"), None)
    return Link(
        ref=ref(obj),
        conditions=conditions,
        external_name=text_of(annotations, EXTERNAL_NAME) if "forProvider" in spec else "",
        host=text_of(map_at(at, "endpoint"), "address") or text_of(at, "address"),
        state=text_of(at, "dbInstanceStatus") or text_of(at, "status"),
        below=_below(spec, text_of(metadata, "namespace")),
        provider_config=text_of(map_at(spec, "providerConfigRef"), "name"),
        leaving=bool(metadata.get("deletionTimestamp")),
        paused=annotations.get(PAUSED) == "true" or (synced is not None and synced.reason == "ReconcilePaused"),
        published=_is_published(spec, status, conditions),
    )


def _below(spec: Mapping[str, Any], namespace: str) -> tuple[ObjectRef, ...]:
    """Return what stands below: a claim's composite, a composite's resources (its second release keeps them deeper)."""
    named = [map_at(spec, "resourceRef")] if "resourceRef" in spec else []
    named += [*maps_in(spec, "resourceRefs"), *maps_in(map_at(spec, "crossplane"), "resourceRefs")]
    complete = [one for one in named if all(text_of(one, key) for key in ("apiVersion", "kind", "name"))]
    inside = namespace if "crossplane" in spec else ""
    return tuple(
        ObjectRef(
            text_of(one, "apiVersion"), text_of(one, "kind"), text_of(one, "name"), text_of(one, "namespace") or inside
        )
        for one in complete
    )


def _is_published(spec: Mapping[str, Any], status: Mapping[str, Any], conditions: Sequence[Condition]) -> bool:
    if "forProvider" in spec:
        states = {one.type: one.status for one in conditions}
        return states.get("Ready") == states.get("Synced") == "True"
    return bool(text_of(map_at(status, "connectionDetails"), "lastPublishedTime"))


def ref(obj: Object) -> ObjectRef:
    metadata = map_at(obj, "metadata")
    names = text_of(metadata, "name"), text_of(metadata, "namespace")
    return ObjectRef(text_of(obj, "apiVersion"), text_of(obj, "kind"), *names)


def finalizers(obj: Object) -> tuple[str, ...]:
    found = map_at(obj, "metadata").get("finalizers")
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def is_leaving(obj: Object) -> bool:
    return bool(map_at(obj, "metadata").get("deletionTimestamp"))
