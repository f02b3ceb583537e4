"""The pods of a service, as what scrapes them and kube-state-metrics see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playground.kubernetes.controllers.objects import Object, is_going, name_of, spec_of, status_of
from playground.kubernetes.objects import Objects
from playground.kubernetes.quantity import amount
from playground.monitoring.living import COMPONENT, PODS, Living

SAMPLE_CPU, SAMPLE_MEMORY = 0.5, 256 * 1024**2
"""What each container of a sample service may use: cores, and bytes."""


@dataclass(frozen=True, slots=True)
class PodState:
    name: str
    ready: bool = True
    image: str = ""
    restarts: int = 0
    waiting: str = ""
    """Why its container does not run: `CrashLoopBackOff`."""
    terminated: str = ""
    """Why it ended last: `OOMKilled`."""
    cpu_request: float = SAMPLE_CPU / 2
    """Cores; 0.0 for none. So the others."""
    cpu_limit: float = SAMPLE_CPU
    memory_request: float = SAMPLE_MEMORY
    """Bytes."""
    memory_limit: float = SAMPLE_MEMORY


def pods_of(living: Living, objects: Objects | None) -> Iterator[PodState]:
    """Yield those that there are, by name. A sample service that was never deployed has the ones that it tells."""
    found = [pod for pod in objects.all(PODS, living.namespace) if _belongs(pod, living.name)] if objects else []
    if found:
        for pod in sorted(found, key=name_of):
            yield state_of(pod, ready=name_of(pod) in living.pods)
    elif not living.since:
        for name in sorted(living.pods):
            yield PodState(name, image=living.image)


def _belongs(pod: Object, service: str) -> bool:
    labels = pod["metadata"].get("labels") or {}
    if is_going(pod) or labels.get(COMPONENT) or status_of(pod).get("phase") in {"Succeeded", "Failed"}:
        return False
    return _container(pod).get("name") == service


def _container(pod: Object) -> Object:
    containers = spec_of(pod).get("containers") or [{}]
    found: Object = containers[0]
    return found


def state_of(pod: Object, *, ready: bool) -> PodState:
    container = _container(pod)
    status: Object = next(iter(status_of(pod).get("containerStatuses") or []), {})
    waiting = (status.get("state") or {}).get("waiting") or {}
    ended = (status.get("lastState") or {}).get("terminated") or {}
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return PodState(
        name=name_of(pod),
        ready=ready,
        image=str(container.get("image", "")),
        restarts=int(status.get("restartCount") or 0),
        waiting=str(waiting.get("reason") or "") if not ready else "",
        terminated=str(ended.get("reason") or ""),
        cpu_request=_number(requests.get("cpu")),
        cpu_limit=_number(limits.get("cpu")),
        memory_request=_number(requests.get("memory")),
        memory_limit=_number(limits.get("memory")),
    )


def _number(quantity: object) -> float:
    return float(amount(quantity)) if quantity else 0.0
