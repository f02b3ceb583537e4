"""One container's life as the kubelet tells it: from state to state, with the events that go with it.

(nothing) → waiting: ContainerCreating → running → running and ready
waiting: ErrImagePull ⇄ ImagePullBackOff, CreateContainerConfigError → … as soon as the cause is gone
running → terminated → running (restarted) → terminated → waiting: CrashLoopBackOff → running → …
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from playground.kubernetes.controllers.objects import (
    Object,
    name_of,
    namespace_of,
    spec_of,
    stamp,
    uid_of,
)

STEP_S = 0.03
"""How long one visible step takes, in real seconds: long enough to be watched, short enough not to be waited for."""
PACE = 50
"""How many times faster than a kubelet's its back-off is. What is said keeps the kubelet's own seconds."""
CRASH_EXIT, OOM_EXIT = 1, 137


class Look(StrEnum):
    """What a pod can be made to look like."""

    READY = "ready"
    CRASHLOOP = "crashloop"
    OOM = "oom"
    IMAGEPULL = "imagepull"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Told:
    """An event in the kubelet's or scheduler's words."""

    reason: str
    message: str
    kind: str = "Normal"
    container: str = ""
    component: str = "kubelet"


@dataclass(frozen=True, slots=True)
class Around:
    """What the kubelet sees beside the pod itself."""

    now: datetime
    look: Look
    pullable: Callable[[str], bool]
    missing: Callable[[Object], str]
    """What a container's environment refers to and is not there (`secret "x" not found`); empty when all is there."""
    pulls: int = 0
    """How often the pod's images could not be pulled so far."""
    nodes: Sequence[str] = ()
    """Those that fit the pod's node selector."""
    others: int = 0
    """How many do not."""
    unbound: str = ""
    """Why the pod's volumes are not there, in the scheduler's words; empty when they are."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A container's next status. `pause_s`: real seconds until the one after; None when nothing follows by itself."""

    status: Object
    told: tuple[Told, ...] = ()
    pause_s: float | None = STEP_S


def move(pod: Object, container: Object, before: Object | None, around: Around) -> Moved:
    """Return the next status of a container; the same status and no pause when it is at rest."""
    if before is None:
        return _entered(pod, container, around)
    state = before["state"]
    if "running" in state:
        return _running(pod, before, around)
    if "terminated" in state:
        return _terminated(pod, before, around)
    if state["waiting"].get("reason") == "CrashLoopBackOff":
        return _restarted(pod, before, around)
    return _start(pod, container, before, around)


def back_off(times: int) -> int:
    """Return the seconds that a kubelet waits before the next attempt after `times` failures."""
    return int(min(10 * 2 ** max(times - 1, 0), 300))


def go_duration(seconds: int) -> str:
    """Write seconds as Go does: 40s, 1m20s, 5m0s."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def pod_label(pod: Object) -> str:
    return f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"


def runs_once(pod: Object) -> bool:
    return bool(spec_of(pod).get("restartPolicy", "Always") != "Always")


def _entered(pod: Object, container: Object, around: Around) -> Moved:
    status = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "ContainerCreating"}},
        "lastState": {},
    }
    return Moved(status)


def _start(pod: Object, container: Object, before: Object, around: Around) -> Moved:
    name, image = container["name"], container["image"]
    if around.look is Look.IMAGEPULL or not around.pullable(image):
        return _not_pulled(name, image, before, around)
    pulled = _pulled(name, image, before)
    absent = around.missing(container)
    if absent:
        return _not_configured(before, absent, pulled, name)
    told = (
        *pulled,
        Told("Created", "Container created", container=name),
        Told("Started", "Container started", container=name),
    )
    return Moved(_run(pod, before, around.now), told)


def _pulled(name: str, image: str, before: Object) -> tuple[Told, ...]:
    if before["state"]["waiting"]["reason"] == "CreateContainerConfigError":
        return (Told("Pulled", f'Container image "{image}" already present on machine', container=name),)
    text = f'Successfully pulled image "{image}" in 412ms (412ms including waiting). Image size: 48234496 bytes.'
    return Told("Pulling", f'Pulling image "{image}"', container=name), Told("Pulled", text, container=name)


def _not_pulled(name: str, image: str, before: Object, around: Around) -> Moved:
    """Go to and fro between the failed attempt and the pause after it."""
    error = pull_error(image)
    if before["state"]["waiting"]["reason"] == "ErrImagePull":
        message = f'Back-off pulling image "{image}"'
        told = (
            Told("BackOff", message, container=name),
            Told("Failed", "Error: ImagePullBackOff", "Warning", container=name),
        )
        waiting = {"reason": "ImagePullBackOff", "message": f"{message}: ErrImagePull: {error}"}
        return Moved(_waiting(before, waiting), told, back_off(around.pulls) / PACE)
    attempt = (
        Told("Pulling", f'Pulling image "{image}"', container=name),
        Told("Failed", f'Failed to pull image "{image}": {error}', "Warning", container=name),
        Told("Failed", "Error: ErrImagePull", "Warning", container=name),
    )
    return Moved(_waiting(before, {"reason": "ErrImagePull", "message": error}), attempt)


def pull_error(image: str) -> str:
    """Return what containerd and the registry say of an image that is not there."""
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )


def _not_configured(before: Object, absent: str, pulled: tuple[Told, ...], name: str) -> Moved:
    waiting = {"reason": "CreateContainerConfigError", "message": absent}
    if before["state"]["waiting"] == waiting:
        return Moved(before, (), back_off(1) / PACE)
    told = (*pulled, Told("Failed", f"Error: {absent}", "Warning", container=name))
    return Moved(_waiting(before, waiting), told, back_off(1) / PACE)


def _waiting(before: Object, waiting: Object) -> Object:
    return {**before, "ready": False, "started": False, "state": {"waiting": waiting}}


def _run(pod: Object, before: Object, now: datetime) -> Object:
    image, run = before["image"], f"{uid_of(pod)} {before['name']} {before['restartCount']}"
    return {
        **before,
        "imageID": f"{repository(image)}@sha256:{_digest(image)}",
        "containerID": f"containerd://{_digest(run)}",
        "ready": False,
        "started": True,
        "state": {"running": {"startedAt": stamp(now)}},
    }


def repository(image: str) -> str:
    """Return an image's name without its tag and digest."""
    name = image.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _running(pod: Object, before: Object, around: Around) -> Moved:
    if around.look in {Look.CRASHLOOP, Look.OOM}:
        return Moved(_ended(before, around))
    if around.look is Look.IMAGEPULL:
        return _lost_its_image(before, around)
    if runs_once(pod) and not _sleeps(pod, before["name"]):
        return Moved(_ended(before, around), pause_s=None)
    if not before["ready"]:
        return Moved({**before, "ready": True}, pause_s=None)
    return Moved(before, pause_s=None)


