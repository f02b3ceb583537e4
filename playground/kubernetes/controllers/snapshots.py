"""VolumeSnapshots: taken from a claim, ready at the next step, with the content that stands for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from playground.kubernetes.controllers.containers import STEP_S
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    name_of,
    namespace_of,
    spec_of,
    stamp,
    status_of,
    uid_of,
)
from playground.kubernetes.controllers.volumes import SNAPSHOTS, size_of
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

VERSION = f"{SNAPSHOTS}/v1"


class Snapshots:
    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (SNAPSHOTS, "volumesnapshots"):
            yield namespace_of(change.object), name_of(change.object), f"snapcontent-{uid_of(change.object)}"

    def reconcile(self, key: Key) -> Again:
        namespace, name, content = key
        snapshot = self._store.get(SNAPSHOTS, "VolumeSnapshot", namespace, name)
        there = self._store.get(SNAPSHOTS, "VolumeSnapshotContent", "", content)
        if snapshot is None or not content.endswith(uid_of(snapshot)):
            if there is not None:
                self._store.delete(SNAPSHOTS, "VolumeSnapshotContent", "", content)
            return None
        if is_going(snapshot) or status_of(snapshot).get("readyToUse"):
            return None
        if there is None:
            self._store.create(content_of(snapshot, content))
            return STEP_S
        claim = spec_of(snapshot).get("source", {}).get("persistentVolumeClaimName", "")
        found = self._store.get("", "PersistentVolumeClaim", namespace, claim)
        if found is None or status_of(found).get("phase") != "Bound":
            return None
        status = {
            "boundVolumeSnapshotContentName": content,
            "creationTime": stamp(self._clock()),
            "readyToUse": True,
            "restoreSize": size_of(found),
        }
        self._store.patch_status(SNAPSHOTS, "VolumeSnapshot", namespace, name, status)
        return None


def content_of(snapshot: Object, name: str) -> Object:
    return {
        "apiVersion": VERSION,
        "kind": "VolumeSnapshotContent",
        "metadata": {"name": name},
        "spec": {
            "deletionPolicy": "Delete",
            "driver": "disk.acme.example",
            "source": {"volumeHandle": f"disk-{uid_of(snapshot)}"},
            "volumeSnapshotRef": {
                "apiVersion": VERSION,
                "kind": "VolumeSnapshot",
                "namespace": namespace_of(snapshot),
                "name": name_of(snapshot),
                "uid": uid_of(snapshot),
            },
        },
    }
