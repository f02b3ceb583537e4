"""CloudNativePG's `Cluster`: instance after instance gets its volume, is filled by a job, and starts.

Everything that it makes has the cluster as its owner and goes with it. While an instance cannot go on (no volume, a
failing job), the status stays as it was, as the real operator leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from playground.kubernetes.controllers import cloudnativepg_parts as parts
from playground.kubernetes.controllers.cloudnativepg_parts import CNPG, OF_CLUSTER
from playground.kubernetes.controllers.cloudnativepg_seeds import Seeds
from playground.kubernetes.controllers.containers import STEP_S
from playground.kubernetes.controllers.jobs import WITH_PODS
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    annotations_of,
    condition,
    controlled_by,
    is_going,
    labels_of,
    name_of,
    namespace_of,
    spec_of,
    status_of,
    with_conditions,
)
from playground.kubernetes.controllers.orders import Orders
from playground.kubernetes.controllers.pods import is_ready
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Store

SETTING_UP, HEALTHY = "Setting up primary", "Cluster in healthy state"
GROWING, STARTING = "Creating a new replica", "Waiting for the instances to become active"
UNABLE = "Unable to create required cluster objects"
UNRECOVERABLE = "Cluster is unrecoverable and needs manual intervention"
STUCK, FAILED = "stuck", "failed"
HIBERNATION = "cnpg.io/hibernation"
WATCHED = frozenset({("", "pods"), ("", "persistentvolumeclaims"), ("batch", "jobs"), ("", "secrets")})
OPERATOR = "cloudnative-pg"


class Clusters:
    """`orders` says which of them stay stuck or fail."""

    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder, orders: Orders) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder
        self._orders = orders
        self._seeds = Seeds(store)

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (CNPG, "clusters"):
            yield namespace_of(change.object), name_of(change.object)
        elif resource.key in WATCHED and (name := labels_of(change.object).get(OF_CLUSTER)):
            yield namespace_of(change.object), name
        elif resource.key in {(CNPG, "backups"), ("snapshot.storage.k8s.io", "volumesnapshots")}:
            for cluster in self._store.objects.all((CNPG, "clusters"), namespace_of(change.object)):
                yield namespace_of(cluster), name_of(cluster)

    def reconcile(self, key: Key) -> Again:
        cluster = self._store.get(CNPG, "Cluster", *key)
        if cluster is None or is_going(cluster):
            return None
        order = self._orders.state(cluster)
        if order in (STUCK, FAILED):
            return self._hold(cluster, order, self._orders.message(cluster))
        try:
            return self._advance(cluster)
        except ApiError as error:  # a quota, an admission rule
            self._tell(cluster, UNABLE, str(error.body().get("message", error)))
            return STEP_S * 20

    def _hold(self, cluster: Object, order: str, message: str) -> Again:
        if order == FAILED:
            self._tell(cluster, UNRECOVERABLE, message or "All instances of the cluster have lost their volumes")
        elif message:
            self._tell(cluster, UNABLE, message)
        return None

    def _advance(self, cluster: Object) -> Again:
        if not status_of(cluster).get("phase"):
            self._tell(cluster, SETTING_UP)
            return STEP_S
        for made in parts.belongings(cluster):
            self._ensure(made)
        if annotations_of(cluster).get(HIBERNATION) == "on":
            return self._hibernate(cluster)
        wanted = int(spec_of(cluster).get("instances", 1))
        self._shrink(cluster, wanted)
        for number in range(1, wanted + 1):
            if not self._stands(cluster, number):
                return None
        self._tell(cluster, HEALTHY)
        return None

    def _stands(self, cluster: Object, number: int) -> bool:
        """Bring one instance a step further; say whether it is ready."""
        name = parts.instance_name(cluster, number)
        pod = self._store.get("", "Pod", namespace_of(cluster), name)
        if pod is not None:
            if not is_ready(pod):
                self._tell(cluster, STARTING)
            return is_ready(pod)
        if self._filled(cluster, number):
            made = parts.instance(cluster, number, primary=number == 1)
            self._store.create(made, manager=OPERATOR)
            self._tell(cluster, STARTING)
        return False

    def _filled(self, cluster: Object, number: int) -> bool:
        """Have the volume of an instance made and filled; say whether it is."""
        namespace, name = namespace_of(cluster), parts.instance_name(cluster, number)
        volume = self._store.get("", "PersistentVolumeClaim", namespace, name)
        if volume is not None and annotations_of(volume).get("cnpg.io/pvcStatus") == "ready":
            return True
        seed = self._seeds.of(cluster, number)
        self._tell(cluster, SETTING_UP if number == 1 else GROWING)
        if seed.missing:
            reason, text = seed.missing
            self._recorder.record(cluster, reason, text, "Warning", component=OPERATOR)
            return False
        if volume is None:
            text = f"Primary instance ({seed.words})" if number == 1 else f"Creating instance {name}"
            self._recorder.record(cluster, "CreatingInstance", text, component=OPERATOR)
            self._store.create(parts.claim(cluster, number, seed.volume), manager=OPERATOR)
        return self._is_done(parts.job(cluster, number, seed.role, broken=seed.broken))

    def _is_done(self, wanted: Object) -> bool:
        """Have a job done once; it is deleted when it has succeeded."""
        namespace, name = namespace_of(wanted), name_of(wanted)
        job = self._store.get("batch", "Job", namespace, name)
        if job is None:
            self._store.create(wanted, manager=OPERATOR)
            return False
        if is_going(job) or not condition(status_of(job), "Complete"):
            return False
        volume = self._store.get("", "PersistentVolumeClaim", namespace, labels_of(wanted)[parts.INSTANCE])
        if volume is not None:
            volume["metadata"]["annotations"] = {**annotations_of(volume), "cnpg.io/pvcStatus": "ready"}
            self._store.update(volume, manager=OPERATOR)
        self._store.delete("batch", "Job", namespace, name, WITH_PODS)
        return True

    def _shrink(self, cluster: Object, wanted: int) -> None:
        for pod in self._pods(cluster):
            number = name_of(pod).rpartition("-")[2]
            if number.isdecimal() and int(number) > wanted and not is_going(pod):
                self._store.delete("", "Pod", namespace_of(pod), name_of(pod))
                claim = self._store.get("", "PersistentVolumeClaim", namespace_of(pod), name_of(pod))
                if claim is not None:
                    self._store.delete("", "PersistentVolumeClaim", namespace_of(pod), name_of(pod))

    def _hibernate(self, cluster: Object) -> Again:
        pods = self._pods(cluster)
        for pod in pods:
            if not is_going(pod):
                self._store.delete("", "Pod", namespace_of(pod), name_of(pod))
        told = {
            "type": HIBERNATION,
            "status": "False" if pods else "True",
            "reason": "DeletingPods" if pods else "Hibernated",
            "message": "Hibernation is in progress" if pods else "Cluster has been hibernated",
        }
        self._tell(cluster, str(status_of(cluster)["phase"]), more=[told])
        return None

    def _pods(self, cluster: Object) -> Sequence[Object]:
        return controlled_by(cluster, self._store.list("", "Pod", namespace_of(cluster)))

    def _ensure(self, wanted: Object) -> None:
        """Create an object that is not there."""
        group, _, _ = wanted["apiVersion"].rpartition("/")
        if self._store.get(group, wanted["kind"], namespace_of(wanted), name_of(wanted)) is None:
            self._store.create(wanted, manager=OPERATOR)

    def _tell(self, cluster: Object, phase: str, reason: str = "", more: Sequence[Object] = ()) -> None:
        """Write the status, where it is another than before."""
        fresh = self._store.get(CNPG, "Cluster", namespace_of(cluster), name_of(cluster))
        if fresh is None:
            return
        status = self._status(fresh, phase, reason, more)
        if status != status_of(fresh):
            self._store.update({**fresh, "status": status}, manager=OPERATOR, subresource="status")

    def _status(self, cluster: Object, phase: str, reason: str, more: Sequence[Object]) -> Object:
        name = name_of(cluster)
        ready = phase == HEALTHY and not more
        told = {
            "type": "Ready",
            "status": "True" if ready else "False",
            "reason": "ClusterIsReady" if ready else "ClusterIsNotReady",
            "message": "Cluster is Ready" if ready else "Cluster Is Not Ready",
        }
        pods = self._pods(cluster)
        claims = controlled_by(cluster, self._store.list("", "PersistentVolumeClaim", namespace_of(cluster)))
        secret = self._store.get("", "Secret", namespace_of(cluster), f"{name}-app")
        kept = [one for one in status_of(cluster).get("conditions") or [] if one["type"] != HIBERNATION or more]
        status = {
            **status_of(cluster),
            "phase": phase,
            "phaseReason": reason,
            "instances": len(claims),
            "instanceNames": sorted(map(name_of, claims)),
            "readyInstances": sum(map(is_ready, pods)),
            "pvcCount": len(claims),
            "latestGeneratedNode": len(claims),
            "targetPrimary": f"{name}-1",
            "writeService": f"{name}-rw",
            "readService": f"{name}-r",
            "conditions": with_conditions({"conditions": kept}, [told, *more], self._clock()),
        }
        if any(name_of(pod) == f"{name}-1" and is_ready(pod) for pod in pods):
            status["currentPrimary"] = f"{name}-1"
        if secret is not None:
            version = secret["metadata"]["resourceVersion"]
            status["secretsResourceVersion"] = {"applicationSecretVersion": version}
        return status
