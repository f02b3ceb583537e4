"""CloudNativePG's `Backup` and `ScheduledBackup`: what is kept of a cluster, at once and by a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from playground.kubernetes.controllers.cloudnativepg_parts import CNPG, OF_CLUSTER, VERSION
from playground.kubernetes.controllers.containers import STEP_S
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    name_of,
    namespace_of,
    owner_reference,
    read_stamp,
    spec_of,
    stamp,
    status_of,
    with_conditions,
)
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.volumes import SNAPSHOTS
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store
from playground.schedule import Schedule, ScheduleError, parse

OVER = frozenset({"completed", "failed"})
NO_SECTION = "cannot proceed with the backup as the cluster has no backup section"
NO_SNAPSHOTS = "cannot execute due to missing volumeSnapshot backup configuration"
MINUTE = timedelta(minutes=1)


class Backups:
    """pending → started → completed; with the method `volumeSnapshot` a VolumeSnapshot is there afterwards."""

    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (CNPG, "backups"):
            yield namespace_of(change.object), name_of(change.object)
        elif resource.key in {(CNPG, "clusters"), (SNAPSHOTS, "volumesnapshots")}:
            for backup in self._store.objects.all((CNPG, "backups"), namespace_of(change.object)):
                if status_of(backup).get("phase") not in OVER:
                    yield namespace_of(backup), name_of(backup)

    def reconcile(self, key: Key) -> Again:
        backup = self._store.get(CNPG, "Backup", *key)
        if backup is None or is_going(backup) or status_of(backup).get("phase") in OVER:
            return None
        name = spec_of(backup)["cluster"]["name"]
        cluster = self._store.get(CNPG, "Cluster", namespace_of(backup), name)
        if cluster is None:
            text = f"Unknown cluster {name}, will retry in 30 seconds"
            self._recorder.record(backup, "FindingCluster", text, "Warning", component="cloudnative-pg")
            self._tell(backup, phase="pending")
            return None
        if why := refusal(backup, cluster):
            self._recorder.record(backup, "Failed", why, "Warning", component="cloudnative-pg")
            self._tell(backup, phase="failed", error=why)
            return None
        if not status_of(cluster).get("currentPrimary"):
            self._tell(backup, phase="pending")
            return None
        if status_of(backup).get("phase") != "started":
            self._tell(backup, phase="started", startedAt=stamp(self._clock()), method=method_of(backup))
            return STEP_S
        return self._finish(backup, cluster)

    def _finish(self, backup: Object, cluster: Object) -> Again:
        more: Object = {}
        if method_of(backup) == "volumeSnapshot":
            snapshot = self._snapshot(backup, cluster)
            if not status_of(snapshot).get("readyToUse"):
                return None
            more["snapshotBackupStatus"] = {"elements": [{"name": name_of(snapshot), "type": "PG_DATA"}]}
        now = self._clock()
        started = read_stamp(status_of(backup)["startedAt"])
        ids = {"backupId": f"{started:%Y%m%dT%H%M%S}", "backupName": f"backup-{started:%Y%m%d%H%M%S}"}
        self._tell(backup, phase="completed", stoppedAt=stamp(now), serverName=name_of(cluster), **ids, **more)
        succeeded = {
            "type": "LastBackupSucceeded",
            "status": "True",
            "reason": "LastBackupSucceeded",
            "message": "Backup was successful",
        }
        status = {
            "lastSuccessfulBackup": stamp(now),
            "firstRecoverabilityPoint": status_of(cluster).get("firstRecoverabilityPoint", stamp(now)),
            "conditions": with_conditions(status_of(cluster), [succeeded], now),
        }
        self._store.patch_status(CNPG, "Cluster", namespace_of(cluster), name_of(cluster), status)
        return None

    def _snapshot(self, backup: Object, cluster: Object) -> Object:
        found = self._store.get(SNAPSHOTS, "VolumeSnapshot", namespace_of(backup), name_of(backup))
        return found or self._store.create(snapshot_of(backup, cluster), manager="cloudnative-pg")

    def _tell(self, backup: Object, **status: object) -> None:
        self._store.patch_status(CNPG, "Backup", namespace_of(backup), name_of(backup), status)


def method_of(backup: Object) -> str:
    return str(spec_of(backup).get("method", "barmanObjectStore"))


def refusal(backup: Object, cluster: Object) -> str:
    """Return why a cluster is not backed up that way; empty where it is."""
    method, section = method_of(backup), spec_of(cluster).get("backup") or {}
    if method == "plugin":
        return ""
    if not section:
        return NO_SECTION
    return NO_SNAPSHOTS if method == "volumeSnapshot" and "volumeSnapshot" not in section else ""


def snapshot_of(backup: Object, cluster: Object) -> Object:
    """Return the snapshot of the primary's volume. It outlives cluster and backup, unless its owner is named."""
    wanted = (spec_of(cluster).get("backup") or {}).get("volumeSnapshot") or {}
    owners = {"cluster": cluster, "backup": backup}
    owner = owners.get(wanted.get("snapshotOwnerReference", "none"))
    metadata: Object = {
        "name": name_of(backup),
        "namespace": namespace_of(backup),
        "labels": {OF_CLUSTER: name_of(cluster), "cnpg.io/backupName": name_of(backup)},
    }
    if owner is not None:
        metadata["ownerReferences"] = [owner_reference(owner)]
    source = {"persistentVolumeClaimName": status_of(cluster)["currentPrimary"]}
    spec: Object = {"source": source}
    if wanted.get("className"):
        spec["volumeSnapshotClassName"] = wanted["className"]
    return {"apiVersion": f"{SNAPSHOTS}/v1", "kind": "VolumeSnapshot", "metadata": metadata, "spec": spec}


