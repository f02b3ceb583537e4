"""Reads from a cluster what a diagnosis looks at, and says what it may not read rather than fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from bot.errors import NotFound, PlatformError, Refused
from bot.health import parsing
from bot.health.facts import Container, Event, Pod, StuckFacts
from bot.health.redaction import redact_lines
from bot.ports import Application, Cluster, Object, ObjectRef, SyncWindows

SERVICE = "causeway.io/service"
LOG_LINES = 40
MOST_LOGS = 3
"""Containers whose log is read: one tells, the others confirm."""
_BROKEN = frozenset({"CrashLoopBackOff", "Error", "RunContainerError"})

T = TypeVar("T")


async def read_stuck_facts(
    cluster: Cluster,
    *,
    service: str,
    environment: str,
    namespace: str,
    labels: Mapping[str, str] | None = None,
    delivered_by: str = "",
    application: Application | None = None,
    argocd_problem: str = "",
    windows: SyncWindows | None = None,
    version: str = "",
    unread_revision: str = "",
) -> StuckFacts:
    """Return everything known of the service's objects, found by `labels` (default: our label of the service).

    What our account may not read is named in `unreadable`. Raise `UpstreamUnavailable` when the cluster is away.
    """
    look = _Look(cluster, namespace, labels or {SERVICE: service})
    workloads = [
        *map(parsing.workload, await look.at("apps/v1", "Deployment", "deployments")),
        *map(parsing.workload, await look.at("apps/v1", "StatefulSet", "statefulsets", vital=False)),
        *map(parsing.workload, await look.at("batch/v1", "CronJob", "cronjobs", vital=False)),
    ]
    pods = tuple(map(parsing.pod, await look.at("v1", "Pod", "pods")))
    claims = await look.at("v1", "PersistentVolumeClaim", "persistentvolumeclaims", vital=_mounts(pods), all_of_it=True)
    return StuckFacts(
        service=service,
        environment=environment,
        namespace=namespace,
        version=version,
        unread_revision=unread_revision,
        delivered_by=delivered_by,
        application=application,
        argocd_problem=argocd_problem,
        windows=windows,
        namespace_phase=await look.namespace_phase(),
        workloads=tuple(workloads),
        replica_sets=tuple(map(parsing.replica_set, await look.at("apps/v1", "ReplicaSet", "replicasets"))),
        pods=pods,
        events=_in_order(map(parsing.event, await look.at("v1", "Event", "events", all_of_it=True))),
        claims=tuple(map(parsing.claim, claims)),
        autoscalers=tuple(
            map(
                parsing.autoscaler,
                await look.at("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", vital=False),
            )
        ),
        ingresses=tuple(
            map(parsing.ingress, await look.at("networking.k8s.io/v1", "Ingress", "ingresses", vital=False))
        ),
        unready_nodes=await look.unready_nodes(pods),
        logs=await look.logs(pods),
        unreadable=tuple(look.unreadable),
    )


class _Look:
    """Reads one kind after the other, and notes what is refused."""

    def __init__(self, cluster: Cluster, namespace: str, labels: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._labels = labels
        self.unreadable: list[str] = []

    async def at(
        self, api_version: str, kind: str, resource: str, *, vital: bool = True, all_of_it: bool = False
    ) -> Sequence[Object]:
        """Return the service's objects of a kind (all of the namespace with `all_of_it`), none where we may not."""
        labels = None if all_of_it else self._labels
        return await self._allowed(
            lambda: self._cluster.list(api_version, kind, namespace=self._namespace, labels=labels),
            f"{resource} in {self._namespace}" if vital else "",
            (),
        )

    async def namespace_phase(self) -> str:
        """Return its phase, `missing`, or an empty text where we may not look."""
        try:
            found = await self._cluster.get(ObjectRef("v1", "Namespace", self._namespace))
        except Refused:
            return ""
        return "missing" if found is None else parsing.phase(found) or "Active"

    async def unready_nodes(self, pods: Sequence[Pod]) -> tuple[str, ...]:
        """Look only at the nodes of pods that run and are not ready though nothing is wrong with their containers."""
        names = sorted({one.node for one in pods if one.node and not one.ready and _seems_fine(one)})
        unready: list[str] = []
        for name in names:
            node = await self._allowed(partial(self._cluster.get, ObjectRef("v1", "Node", name)), "", None)
            if node is not None and not parsing.node_is_ready(node):
                unready.append(name)
        return tuple(unready)

    async def logs(self, pods: Sequence[Pod]) -> dict[tuple[str, str], tuple[str, ...]]:
        broken = [(pod, one) for pod in pods if not pod.leaving for one in pod.containers if _is_broken(one)]
        broken.sort(key=lambda both: (-both[1].restarts, both[0].name, both[1].name))
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for pod, container in broken[:MOST_LOGS]:
            if lines := await self._lines_of(pod, container):
                found[pod.name, container.name] = redact_lines(lines)
        return found

    async def _lines_of(self, pod: Pod, container: Container) -> tuple[str, ...]:
        """Return its last lines; none where its node cannot give them: everything else still tells."""
        nothing: tuple[str, ...] = ()
        what = f"the log of pods in {self._namespace}"
        try:
            return await self._allowed(partial(self._last_lines, pod, container), what, nothing)
        except PlatformError:
            return nothing

    async def _last_lines(self, pod: Pod, container: Container) -> tuple[str, ...]:
        """Return the last lines of the run that ended: the one before when the container runs again."""
        ended_before = container.terminated is None
        for previous in (ended_before, not ended_before):
            lines = await self._cluster.log_tail(
                self._namespace, pod.name, container.name, lines=LOG_LINES, previous=previous
            )
            if lines:
                return tuple(lines)
        return ()

    async def _allowed(self, read: Callable[[], Awaitable[T]], what: str, otherwise: T) -> T:
        """Return `otherwise` where we may not read it, or where the cluster does not have it."""
        try:
            return await read()
        except NotFound:
            return otherwise
        except Refused:
            if what and what not in self.unreadable:
                self.unreadable.append(what)
            return otherwise


def _mounts(pods: Iterable[Pod]) -> bool:
    return any(one.claims for one in pods)


def _is_broken(container: Container) -> bool:
    ended = container.ended
    return ended is not None and (container.waiting in _BROKEN or not container.ready) and ended.exit_code != 0


def _seems_fine(pod: Pod) -> bool:
    return bool(pod.containers) and all(one.running or one.init for one in pod.containers)


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return them oldest first, the undated before all."""
    return tuple(sorted(events, key=lambda one: (one.at is not None, one.at.timestamp() if one.at else 0.0)))
