"""A pod's next step: scheduler and kubelet in one pure function."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from playground.kubernetes.controllers.containers import STEP_S, Around, Look, Told, move, runs_once
from playground.kubernetes.controllers.objects import (
    Object,
    condition,
    name_of,
    namespace_of,
    spec_of,
    stamp,
    status_of,
    uid_of,
    with_conditions,
)

NODE_ADDRESSES = "10.0.1."
IMAGE_TROUBLE = frozenset({"ErrImagePull"})


@dataclass(frozen=True, slots=True)
class Step:
    """What a pod becomes now. `node` is set by the step that schedules it; `pause_s` as in `Moved`."""

    status: Object
    told: tuple[Told, ...] = ()
    node: str = ""
    pause_s: float | None = STEP_S
    failed_pulls: int = field(default=0)


def step(pod: Object, around: Around) -> Step | None:
    """Return the next step, or None where the pod is at rest."""
    if status_of(pod).get("phase") in {"Succeeded", "Failed"}:
        return None
    if not spec_of(pod).get("nodeName"):
        return _schedule(pod, around)
    left = until_deadline_s(pod, around.now)
    if left is not None and left <= 0:
        return _out_of_time(pod, around)
    return _sync(pod, around)


def until_deadline_s(pod: Object, now: datetime) -> float | None:
    """Return how long a pod may still be active, in seconds; None where it has no deadline or has not begun."""
    allowed, began = spec_of(pod).get("activeDeadlineSeconds"), status_of(pod).get("startTime")
    if allowed is None or not began or status_of(pod).get("phase") in {"Succeeded", "Failed"}:
        return None
    return float(allowed) - (now - datetime.fromisoformat(str(began))).total_seconds()


def _out_of_time(pod: Object, around: Around) -> Step:
    """End a pod as a kubelet does: its containers are killed, and what it was is told."""
    ended = {"exitCode": 137, "reason": "Error", "finishedAt": stamp(around.now)}
    containers = [
        {**one, "ready": False, "started": False, "state": {"terminated": ended}}
        for one in status_of(pod).get("containerStatuses") or []
    ]
    told = "Pod was active on the node longer than the specified deadline"
    gone = {"status": "False", "reason": "PodFailed"}
    conditions = _put(pod, [{"type": "Ready", **gone}, {"type": "ContainersReady", **gone}], around.now)
    status = {
        **status_of(pod),
        "phase": "Failed",
        "reason": "DeadlineExceeded",
        "message": told,
        "containerStatuses": containers,
        "conditions": conditions,
    }
    return Step(status, (Told("DeadlineExceeded", told),), pause_s=None)


def _schedule(pod: Object, around: Around) -> Step | None:
    if around.nodes and around.look is not Look.PENDING and not around.unbound:
        number = int(hashlib.sha256(uid_of(pod).encode()).hexdigest(), 16)
        node = around.nodes[number % len(around.nodes)]
        scheduled = {"type": "PodScheduled", "status": "True"}
        text = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
        status = {**status_of(pod), "phase": "Pending", "conditions": _put(pod, [scheduled], around.now)}
        return Step(status, (Told("Scheduled", text, component="default-scheduler"),), node)
    text = unschedulable(len(around.nodes), around.others)
    if around.unbound and around.nodes:
        text = volumes_missing(around.unbound, len(around.nodes) + around.others)
    found = condition(status_of(pod), "PodScheduled")
    if found and found["status"] == "False" and found["message"] == text:
        return None
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}
    status = {**status_of(pod), "phase": "Pending", "conditions": _put(pod, [refused], around.now)}
    return Step(status, (Told("FailedScheduling", text, "Warning", component="default-scheduler"),), pause_s=None)


def unschedulable(nodes: int, others: int = 0) -> str:
    """Return the scheduler's words for a pod that fits on none of so many nodes, nor on others by its selector."""
    if not nodes and not others:
        return "no nodes available to schedule pods"
    if others:
        full = f", {nodes} Insufficient memory" if nodes else ""
        unhelpful = f"{others} Preemption is not helpful for scheduling"
        victims = f", {nodes} No preemption victims found for incoming pod" if nodes else ""
        every = nodes + others
        return (
            f"0/{every} nodes are available: {others} node(s) didn't match Pod's node affinity/selector{full}. "
            f"preemption: 0/{every} nodes are available: {unhelpful}{victims}."
        )
    return (
        f"0/{nodes} nodes are available: {nodes} Insufficient memory. preemption: 0/{nodes} nodes are available: "
        f"{nodes} No preemption victims found for incoming pod."
    )


