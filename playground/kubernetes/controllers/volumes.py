"""PersistentVolumeClaims and the volumes behind them: provisioned by a class, bound, and gone with their claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from playground.kubernetes.allocation import PROTECTED
from playground.kubernetes.controllers.containers import STEP_S
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    annotations_of,
    is_going,
    name_of,
    namespace_of,
    spec_of,
    status_of,
    uid_of,
)
from playground.kubernetes.controllers.orders import Orders
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
STORAGE, SNAPSHOTS = "storage.k8s.io", "snapshot.storage.k8s.io"
PENDING, READY = "pending", "ready"
OVER = frozenset({"Succeeded", "Failed"})
NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
NO_ROOM = (
    'failed to provision volume with StorageClass "{name}": rpc error: code = ResourceExhausted desc = not enough '
    "free space in the storage pool"
)


class Volumes:
    """What binds claims, and a class's provisioner. `orders` says which claims get no volume."""

    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder, orders: Orders) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder
        self._orders = orders

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == ("", "persistentvolumeclaims"):
            yield namespace_of(change.object), name_of(change.object)
            if change.what == "DELETED":
                yield ("", f"pvc-{uid_of(change.object)}")
        elif resource.key == ("", "pods"):
            for name in claims_of(change.object):
                yield namespace_of(change.object), name
        elif resource.key == ("", "persistentvolumes"):
            yield ("", name_of(change.object))
        elif resource.key in {(STORAGE, "storageclasses"), (SNAPSHOTS, "volumesnapshots")}:
            for claim in self._store.objects.all(("", "persistentvolumeclaims")):
                if status_of(claim).get("phase") == "Pending":
                    yield namespace_of(claim), name_of(claim)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        if not namespace:
            return self._reclaim(name)
        claim = self._store.get("", "PersistentVolumeClaim", namespace, name)
        if claim is None or (status_of(claim).get("phase") == "Bound" and not is_going(claim)):
            return None
        if is_going(claim):
            if not self._is_used(claim):
                self._store.release("", "PersistentVolumeClaim", namespace, name, PROTECTED["PersistentVolumeClaim"])
            return None
        return self._bind(self._with_class(claim))

    def _is_used(self, claim: Object) -> bool:
        """Say whether a pod that has a node, and has not ended, mounts it."""
        pods = self._store.objects.all(("", "pods"), namespace_of(claim))
        running = (one for one in pods if spec_of(one).get("nodeName") and status_of(one).get("phase") not in OVER)
        return any(name_of(claim) in claims_of(pod) for pod in running)

    def _with_class(self, claim: Object) -> Object:
        """Name the default class in a claim that names none."""
        if "storageClassName" in spec_of(claim):
            return claim
        classes = self._store.list(STORAGE, "StorageClass")
        default = next((one for one in classes if annotations_of(one).get(DEFAULT_CLASS) == "true"), None)
        if default is None:
            return claim
        claim["spec"]["storageClassName"] = name_of(default)
        return self._store.update(claim)

    def _bind(self, claim: Object) -> Again:
        name = spec_of(claim).get("storageClassName", "")
        found = self._store.get(STORAGE, "StorageClass", "", name) if name else None
        if found is None:
            reason, text = ("ProvisioningFailed", _no_such_class(name)) if name else ("FailedBinding", NO_CLASS)
            self._say(claim, reason, text, "persistentvolume-controller", kind="Warning" if name else "Normal")
            return None
        if self._orders.state(claim) == PENDING:
            self._say(claim, "ProvisioningFailed", NO_ROOM.format(name=name), found["provisioner"])
            return None
        if missing := self._missing_snapshot(claim):
            self._say(claim, "ProvisioningFailed", missing, found["provisioner"])
            return None
        volume = volume_for(claim, found)
        if self._store.get("", "PersistentVolume", "", name_of(volume)) is None:
            self._say(claim, "Provisioning", _provisioning(claim), found["provisioner"], kind="Normal")
            self._store.create(volume)
            return STEP_S
        self._bound(claim, name_of(volume))
        return None

    def _bound(self, claim: Object, volume: str) -> None:
        spec = {**spec_of(claim), "volumeName": volume}
        self._store.update({**claim, "spec": spec})
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes", []),
            "capacity": {"storage": size_of(claim)},
        }
        self._store.patch_status("", "PersistentVolumeClaim", namespace_of(claim), name_of(claim), status)
        self._store.patch_status("", "PersistentVolume", "", volume, {"phase": "Bound"})

    def _missing_snapshot(self, claim: Object) -> str:
        source = spec_of(claim).get("dataSource") or {}
        if source.get("kind") != "VolumeSnapshot":
            return ""
        found = self._store.get(SNAPSHOTS, "VolumeSnapshot", namespace_of(claim), source["name"])
        lead = f"error getting handle for DataSource Type VolumeSnapshot by Name {source['name']}: "
        if found is None:
            absent = f'volumesnapshots.{SNAPSHOTS} "{source["name"]}" not found'
            return f"{lead}error getting snapshot {source['name']} from api server: {absent}"
        return "" if status_of(found).get("readyToUse") else f"{lead}snapshot {source['name']} is not Ready"

    def _reclaim(self, name: str) -> Again:
        """Release the volume of a claim that is gone, and then do with it what its class says."""
        volume = self._store.get("", "PersistentVolume", "", name)
        if volume is None:
            return None
        if is_going(volume):
            if status_of(volume).get("phase") != "Bound":
                self._store.release("", "PersistentVolume", "", name, PROTECTED["PersistentVolume"])
            return None
        meant = spec_of(volume).get("claimRef") or {}
        claim = self._store.get("", "PersistentVolumeClaim", meant.get("namespace", ""), meant.get("name", ""))
        if not meant or (claim is not None and uid_of(claim) == meant.get("uid")):
            return None
        if status_of(volume).get("phase") != "Released":
            self._store.patch_status("", "PersistentVolume", "", name, {"phase": "Released"})
            return STEP_S
        if spec_of(volume).get("persistentVolumeReclaimPolicy") == "Delete":
            self._store.delete("", "PersistentVolume", "", name)
        return None

    def _say(self, claim: Object, reason: str, text: str, component: str, kind: str = "Warning") -> None:
        self._recorder.record(claim, reason, text, kind, component=component)


