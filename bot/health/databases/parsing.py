"""Objects of CloudNativePG and Crossplane → the few fields that tell. As in `bot/health/parsing.py`, whatever is
missing or of another type is met with its plain default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.health.databases.facts import Instances, Job, Link
from bot.health.facts import Condition
from bot.ports import Object, ObjectRef

CNPG = "postgresql.cnpg.io/v1"
SNAPSHOTS = "snapshot.storage.k8s.io/v1"
EXTERNAL_NAME = "crossplane.io/external-name"
PAUSED = "crossplane.io/paused"
_MAPPING = (dict, Mapping)


def instances(obj: Object) -> Instances:
    """Read a `Cluster`."""
    spec, status = _map(obj, "spec"), _map(obj, "status")
    metadata = _map(obj, "metadata")
    method, source = _bootstrap(spec, _text(metadata, "namespace"))
    annotations = _map(metadata, "annotations")
    return Instances(
        wanted=_number(spec, "instances", 1),
        ready=_number(status, "readyInstances"),
        phase=_text(status, "phase"),
        phase_reason=_text(status, "phaseReason"),
        conditions=_conditions(status),
        primary=_text(status, "currentPrimary"),
        host=_text(status, "writeService"),
        has_secret=bool(_text(_map(status, "secretsResourceVersion"), "applicationSecretVersion")),
        method=method,
        source=source,
        asleep=annotations.get("cnpg.io/hibernation") == "on",
        fenced=bool(_text(annotations, "cnpg.io/fencedInstances").strip("[]")),
    )


def _bootstrap(spec: Mapping[str, Any], namespace: str) -> tuple[str, ObjectRef | None]:
    """Return how a cluster is filled, and the object that it is filled from where that stands beside it."""
    bootstrap = _map(spec, "bootstrap")
    if "recovery" in bootstrap:
        recovery = _map(bootstrap, "recovery")
        backup = _text(_map(recovery, "backup"), "name")
        volume = _map(recovery, "volumeSnapshots", "storage")
        if backup:
            return "recovery", ObjectRef(CNPG, "Backup", backup, namespace)
        if _text(volume, "kind") == "VolumeSnapshot":
            return "recovery", ObjectRef(SNAPSHOTS, "VolumeSnapshot", _text(volume, "name"), namespace)
        return "recovery", None
    if "pg_basebackup" in bootstrap:
        return "pg_basebackup", None
    return ("import" if _map(bootstrap, "initdb", "import") else "initdb"), None


def job(obj: Object) -> Job:
    metadata, status = _map(obj, "metadata"), _map(obj, "status")
    failed = next((one for one in _conditions(status) if (one.type, one.status) == ("Failed", "True")), None)
    return Job(
        name=_text(metadata, "name"),
        role=_text(_map(metadata, "labels"), "cnpg.io/jobRole"),
        failed=_number(status, "failed"),
        gave_up=(failed.reason or failed.message) if failed is not None else "",
    )


def link(obj: Object) -> Link:
    """Read a claim, a composite or a managed resource."""
    metadata, spec, status = _map(obj, "metadata"), _map(obj, "spec"), _map(obj, "status")
    annotations, at = _map(metadata, "annotations"), _map(status, "atProvider")
    conditions = _conditions(status)
    synced = next((one for one in conditions if one.type == "Synced"), None)
    return Link(
        ref=ref(obj),
        conditions=conditions,
        external_name=_text(annotations, EXTERNAL_NAME) if "forProvider" in spec else "",
        host=_text(_map(at, "endpoint"), "address") or _text(at, "address"),
        state=_text(at, "dbInstanceStatus") or _text(at, "status"),
        below=_below(spec, _text(metadata, "namespace")),
        provider_config=_text(_map(spec, "providerConfigRef"), "name"),
        leaving=bool(metadata.get("deletionTimestamp")),
        paused=annotations.get(PAUSED) == "true" or (synced is not None and synced.reason == "ReconcilePaused"),
        published=_is_published(spec, status, conditions),
    )


def _below(spec: Mapping[str, Any], namespace: str) -> tuple[ObjectRef, ...]:
    """Return what stands below: a claim's composite, a composite's resources (its second release keeps them deeper)."""
    named = [_map(spec, "resourceRef")] if "resourceRef" in spec else []
    named += [*_maps(spec, "resourceRefs"), *_maps(_map(spec, "crossplane"), "resourceRefs")]
    complete = [one for one in named if all(_text(one, key) for key in ("apiVersion", "kind", "name"))]
    inside = namespace if "crossplane" in spec else ""
    return tuple(
        ObjectRef(_text(one, "apiVersion"), _text(one, "kind"), _text(one, "name"), _text(one, "namespace") or inside)
        for one in complete
    )


def _is_published(spec: Mapping[str, Any], status: Mapping[str, Any], conditions: Sequence[Condition]) -> bool:
    if "forProvider" in spec:
        states = {one.type: one.status for one in conditions}
        return states.get("Ready") == states.get("Synced") == "True"
    return bool(_text(_map(status, "connectionDetails"), "lastPublishedTime"))


def ref(obj: Object) -> ObjectRef:
    metadata = _map(obj, "metadata")
    names = _text(metadata, "name"), _text(metadata, "namespace")
    return ObjectRef(_text(obj, "apiVersion"), _text(obj, "kind"), *names)


def finalizers(obj: Object) -> tuple[str, ...]:
    found = _map(obj, "metadata").get("finalizers")
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def is_leaving(obj: Object) -> bool:
    return bool(_map(obj, "metadata").get("deletionTimestamp"))


def _conditions(status: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(_text(one, "type"), _text(one, "status"), _text(one, "reason"), _text(one, "message"))
        for one in _maps(status, "conditions")
    )


def _map(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, _MAPPING) else None
    return found if isinstance(found, _MAPPING) else {}


def _maps(value: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    found = value.get(key)
    return [one for one in found if isinstance(one, _MAPPING)] if isinstance(found, list | tuple) else []


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _number(value: Mapping[str, Any], key: str, default: int = 0) -> int:
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default
