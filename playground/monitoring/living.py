"""Which services run, as the cluster shows them: what metrics, logs and traces are told of.

The sample services live from the start, whether Causeway has deployed them or not. Every Deployment whose pods become
ready lives too; one of a sample service takes the place of what was there before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from playground import sample
from playground.kubernetes.controllers.objects import (
    Object,
    annotations_of,
    condition,
    is_going,
    labels_of,
    meta,
    name_of,
    namespace_of,
    read_stamp,
    selects,
    short_hash,
    spec_of,
    status_of,
)
from playground.kubernetes.controllers.rollout import replicas_of
from playground.kubernetes.objects import Change, Objects

DEPLOYMENTS = ("apps", "deployments")
PODS = ("", "pods")
ENVIRONMENTS = ("staging", "production")
SAMPLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "orders-api": ("team-orders", ()),
    "checkout-web": ("team-checkout", ("orders-api",)),
}
"""Name → its team, and the services that it calls."""
SAMPLE_PODS = 2
SAMPLE_VERSION = "1.0.0"
"""Tag of the image that a sample service runs until it is first deployed."""
REVISION = "deployment.kubernetes.io/revision"
COMPONENT = "app.kubernetes.io/component"
"""Stands on what only helps a service: its cache, its database's jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """One service in one environment, as it is now."""

    name: str
    namespace: str
    environment: str
    """Empty for a Deployment that does not say."""
    team: str
    depends_on: tuple[str, ...]
    """Names of the services that it calls, in the same environment."""
    image: str
    """What most of its ready pods run: a rollout has happened when the new pods are more than the old ones."""
    pods: tuple[str, ...]
    """Names of its ready pods. None: nobody answers."""
    wanted: int
    """How many pods it should have."""
    since: float
    """When it began to live, in seconds since 1970; 0.0 for a sample service that was always there."""

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.environment


class LivingServices:
    """Read anew when the cluster has changed. One event loop; no locks."""

    def __init__(self, objects: Objects | None = None) -> None:
        """`objects` are the cluster's; without them only the sample services live."""
        self._objects = objects
        self._read: tuple[int, tuple[Living, ...]] | None = None
        self._listeners: list[Callable[[], None]] = []
        if objects is not None:
            objects.listen(self._hear)

    def services(self) -> tuple[Living, ...]:
        """Return all of them, by name and environment."""
        revision = self._objects.revision if self._objects is not None else 0
        if self._read is None or self._read[0] != revision:
            self._read = revision, self._look()
        return self._read[1]

    def find(self, name: str, environment: str) -> Living | None:
        return next((one for one in self.services() if one.key == (name, environment)), None)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change of a Deployment or a pod."""
        self._listeners.append(listener)

    def _hear(self, change: Change) -> None:
        if change.key in {DEPLOYMENTS, PODS}:
            self._read = None
            for listener in self._listeners:
                listener()

    def _look(self) -> tuple[Living, ...]:
        found = {one.key: one for one in samples()}
        if self._objects is not None:
            pods: dict[str, list[Object]] = {}
            for pod in self._objects.all(PODS):
                pods.setdefault(namespace_of(pod), []).append(pod)
            for deployment in self._objects.all(DEPLOYMENTS):
                if not is_going(deployment) and not labels_of(deployment).get(COMPONENT):
                    one = deployed(deployment, pods.get(namespace_of(deployment), ()))
                    if one.pods or _has_lived(deployment):
                        found[one.key] = one
        return tuple(found[key] for key in sorted(found))


def samples() -> Iterator[Living]:
    """Yield the sample services as they were before anybody has deployed them."""
    for environment in ENVIRONMENTS:
        for name, (team, depends_on) in SAMPLES.items():
            image = f"ghcr.io/{sample.ORGANISATION}/{name}:{SAMPLE_VERSION}"
            hashed = short_hash([name, environment])
            yield Living(
                name=name,
                namespace=f"{name}-{environment}",
                environment=environment,
                team=team,
                depends_on=depends_on,
                image=image,
                pods=tuple(f"{name}-{hashed}-{short_hash([hashed, n], 5)}" for n in range(SAMPLE_PODS)),
                wanted=SAMPLE_PODS,
                since=0.0,
            )


def deployed(deployment: Object, pods: Sequence[Object]) -> Living:
    """Return what a Deployment is as a living service. `pods` are those of its namespace."""
    labels = labels_of(deployment)
    name = labels.get("causeway.io/service") or labels.get("app.kubernetes.io/name") or name_of(deployment)
    team, depends_on = SAMPLES.get(name, ("", ()))
    selector = spec_of(deployment).get("selector")
    ready = [pod for pod in pods if selects(selector, labels_of(pod)) and _is_ready(pod)]
    return Living(
        name=name,
        namespace=namespace_of(deployment),
        environment=labels.get("causeway.io/environment", ""),
        team=labels.get("causeway.io/team") or team,
        depends_on=depends_on,
        image=_image(deployment, ready),
        pods=tuple(name_of(pod) for pod in ready),
        wanted=replicas_of(spec_of(deployment)),
        since=_moment(str(meta(deployment).get("creationTimestamp", ""))),
    )


def _image(deployment: Object, ready: Sequence[Object]) -> str:
    wished = _first_image(spec_of(deployment).get("template") or {})
    count = Counter(_first_image(pod) for pod in ready)
    if not count:
        return wished
    return max(count, key=lambda image: (count[image], image != wished))


def _first_image(obj: Object) -> str:
    containers = spec_of(obj).get("containers") or [{}]
    return str(containers[0].get("image", ""))


def _is_ready(pod: Object) -> bool:
    found = condition(status_of(pod), "Ready")
    return found is not None and found["status"] == "True" and not is_going(pod)


def _has_lived(deployment: Object) -> bool:
    """Say whether its pods have been ready at some time: a rollout has come to its end, or is not the first."""
    found = condition(status_of(deployment), "Progressing")
    arrived = found is not None and found.get("reason") == "NewReplicaSetAvailable"
    return arrived or int(annotations_of(deployment).get(REVISION, 0)) > 1


def _moment(text: str) -> float:
    moment: datetime | None = read_stamp(text) if text else None
    return moment.timestamp() if moment else 0.0
