"""All controllers of the playground's cluster, as one thing that starts and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.controllers.databases import Databases, ManagedDatabases
from playground.kubernetes.controllers.deployments import Deployments
from playground.kubernetes.controllers.forced import Forced
from playground.kubernetes.controllers.housekeeping import Claims, GarbageCollector, Namespaces
from playground.kubernetes.controllers.jobs import CronJobs, Jobs
from playground.kubernetes.controllers.kubelet import Kubelet
from playground.kubernetes.controllers.loop import Loop
from playground.kubernetes.controllers.network import Ingresses, Services
from playground.kubernetes.controllers.objects import labels_of, name_of, namespace_of
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.replica_sets import ReplicaSets
from playground.kubernetes.controllers.scaling import Autoscalers, DisruptionBudgets
from playground.kubernetes.store import Store


class Controllers:
    """`pullable` says whether an image is there. `file` keeps what pods were made to look like."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        pullable: Callable[[str], bool],
        file: Path | None = None,
    ) -> None:
        self._store = store
        self._forced = Forced(file)
        recorder = Recorder(store, clock)
        self._kubelet = Kubelet(store, clock, recorder, self._forced, pullable)
        self._loop = Loop(store, clock)
        self._loop.add(
            [
                Namespaces(store, clock),
                Deployments(store, clock, recorder),
                ReplicaSets(store, clock, recorder),
                self._kubelet,
                Jobs(store, clock, recorder),
                CronJobs(store, clock, recorder),
                Services(store),
                Ingresses(store),
                Autoscalers(store, clock, recorder),
                DisruptionBudgets(store, clock),
                Claims(store),
                Databases(store, clock),
                ManagedDatabases(store, clock),
                GarbageCollector(store),
            ]
        )

    def start(self) -> None:
        self._loop.start()

    async def close(self) -> None:
        await self._loop.close()

    def force(self, namespace: str, labels: Mapping[str, str], look: Look) -> int:
        """Make pods look so from now on, those that come later too; return how many there are now."""
        pods = [pod for pod in self._store.list("", "Pod", namespace) if labels.items() <= labels_of(pod).items()]
        self._forced.order(namespace, labels, look, pods)
        for pod in pods:
            self._kubelet.hurry(pod)
            self._loop.wake(self._kubelet, (namespace_of(pod), name_of(pod)))
        return len(pods)