def volumes_missing(why: str, nodes: int) -> str:
    unhelpful = f"{nodes} Preemption is not helpful for scheduling"
    return f"0/{nodes} nodes are available: {why}. preemption: 0/{nodes} nodes are available: {unhelpful}."


def _sync(pod: Object, around: Around) -> Step | None:
    before = status_of(pod)
    known = {status["name"]: status for status in before.get("containerStatuses") or []}
    moves = [move(pod, one, known.get(one["name"]), around) for one in spec_of(pod)["containers"]]
    containers = [moved.status for moved in moves]
    status = {**before, **_whole(pod, containers, around)}
    pauses = [moved.pause_s for moved in moves if moved.pause_s is not None]
    pause_s = min(pauses) if pauses else None
    if status == before and pause_s is None:
        return None
    failed = sum(one["state"].get("waiting", {}).get("reason") in IMAGE_TROUBLE for one in containers)
    return Step(status, tuple(told for moved in moves for told in moved.told), "", pause_s, failed)


def _whole(pod: Object, containers: Sequence[Object], around: Around) -> Object:
    """Return what a pod's status says beside and because of its containers."""
    host, address = node_address(spec_of(pod)["nodeName"]), pod_address(pod)
    started = status_of(pod).get("startTime") or stamp(around.now)
    body: Object = {
        "phase": phase(pod, containers),
        "startTime": started,
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "qosClass": quality(pod),
        "containerStatuses": list(containers),
        "conditions": _put(pod, _conditions(pod, containers), around.now),
    }
    if any("waiting" not in one["state"] or one["lastState"] for one in containers):
        body |= {"podIP": address, "podIPs": [{"ip": address}]}
    first = spec_of(pod).get("initContainers") or []
    if first:
        body["initContainerStatuses"] = [_initialized(one, started) for one in first]
    return body


def _initialized(container: Object, at: str) -> Object:
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": at, "finishedAt": at}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": True,
        "started": False,
        "restartCount": 0,
        "state": {"terminated": ended},
        "lastState": {},
    }


def phase(pod: Object, containers: Sequence[Object]) -> str:
    ended = [one["state"]["terminated"]["exitCode"] for one in containers if "terminated" in one["state"]]
    if runs_once(pod) and len(ended) == len(containers):
        if not any(ended):
            return "Succeeded"
        if spec_of(pod).get("restartPolicy") == "Never":
            return "Failed"
    waits = any("waiting" in one["state"] and not one["lastState"] for one in containers)
    return "Pending" if waits else "Running"


def _conditions(pod: Object, containers: Sequence[Object]) -> list[Object]:
    unready = [one["name"] for one in containers if not one["ready"]]
    over = phase(pod, containers) in {"Succeeded", "Failed"}
    ready: Object = {"status": "True", "reason": None, "message": None}
    if over:
        ready = {"status": "False", "reason": "PodCompleted", "message": None}
    elif unready:
        text = f"containers with unready status: [{' '.join(unready)}]"
        ready = {"status": "False", "reason": "ContainersNotReady", "message": text}
    ready = {key: value for key, value in ready.items() if value is not None}
    return [
        {"type": "PodReadyToStartContainers", "status": "False" if over else "True"},
        {"type": "Initialized", "status": "True"},
        {"type": "Ready", **ready},
        {"type": "ContainersReady", **ready},
        {"type": "PodScheduled", "status": "True"},
    ]


def _put(pod: Object, wanted: list[Object], now: datetime) -> list[Object]:
    return [{"lastProbeTime": None, **found} for found in with_conditions(status_of(pod), wanted, now)]


def quality(pod: Object) -> str:
    """Return the quality-of-service class that follows from requests and limits."""
    resources = [one.get("resources") or {} for one in spec_of(pod)["containers"]]
    if not any(part.get("requests") or part.get("limits") for part in resources):
        return "BestEffort"
    for part in resources:
        limits, requests = part.get("limits") or {}, part.get("requests") or {}
        if any(name not in limits or requests.get(name, limits[name]) != limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"


def pod_address(pod: Object) -> str:
    digest = hashlib.sha256(uid_of(pod).encode()).digest()
    return f"10.244.{digest[0]}.{digest[1] % 254 + 1}"


def node_address(node: str) -> str:
    return f"{NODE_ADDRESSES}{hashlib.sha256(node.encode()).digest()[0] % 254 + 1}"


def is_ready(pod: Object) -> bool:
    found = condition(status_of(pod), "Ready")
    return bool(found and found["status"] == "True")
