"""Deployments: keep one ReplicaSet for each pod template, and go from the old ones to the new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from playground.kubernetes.controllers.deployment_status import deadline, deployment_status
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    annotations_of,
    controlled_by,
    controller_of,
    is_going,
    labels_of,
    meta,
    name_of,
    namespace_of,
    owner_reference,
    short_hash,
    spec_of,
    status_of,
)
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.rollout import Sized, limits, recreate, replicas_of, rolling
from playground.kubernetes.objects import Change, copied
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

HASH = "pod-template-hash"
PREFIX = "deployment.kubernetes.io/"
REVISION = f"{PREFIX}revision"
COMPONENT = "deployment-controller"
KEPT = 10
"""Kubernetes' default of `revisionHistoryLimit`."""
NOT_COPIED = frozenset({REVISION, "kubectl.kubernetes.io/last-applied-configuration"})


class Deployments:
    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("apps", "deployments"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("apps", "replicasets"):
            owner = controller_of(obj)
            if owner and owner["kind"] == "Deployment":
                yield namespace_of(obj), owner["name"]

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        deployment = self._store.get("apps", "Deployment", namespace, name)
        if deployment is None or is_going(deployment):
            return None
        sets = controlled_by(deployment, self._store.list("apps", "ReplicaSet", namespace))
        sets.sort(key=revision_of)
        hashed = template_hash(deployment)
        new = next((one for one in sets if labels_of(one).get(HASH) == hashed), None)
        if not spec_of(deployment).get("paused"):
            new, sets = self._new_set(deployment, new, sets, hashed)
            self._move(deployment, new, sets)
            self._forget_old(deployment, new, sets)
        return self._tell_status(deployment, new)

    def _new_set(
        self, deployment: Object, new: Object | None, sets: Sequence[Object], hashed: str
    ) -> tuple[Object, list[Object]]:
        """Return the ReplicaSet of the current template, made where it is missing, and all of them."""
        olds = [one for one in sets if new is None or name_of(one) != name_of(new)]
        revision = max((revision_of(one) for one in olds), default=0) + 1
        if new is None:
            new = self._store.create(replica_set(deployment, hashed, revision))
        elif revision_of(new) < revision:  # an old template again: it becomes the newest
            meta(new).setdefault("annotations", {})[REVISION] = str(revision)
            new = self._store.update(new)
        if annotations_of(deployment).get(REVISION) != annotations_of(new)[REVISION]:
            meta(deployment).setdefault("annotations", {})[REVISION] = annotations_of(new)[REVISION]
            meta(deployment)["resourceVersion"] = meta(self._store.update(deployment))["resourceVersion"]
        return new, [*olds, new]

    def _move(self, deployment: Object, new: Object, sets: Sequence[Object]) -> None:
        spec = spec_of(deployment)
        olds = [_sized(one) for one in sets if name_of(one) != name_of(new)]
        desired = replicas_of(spec)
        if (spec.get("strategy") or {}).get("type") == "Recreate":
            changes = recreate(desired, _sized(new), olds)
        else:
            changes = rolling(desired, limits(spec), _sized(new), olds)
        for one in sets:
            if name_of(one) in changes:
                self._scale(deployment, one, changes[name_of(one)])

    def _scale(self, deployment: Object, one: Object, replicas: int) -> None:
        before = replicas_of(spec_of(one))
        spec = spec_of(deployment)
        one["spec"]["replicas"] = replicas
        meta(one)["annotations"] |= _sizes(spec)
        meta(one)["resourceVersion"] = meta(self._store.update(one))["resourceVersion"]
        direction = "up" if replicas > before else "down"
        text = f"Scaled {direction} replica set {name_of(one)} from {before} to {replicas}"
        self._recorder.record(deployment, "ScalingReplicaSet", text, component=COMPONENT)

    def _forget_old(self, deployment: Object, new: Object, sets: Sequence[Object]) -> None:
        kept = spec_of(deployment).get("revisionHistoryLimit", KEPT)
        idle = [
            one
            for one in sets
            if name_of(one) != name_of(new) and not replicas_of(spec_of(one)) and not status_of(one).get("replicas")
        ]
        for one in idle[: max(len(idle) - kept, 0)]:
            self._store.delete("apps", "ReplicaSet", namespace_of(one), name_of(one))

    def _tell_status(self, deployment: Object, new: Object | None) -> Again:
        sets = controlled_by(deployment, self._store.list("apps", "ReplicaSet", namespace_of(deployment)))
        if new is not None:
            new = next((one for one in sets if name_of(one) == name_of(new)), None)
        status = deployment_status(deployment, new, sets, self._clock())
        deployment = self._store.update({**deployment, "status": status}, subresource="status")
        return deadline(deployment)


def template_hash(deployment: Object) -> str:
    return short_hash(spec_of(deployment)["template"])


def revision_of(replica_set: Object) -> int:
    return int(annotations_of(replica_set).get(REVISION, 0))


def replica_set(deployment: Object, hashed: str, revision: int) -> Object:
    """Return the ReplicaSet of a Deployment's current template, with no pods as yet."""
    spec = spec_of(deployment)
    template = copied(spec["template"])
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = hashed
    selector = copied(spec["selector"])
    selector.setdefault("matchLabels", {})[HASH] = hashed
    inherited = {key: value for key, value in annotations_of(deployment).items() if key not in NOT_COPIED}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{hashed}",
            "namespace": namespace_of(deployment),
            "labels": dict(template["metadata"]["labels"]),
            "annotations": {**inherited, REVISION: str(revision), **_sizes(spec)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }


def _sizes(spec: Object) -> dict[str, str]:
    desired = replicas_of(spec)
    surge = 0 if (spec.get("strategy") or {}).get("type") == "Recreate" else limits(spec).surge
    return {f"{PREFIX}desired-replicas": str(desired), f"{PREFIX}max-replicas": str(desired + surge)}


def _sized(one: Object) -> Sized:
    status = status_of(one)
    return Sized(name_of(one), replicas_of(spec_of(one)), status.get("replicas", 0), status.get("availableReplicas", 0))
