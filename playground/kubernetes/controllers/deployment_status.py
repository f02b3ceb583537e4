"""What a Deployment says of itself: numbers, and the conditions Available and Progressing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from playground.kubernetes.controllers.objects import (
    Object,
    condition,
    meta,
    name_of,
    read_stamp,
    spec_of,
    stamp,
    status_of,
    with_conditions,
    without_zeros,
)
from playground.kubernetes.controllers.rollout import limits, replicas_of

DEADLINE_S = 600
"""Kubernetes' default of `progressDeadlineSeconds`."""
DONE = "NewReplicaSetAvailable"


def deployment_status(deployment: Object, new: Object | None, sets: Sequence[Object], now: datetime) -> Object:
    """Return the whole status that follows from the ReplicaSets (`new` is one of `sets`, or None while paused)."""
    before = status_of(deployment)
    replicas = replicas_of(spec_of(deployment))
    numbers = _numbers(new, sets, replicas)
    available = _available(deployment, numbers.get("availableReplicas", 0))
    progressing = _progressing(deployment, new, numbers, now)
    return {
        "observedGeneration": meta(deployment).get("generation", 1),
        **numbers,
        "conditions": with_conditions(before, [_updated(before, c, now) for c in (available, progressing) if c], now),
    }


def deadline(deployment: Object) -> datetime | None:
    """Return when a rollout that does not move is given up; None where none goes on."""
    found = condition(status_of(deployment), "Progressing")
    if found is None or found["reason"] == DONE or found["status"] != "True":
        return None
    seconds = spec_of(deployment).get("progressDeadlineSeconds", DEADLINE_S)
    return read_stamp(found["lastUpdateTime"]) + timedelta(seconds=seconds)


def _numbers(new: Object | None, sets: Sequence[Object], desired: int) -> Object:
    def total(name: str) -> int:
        return sum(status_of(one).get(name, 0) for one in sets)

    available = total("availableReplicas")
    return without_zeros(
        {
            "replicas": total("replicas"),
            "updatedReplicas": status_of(new).get("replicas", 0) if new else 0,
            "readyReplicas": total("readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(sum(replicas_of(spec_of(one)) for one in sets) - available, 0)
            if sets
            else desired,
        }
    )


def _available(deployment: Object, available: int) -> Object:
    enough = replicas_of(spec_of(deployment)) - limits(spec_of(deployment)).unavailable
    if available >= enough:
        return _condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    text = "Deployment does not have minimum availability."
    return _condition("Available", "False", "MinimumReplicasUnavailable", text)


def _progressing(deployment: Object, new: Object | None, numbers: Object, now: datetime) -> Object | None:
    if spec_of(deployment).get("paused"):
        return _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
    if new is None:
        return None
    before = status_of(deployment)
    current = condition(before, "Progressing")
    named = f'ReplicaSet "{name_of(new)}"'
    settled = numbers.get("replicas", 0) == numbers.get("updatedReplicas", 0)
    if settled and current and current["reason"] == DONE and name_of(new) in current["message"]:
        return None
    if _complete(deployment, numbers):
        return _condition("Progressing", "True", DONE, f"{named} has successfully progressed.")
    if current is None or current["reason"] in {DONE, "DeploymentPaused"}:
        return _condition("Progressing", "True", "NewReplicaSetCreated", f'Created new replica set "{name_of(new)}"')
    if _moved(before, numbers):
        told = _condition("Progressing", "True", "ReplicaSetUpdated", f"{named} is progressing.")
        return {**told, "lastUpdateTime": stamp(now)}
    due = deadline(deployment)
    if due and now > due:
        return _condition("Progressing", "False", "ProgressDeadlineExceeded", f"{named} has timed out progressing.")
    return None


def _complete(deployment: Object, numbers: Object) -> bool:
    desired = replicas_of(spec_of(deployment))
    return all(numbers.get(name, 0) == desired for name in ("updatedReplicas", "replicas", "availableReplicas"))


def _moved(before: Object, after: Object) -> bool:
    def old_ones(status: Object) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    grew = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return any(after.get(name, 0) > before.get(name, 0) for name in grew) or old_ones(after) < old_ones(before)


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _updated(before: Object, new: Object, now: datetime) -> Object:
    """Put in the update time, which moves when anything of the condition changes."""
    old = condition(before, new["type"])
    same = old and all(old[key] == new[key] for key in ("status", "reason", "message"))
    return {"lastUpdateTime": old["lastUpdateTime"] if old and same else stamp(now), **new}
