"""All controllers of the playground's cluster, as one thing that starts and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from playground.kubernetes.controllers.cloudnativepg import FAILED, STUCK, Clusters
from playground.kubernetes.controllers.cloudnativepg_around import DatabasesInside, Poolers
from playground.kubernetes.controllers.cloudnativepg_backups import Backups, ScheduledBackups
from playground.kubernetes.controllers.cloudnativepg_parts import CNPG
from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.controllers.crossplane import MANAGED, ManagedResources
from playground.kubernetes.controllers.crossplane_claims import Claims, Composites
from playground.kubernetes.controllers.deployments import Deployments
from playground.kubernetes.controllers.forced import Forced
from playground.kubernetes.controllers.housekeeping import GarbageCollector, Namespaces
from playground.kubernetes.controllers.jobs import CronJobs, Jobs
from playground.kubernetes.controllers.kubelet import Kubelet
from playground.kubernetes.controllers.loop import Loop
from playground.kubernetes.controllers.network import Ingresses, Services
from playground.kubernetes.controllers.objects import labels_of, name_of, namespace_of
from playground.kubernetes.controllers.orders import READY, Orders
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.replica_sets import ReplicaSets
from playground.kubernetes.controllers.scaling import Autoscalers, DisruptionBudgets
from playground.kubernetes.controllers.snapshots import Snapshots
from playground.kubernetes.controllers.volumes import PENDING, Volumes
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
        self._volume_orders = Orders(file and file.with_name("forced_volumes.json"))
        self._database_orders = Orders(file and file.with_name("forced_databases.json"))
        recorder = Recorder(store, clock)
        self._kubelet = Kubelet(store, clock, recorder, self._forced, pullable)
        self._volumes = Volumes(store, clock, recorder, self._volume_orders)
        self._clusters = Clusters(store, clock, recorder, self._database_orders)
        self._managed = ManagedResources(store, clock, recorder, self._database_orders)
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
                self._volumes,
                Snapshots(store, clock),
                self._clusters,
                DatabasesInside(store, clock),
                Poolers(store),
                Backups(store, clock, recorder),
                ScheduledBackups(store, clock),
                self._managed,
                Claims(store, clock),
                Composites(store, clock),
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

    def force_volumes(self, namespace: str, labels: Mapping[str, str], state: str) -> int:
        """Give claims no volume from now on, those that come later too; return how many there are now.

        `state` is `pending` or `ready`; raise `ValueError` for another. What is bound stays so.
        """
        _one_of(state, PENDING, READY)
        everywhere = self._store.list("", "PersistentVolumeClaim", namespace)
        claims = [claim for claim in everywhere if labels.items() <= labels_of(claim).items()]
        self._volume_orders.order(namespace, state, claims, labels=labels)
        for claim in claims:
            self._loop.wake(self._volumes, (namespace_of(claim), name_of(claim)))
        return len(claims)

    def force_database(self, namespace: str, name: str, state: str, message: str) -> int:
        """Keep a database from getting on, or have it fail, from now on, also one that comes later; return how many
        objects of that name there are now. `state` is `stuck`, `failed` or `ready`; raise `ValueError` for another."""
        _one_of(state, STUCK, FAILED, READY)
        if not name:
            raise ValueError("`name` names the database: its Cluster, its claim, or its RDSInstance")
        self._database_orders.order(namespace, state, (), name=name, message=message)
        found = 0
        if self._store.get(CNPG, "Cluster", namespace, name) is not None:
            self._loop.wake(self._clusters, (namespace, name))
            found += 1
        for key in MANAGED:
            for managed in self._store.objects.all(key):
                if name in (name_of(managed), labels_of(managed).get("crossplane.io/claim-name")):
                    self._loop.wake(self._managed, (*key, name_of(managed)))
                    found += 1
        return found


def _one_of(state: str, *known: str) -> None:
    if state not in known:
        raise ValueError(f"`state` is one of {', '.join(f'`{word}`' for word in known)}")
