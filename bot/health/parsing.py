"""Kubernetes objects, as the API server tells them → the few fields that a diagnosis needs.

Whatever is missing or of another type is met with its plain default: an odd object must not hide why things are stuck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.health.facts import (
    Autoscaler,
    Claim,
    Condition,
    Container,
    Event,
    Ingress,
    Pod,
    ReplicaSet,
    Termination,
    Workload,
)
from bot.ports import Object

REVISION = "deployment.kubernetes.io/revision"


def workload(obj: Object) -> Workload:
    """Read a Deployment, StatefulSet or CronJob."""
    spec, status = _map(obj, "spec"), _map(obj, "status")
    kind = _text(obj, "kind")
    template = _map(spec, "jobTemplate", "spec", "template") if kind == "CronJob" else _map(spec, "template")
    containers = _maps(_map(template, "spec"), "containers")
    return Workload(
        kind=kind,
        name=_text(_map(obj, "metadata"), "name"),
        uid=_text(_map(obj, "metadata"), "uid"),
        replicas=_number(spec, "replicas", 0 if kind == "CronJob" else 1),
        generation=_number(_map(obj, "metadata"), "generation"),
        observed_generation=_number(status, "observedGeneration"),
        current_replicas=_number(status, "replicas"),
        updated_replicas=_number(status, "updatedReplicas"),
        ready_replicas=_number(status, "readyReplicas"),
        available_replicas=_number(status, "availableReplicas"),
        conditions=_conditions(status),
        labels=_texts(_map(obj, "metadata", "labels")),
        template_labels=_texts(_map(template, "metadata", "labels")),
        template_annotations=_texts(_map(template, "metadata", "annotations")),
        images=tuple(_text(one, "image") for one in containers),
        paused=spec.get("paused") is True or spec.get("suspend") is True,
    )


def replica_set(obj: Object) -> ReplicaSet:
    metadata = _map(obj, "metadata")
    revision = _text(_map(metadata, "annotations"), REVISION)
    return ReplicaSet(
        name=_text(metadata, "name"),
        owner=_owner(metadata)[1],
        uid=_text(metadata, "uid"),
        revision=int(revision) if revision.isdecimal() else 0,
        replicas=_number(_map(obj, "spec"), "replicas"),
        labels=_texts(_map(metadata, "labels")),
        conditions=_conditions(_map(obj, "status")),
    )


def pod(obj: Object) -> Pod:
    metadata, spec, status = _map(obj, "metadata"), _map(obj, "spec"), _map(obj, "status")
    owner_kind, owner = _owner(metadata)
    conditions = _conditions(status)
    return Pod(
        name=_text(metadata, "name"),
        uid=_text(metadata, "uid"),
        owner=owner,
        owner_kind=owner_kind,
        phase=_text(status, "phase"),
        reason=_text(status, "reason"),
        message=_text(status, "message"),
        node=_text(spec, "nodeName"),
        ready=any(one.type == "Ready" and one.status == "True" for one in conditions),
        leaving=bool(metadata.get("deletionTimestamp")),
        created_at=moment(metadata.get("creationTimestamp")),
        labels=_texts(_map(metadata, "labels")),
        conditions=conditions,
        readiness_gates=tuple(_text(one, "conditionType") for one in _maps(spec, "readinessGates")),
        containers=_containers(spec, status),
        claims=_claims(spec),
    )


def event(obj: Object) -> Event:
    """Read an event of the core API; `events.k8s.io` writers leave the old fields of time empty."""
    about = _map(obj, "involvedObject")
    series = _map(obj, "series")
    times = (obj.get("lastTimestamp"), series.get("lastObservedTime"), obj.get("eventTime"), obj.get("firstTimestamp"))
    return Event(
        kind=_text(about, "kind"),
        name=_text(about, "name"),
        reason=_text(obj, "reason"),
        message=_text(obj, "message"),
        warning=_text(obj, "type") == "Warning",
        count=_number(series, "count") or _number(obj, "count", 1),
        at=next((at for at in map(moment, times) if at is not None), None),
    )


def claim(obj: Object) -> Claim:
    spec = _map(obj, "spec")
    return Claim(
        name=_text(_map(obj, "metadata"), "name"),
        phase=_text(_map(obj, "status"), "phase"),
        storage_class=_text(spec, "storageClassName"),
        size=_text(_map(spec, "resources", "requests"), "storage"),
    )


def autoscaler(obj: Object) -> Autoscaler:
    return Autoscaler(
        name=_text(_map(obj, "metadata"), "name"),
        target=_text(_map(obj, "spec", "scaleTargetRef"), "name"),
        conditions=_conditions(_map(obj, "status")),
    )


def ingress(obj: Object) -> Ingress:
    spec = _map(obj, "spec")
    return Ingress(
        name=_text(_map(obj, "metadata"), "name"),
        ingress_class=_text(spec, "ingressClassName"),
        hosts=tuple(host for one in _maps(spec, "rules") if (host := _text(one, "host"))),
        has_address=bool(_maps(_map(obj, "status", "loadBalancer"), "ingress")),
    )


def node_is_ready(obj: Object) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in _conditions(_map(obj, "status")))


def phase(obj: Object) -> str:
    return _text(_map(obj, "status"), "phase")


def moment(value: Any) -> datetime | None:
    """Read an RFC 3339 time; None for what is none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _containers(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[Container, ...]:
    found: list[Container] = []
    for specs, statuses in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        told = {_text(one, "name"): one for one in _maps(status, statuses)}
        init = specs == "initContainers"
        found += [_container(one, told.get(_text(one, "name"), {}), init=init) for one in _maps(spec, specs)]
    return tuple(found)


def _container(spec: Mapping[str, Any], status: Mapping[str, Any], *, init: bool) -> Container:
    state, last = _map(status, "state"), _map(status, "lastState")
    waiting = _map(state, "waiting")
    return Container(
        name=_text(spec, "name"),
        init=init,
        image=_text(spec, "image"),
        ready=status.get("ready") is True,
        started=status.get("started") is True,
        restarts=_number(status, "restartCount"),
        waiting=_text(waiting, "reason"),
        waiting_message=_text(waiting, "message"),
        terminated=_termination(state),
        last=_termination(last),
        running="running" in state,
        memory_limit=_text(_map(spec, "resources", "limits"), "memory"),
    )


def _termination(state: Mapping[str, Any]) -> Termination | None:
    told = state.get("terminated")
    if not isinstance(told, Mapping):
        return None
    began, ended = moment(told.get("startedAt")), moment(told.get("finishedAt"))
    return Termination(
        exit_code=_number(told, "exitCode"),
        reason=_text(told, "reason"),
        message=_text(told, "message"),
        lasted_s=(ended - began).total_seconds() if began is not None and ended is not None else None,
    )


def _claims(spec: Mapping[str, Any]) -> tuple[str, ...]:
    names = (_text(_map(one, "persistentVolumeClaim"), "claimName") for one in _maps(spec, "volumes"))
    return tuple(name for name in names if name)


def _owner(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and UID of the controller."""
    owners = _maps(metadata, "ownerReferences")
    owner = next((one for one in owners if one.get("controller") is True), owners[0] if owners else {})
    return _text(owner, "kind"), _text(owner, "uid")


def _conditions(status: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(_text(one, "type"), _text(one, "status"), _text(one, "reason"), _text(one, "message"))
        for one in _maps(status, "conditions")
    )


_MAPPING = (dict, Mapping)
"""The plain dictionary first: an abstract class takes ten times as long to ask, and each change of a pod asks often."""


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


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _number(value: Mapping[str, Any], key: str, default: int = 0) -> int:
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default