class ScheduledBackups:
    """Makes a Backup at each time of the schedule, the playground's clock being advanced past several makes one."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (CNPG, "scheduledbackups"):
            yield namespace_of(change.object), name_of(change.object)

    def reconcile(self, key: Key) -> Again:
        found = self._store.get(CNPG, "ScheduledBackup", *key)
        if found is None or is_going(found) or spec_of(found).get("suspend"):
            return None
        now = self._clock()
        try:
            schedule = parse(str(spec_of(found)["schedule"]).partition(" ")[2])  # without the seconds
        except ScheduleError:
            return None
        status = status_of(found)
        checked = status.get("lastCheckTime")
        last = schedule.last(now)
        due = last is not None and checked is not None and last > read_stamp(checked)
        if due or (checked is None and spec_of(found).get("immediate")):
            self._store.create(backup_of(found, now, self._owner(found)), manager="cloudnative-pg")
            self._tell(found, schedule, now, lastScheduleTime=stamp(now))
        elif checked is None:
            self._tell(found, schedule, now)
        return following(schedule, now)

    def _tell(self, found: Object, schedule: Schedule, now: datetime, **status: object) -> None:
        after = following(schedule, now)
        told = {"lastCheckTime": stamp(now), "nextScheduleTime": stamp(after) if after else None, **status}
        self._store.patch_status(CNPG, "ScheduledBackup", namespace_of(found), name_of(found), told)

    def _owner(self, found: Object) -> Object | None:
        match spec_of(found).get("backupOwnerReference", "none"):
            case "self":
                return found
            case "cluster":
                return self._store.get(CNPG, "Cluster", namespace_of(found), spec_of(found)["cluster"]["name"])
        return None


def following(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the first time of a schedule after `now`, to the minute; None within four years."""
    low, high = 0, 4 * 366 * 24 * 60
    last = schedule.last(now + high * MINUTE)
    if last is None or last <= now:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        last = schedule.last(now + middle * MINUTE)
        low, high = (low, middle) if last is not None and last > now else (middle, high)
    return schedule.last(now + high * MINUTE)


def backup_of(scheduled: Object, now: datetime, owner: Object | None) -> Object:
    spec = spec_of(scheduled)
    passed_on = ("method", "target", "online", "onlineConfiguration", "pluginConfiguration")
    metadata: Object = {
        "name": f"{name_of(scheduled)}-{now:%Y%m%d%H%M%S}",
        "namespace": namespace_of(scheduled),
        "labels": {
            OF_CLUSTER: spec["cluster"]["name"],
            "cnpg.io/scheduled-backup": name_of(scheduled),
            "cnpg.io/immediateBackup": "true" if "lastCheckTime" not in status_of(scheduled) else "false",
        },
    }
    if owner is not None:
        metadata["ownerReferences"] = [owner_reference(owner)]
    kept = {key: spec[key] for key in passed_on if key in spec}
    return {
        "apiVersion": VERSION,
        "kind": "Backup",
        "metadata": metadata,
        "spec": {"cluster": {"name": spec["cluster"]["name"]}, **kept},
    }