def _sleeps(pod: Object, name: str) -> bool:
    """Return whether a container's whole program is to wait: that is known to last, though nothing really runs."""
    return any(one["name"] == name and (one.get("command") or [""])[0] == "sleep" for one in spec_of(pod)["containers"])


def _ended(before: Object, around: Around) -> Object:
    reason, code = {Look.OOM: ("OOMKilled", OOM_EXIT), Look.CRASHLOOP: ("Error", CRASH_EXIT)}.get(
        around.look, ("Completed", 0)
    )
    terminated = {
        "exitCode": code,
        "reason": reason,
        "startedAt": before["state"]["running"]["startedAt"],
        "finishedAt": stamp(around.now),
        "containerID": before.get("containerID", ""),
    }
    return {**before, "ready": False, "started": False, "state": {"terminated": terminated}}


def _lost_its_image(before: Object, around: Around) -> Moved:
    """Restart a running container into an image that cannot be pulled any more."""
    ended = _ended(before, replace(around, look=Look.READY))
    fresh = {**ended, "lastState": ended["state"], "state": {"waiting": {"reason": "ContainerCreating"}}}
    return _not_pulled(before["name"], before["image"], fresh, around)


def _terminated(pod: Object, before: Object, around: Around) -> Moved:
    failed = before["state"]["terminated"]["exitCode"] != 0
    policy = spec_of(pod).get("restartPolicy", "Always")
    if policy == "Never" or (policy == "OnFailure" and not failed):
        return Moved(before, pause_s=None)
    restarts = before["restartCount"]
    if restarts == 0 or around.look is Look.READY:  # the first restart comes at once
        return _restarted(pod, before, around)
    seconds = back_off(restarts)
    waiting = {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {go_duration(seconds)} restarting failed container={before['name']} pod={pod_label(pod)}",
    }
    text = f"Back-off restarting failed container {before['name']} in pod {pod_label(pod)}"
    told = (Told("BackOff", text, "Warning", container=before["name"]),)
    return Moved({**_waiting(before, waiting), "lastState": before["state"]}, told, seconds / PACE)


def _restarted(pod: Object, before: Object, around: Around) -> Moved:
    name, image = before["name"], before["image"]
    last = before["state"] if "terminated" in before["state"] else before["lastState"]
    again = {**before, "restartCount": before["restartCount"] + 1, "lastState": last}
    told = (
        Told("Pulled", f'Container image "{image}" already present on machine', container=name),
        Told("Created", "Container created", container=name),
        Told("Started", "Container started", container=name),
    )
    return Moved(_run(pod, again, around.now), told)


def wanted_look(pod: Object) -> Look:
    """Return what the pod itself asks to look like, by an environment variable of one of its containers."""
    for container in spec_of(pod).get("containers") or []:
        for variable in container.get("env") or []:
            if variable.get("name") == WISH and variable.get("value") in set(Look):
                return Look(variable["value"])
    return Look.READY


WISH = "PLAYGROUND_POD"
"""Environment variable by which a version of a service can be broken in the playground: `crashloop`, `oom`, …"""
