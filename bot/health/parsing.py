"""Kubernetes objects, as the API server tells them → the few fields that a diagnosis needs.

Whatever is missing or of another type is met with its plain default: an odd object must not hide why things are stuck.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.health.facts import (
    Autoscaler,
    Claim,
    Container,
    Event,
    Ingress,
    Pod,
    ReplicaSet,
    Termination,
    Workload,
)
from bot.health.shapes import conditions_of, map_at, maps_in, number_of, text_of
from bot.ports import Object

REVISION = "deployment.kubernetes.io/revision"


def workload(obj: Object) -> Workload:
    """Read a Deployment, StatefulSet or CronJob."""
    spec, status = map_at(obj, "spec"), map_at(obj, "status")
    kind = text_of(obj, "kind")
    template = map_at(spec, "jobTemplate", "spec", "template") if kind == "CronJob" else map_at(spec, "template")
    containers = maps_in(map_at(template, "spec"), "containers")
    return Workload(
        kind=kind,
        name=text_of(map_at(obj, "metadata"), "name"),
        uid=text_of(map_at(obj, "metadata"), "uid"),
        replicas=number_of(spec, "replicas", 0 if kind == "CronJob" else 1),
        generation=number_of(map_at(obj, "metadata"), "generation"),
        observed_generation=number_of(status, "observedGeneration"),
        current_replicas=number_of(status, "replicas"),
        updated_replicas=number_of(status, "updatedReplicas"),
        ready_replicas=number_of(status, "readyReplicas"),
        available_replicas=number_of(status, "availableReplicas"),
        conditions=conditions_of(status),
        labels=_texts(map_at(obj, "metadata", "labels")),
        template_labels=_texts(map_at(template, "metadata", "labels")),
        template_annotations=_texts(map_at(template, "metadata", "annotations")),
        images=tuple(text_of(one, "image") for one in containers),
        paused=spec.get("paused") is True or spec.get("suspend") is True,
    )


def replica_set(obj: Object) -> ReplicaSet:
    metadata = map_at(obj, "metadata")
    revision = text_of(map_at(metadata, "annotations"), REVISION)
    return ReplicaSet(
        name=text_of(metadata, "name"),
        owner=_owner(metadata)[1],
        uid=text_of(metadata, "uid"),
        revision=int(revision) if revision.isdecimal() else 0,
        replicas=number_of(map_at(obj, "spec"), "replicas"),
        labels=_texts(map_at(metadata, "labels")),
        conditions=conditions_of(map_at(obj, "status")),
    )


def pod(obj: Object) -> Pod:
    metadata, spec, status = map_at(obj, "metadata"), map_at(obj, "spec"), map_at(obj, "status")
    owner_kind, owner = _owner(metadata)
    conditions = conditions_of(status)
    return Pod(
        name=text_of(metadata, "name"),
        uid=text_of(metadata, "uid"),
        owner=owner,
        owner_kind=owner_kind,
        phase=text_of(status, "phase"),
        reason=text_of(status, "reason"),
        message=text_of(status, "message"),
        node=text_of(spec, "nodeName"),
        ready=any(one.type == "Ready" and one.status == "True" for one in conditions),
        leaving=bool(metadata.get("deletionTimestamp")),
        created_at=moment(metadata.get("creationTimestamp")),
        labels=_texts(map_at(metadata, "labels")),
        conditions=conditions,
        readiness_gates=tuple(text_of(one, "conditionType") for one in maps_in(spec, "readinessGates")),
        containers=_containers(spec, status),
        claims=_claims(spec),
    )


def event(obj: Object) -> Event:
    """Read an event of the core API; `events.k8s.io` writers leave the old fields of time empty."""
    about = map_at(obj, "involvedObject")
    series = map_at(obj, "series")
    times = (obj.get("lastTimestamp"), series.get("lastObservedTime"), obj.get("eventTime"), obj.get("firstTimestamp"))
    return Event(
        kind=text_of(about, "kind"),
        name=text_of(about, "name"),
        reason=text_of(obj, "reason"),
        message=text_of(obj, "message"),
        warning=text_of(obj, "type") == "Warning",
        count=number_of(series, "count") or number_of(obj, "count", 1),
        at=next((at for at in map(moment, times) if at is not None), None),
    )


def claim(obj: Object) -> Claim:
    spec = map_at(obj, "spec")
    return Claim(
        name=text_of(map_at(obj, "metadata"), "name"),
        phase=text_of(map_at(obj, "status"), "phase"),
        storage_class=text_of(spec, "storageClassName"),
        size=text_of(map_at(spec, "resources", "requests"), "storage"),
    )


def autoscaler(obj: Object) -> Autoscaler:
    return Autoscaler(
        name=text_of(map_at(obj, "metadata"), "name"),
        target=text_of(map_at(obj, "spec", "scaleTargetRef"), "name"),
        conditions=conditions_of(map_at(obj, "status")),
    )


def ingress(obj: Object) -> Ingress:
    spec = map_at(obj, "spec")
    return Ingress(
        name=text_of(map_at(obj, "metadata"), "name"),
        ingress_class=text_of(spec, "ingressClassName"),
        hosts=tuple(host for one in maps_in(spec, "rules") if (host := text_of(one, "host"))),
        has_address=bool(maps_in(map_at(obj, "status", "loadBalancer"), "ingress")),
    )


def node_is_ready(obj: Object) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in conditions_of(map_at(obj, "status")))


def phase(obj: Object) -> str:
    return text_of(map_at(obj, "status"), "phase")


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
        told = {text_of(one, "name"): one for one in maps_in(status, statuses)}
        init = specs == "initContainers"
        found += [_container(one, told.get(text_of(one, "name"), {}), init=init) for one in maps_in(spec, specs)]
    return tuple(found)


def _container(spec: Mapping[str, Any], status: Mapping[str, Any], *, init: bool) -> Container:
    state, last = map_at(status, "state"), map_at(status, "lastState")
    waiting = map_at(state, "waiting")
    return Container(
        name=text_of(spec, "name"),
        init=init,
        image=text_of(spec, "image"),
        ready=status.get("ready") is True,
        started=status.get("started") is True,
        restarts=number_of(status, "restartCount"),
        waiting=text_of(waiting, "reason"),
        waiting_message=text_of(waiting, "message"),
        terminated=_termination(state),
        last=_termination(last),
        running="running" in state,
        memory_limit=text_of(map_at(spec, "resources", "limits"), "memory"),
    )


def _termination(state: Mapping[str, Any]) -> Termination | None:
    told = state.get("terminated")
    if not isinstance(told, Mapping):
        return None
    began, ended = moment(told.get("startedAt")), moment(told.get("finishedAt"))
    return Termination(
        exit_code=number_of(told, "exitCode"),
        reason=text_of(told, "reason"),
        message=text_of(told, "message"),
        lasted_s=(ended - began).total_seconds() if began is not None and ended is not None else None,
        at=ended,
    )


def _claims(spec: Mapping[str, Any]) -> tuple[str, ...]:
    names = (text_of(map_at(one, "persistentVolumeClaim"), "claimName") for one in maps_in(spec, "volumes"))
    return tuple(name for name in names if name)


def _owner(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and UID of the controller."""
    owners = maps_in(metadata, "ownerReferences")
    owner = next((one for one in owners if one.get("controller") is True), owners[0] if owners else {})
    return text_of(owner, "kind"), text_of(owner, "uid")


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    return {key: text for key, text in value.items() if isinstance(text, str)}