def _no_such_class(name: str) -> str:
    return f'storageclass.storage.k8s.io "{name}" not found'


def _provisioning(claim: Object) -> str:
    return f'External provisioner is provisioning volume for claim "{namespace_of(claim)}/{name_of(claim)}"'


def size_of(claim: Object) -> str:
    return str(spec_of(claim).get("resources", {}).get("requests", {}).get("storage", "1Gi"))


def volume_for(claim: Object, storage_class: Object) -> Object:
    """Return the volume that a class makes for a claim."""
    name = f"pvc-{uid_of(claim)}"
    driver = storage_class["provisioner"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": driver}},
        "spec": {
            "accessModes": spec_of(claim).get("accessModes", ["ReadWriteOnce"]),
            "capacity": {"storage": size_of(claim)},
            "storageClassName": name_of(storage_class),
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "volumeMode": "Filesystem",
            "csi": {"driver": driver, "volumeHandle": name},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": namespace_of(claim),
                "name": name_of(claim),
                "uid": uid_of(claim),
            },
        },
    }


def claims_of(pod: Object) -> list[str]:
    """Return the names of the claims that a pod mounts."""
    named = [volume.get("persistentVolumeClaim") for volume in spec_of(pod).get("volumes") or []]
    return [volume["claimName"] for volume in named if volume]


def unbound(store: Store, pod: Object) -> str:
    """Return the scheduler's words for a pod whose volumes are not there; empty when they are."""
    for name in claims_of(pod):
        claim = store.get("", "PersistentVolumeClaim", namespace_of(pod), name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if status_of(claim).get("phase") != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
    return ""
