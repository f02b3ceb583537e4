"""ReplicaSets: as many pods as wanted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    condition,
    controlled_by,
    controller_of,
    is_going,
    labels_of,
    meta,
    name_of,
    namespace_of,
    owner_reference,
    read_stamp,
    short_hash,
    spec_of,
    status_of,
    with_conditions,
    without_zeros,
)
from playground.kubernetes.controllers.pods import is_ready
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.rollout import replicas_of
from playground.kubernetes.objects import Change, copied
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Store

COMPONENT = "replicaset-controller"


class ReplicaSets:
    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("apps", "replicasets"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("", "pods"):
            owner = controller_of(obj)
            if owner and owner["kind"] == "ReplicaSet":
                yield namespace_of(obj), owner["name"]

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        found = self._store.get("apps", "ReplicaSet", namespace, name)
        if found is None:
            return None
        pods = [pod for pod in controlled_by(found, self._store.list("", "Pod", namespace)) if is_active(pod)]
        problem = "" if is_going(found) else self._resize(found, pods)
        pods = [pod for pod in controlled_by(found, self._store.list("", "Pod", namespace)) if is_active(pod)]
        status = replica_set_status(found, pods, problem, self._clock())
        self._store.update({**found, "status": status}, subresource="status")
        return next_available(found, pods, self._clock())

    def _resize(self, found: Object, pods: Sequence[Object]) -> str:
        """Make or delete pods; return why none could be made, or nothing."""
        missing = replicas_of(spec_of(found)) - len(pods)
        try:
            for _ in range(missing):
                made = self._store.create(pod_of(found))
                self._recorder.record(found, "SuccessfulCreate", f"Created pod: {name_of(made)}", component=COMPONENT)
        except ApiError as error:
            self._recorder.record(
                found, "FailedCreate", f"Error creating: {error.message}", "Warning", component=COMPONENT
            )
            return error.message
        for pod in sorted(pods, key=dispensable)[: max(-missing, 0)]:
            self._store.delete("", "Pod", namespace_of(pod), name_of(pod))
            self._recorder.record(found, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", component=COMPONENT)
        return ""


def is_active(pod: Object) -> bool:
    return not is_going(pod) and status_of(pod).get("phase") not in {"Succeeded", "Failed"}


def dispensable(pod: Object) -> tuple[bool, bool, bool, float]:
    """Return the order in which pods are given up: not scheduled, not running, not ready, youngest."""
    age = read_stamp(meta(pod)["creationTimestamp"]).timestamp()
    running = status_of(pod).get("phase") == "Running"
    return bool(spec_of(pod).get("nodeName")), running, is_ready(pod), -age


def pod_of(owner: Object, template: Object | None = None) -> Object:
    """Return a new pod of an owner's template."""
    template = template or spec_of(owner)["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **copied({key: value for key, value in (template.get("metadata") or {}).items() if value}),
            "name": f"{name_of(owner)[:57]}-{short_hash(uuid.uuid4().hex, 5)}",
            "namespace": namespace_of(owner),
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {"restartPolicy": "Always", **copied(template["spec"])},
        "status": {"phase": "Pending"},
    }


def available_at(found: Object, pod: Object) -> datetime | None:
    """Return since when a ready pod counts as available; None for one that is not ready."""
    ready = condition(status_of(pod), "Ready")
    if not is_ready(pod) or ready is None:
        return None
    return read_stamp(ready["lastTransitionTime"]) + timedelta(seconds=spec_of(found).get("minReadySeconds", 0))


def next_available(found: Object, pods: Sequence[Object], now: datetime) -> datetime | None:
    times = [at for pod in pods if (at := available_at(found, pod)) and at > now]
    return min(times, default=None)


def replica_set_status(found: Object, pods: Sequence[Object], problem: str, now: datetime) -> Object:
    labels = spec_of(found)["template"].get("metadata", {}).get("labels") or {}
    available = [pod for pod in pods if (at := available_at(found, pod)) and at <= now]
    numbers = without_zeros(
        {
            "fullyLabeledReplicas": sum(labels.items() <= labels_of(pod).items() for pod in pods),
            "readyReplicas": sum(map(is_ready, pods)),
            "availableReplicas": len(available),
        }
    )
    status = {"replicas": len(pods), **numbers, "observedGeneration": meta(found).get("generation", 1)}
    if problem:
        failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": problem}
        status["conditions"] = with_conditions(status_of(found), [failed], now)
    return status
