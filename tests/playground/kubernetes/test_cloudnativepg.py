"""CloudNativePG in the playground: what a Cluster brings along, how it is filled, kept, and how it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground.kubernetes.controllers.objects import condition
from playground.kubernetes.store import Deletion
from tests.playground.kubernetes.cluster import Cluster, running
from tests.playground.kubernetes.databases import CNPG, NAME, SNAPSHOTS, got, healthy, phase, postgres, put, warnings

BACKED_UP: dict[str, Any] = {"backup": {"volumeSnapshot": {}}}


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as found:
        yield found


def names(cluster: Cluster, group: str, kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in cluster.store.list(group, kind, "default")}


async def backup(cluster: Cluster, name: str = "before") -> dict[str, object]:
    put(cluster, f"{CNPG}/v1", "Backup", name, {"cluster": {"name": NAME}, "method": "volumeSnapshot"})
    await cluster.until(lambda: got(cluster, CNPG, "Backup", name).get("status", {}).get("phase") == "completed")
    return dict(got(cluster, CNPG, "Backup", name)["status"])


async def test_a_cluster_brings_volumes_instances_services_and_its_secret(cluster: Cluster) -> None:
    postgres(cluster, 2)
    made = await healthy(cluster)
    assert names(cluster, "", "PersistentVolumeClaim") == {f"{NAME}-1", f"{NAME}-2"} == names(cluster, "", "Pod")
    assert names(cluster, "", "Service") == {f"{NAME}-{role}" for role in ("rw", "ro", "r")}
    assert not cluster.store.list("batch", "Job"), "what filled them is gone"
    primary = got(cluster, "", "Pod", f"{NAME}-1")["metadata"]["labels"]
    assert (primary["cnpg.io/cluster"], primary["cnpg.io/instanceRole"]) == (NAME, "primary")
    assert got(cluster, "", "Pod", f"{NAME}-2")["metadata"]["labels"]["cnpg.io/instanceRole"] == "replica"
    secret = got(cluster, "", "Secret", f"{NAME}-app")
    assert {"uri", "password", "host", "dbname", "user", "port"} <= set(secret["data"])
    status = made["status"]
    assert (status["readyInstances"], status["currentPrimary"], status["writeService"]) == (
        2,
        f"{NAME}-1",
        f"{NAME}-rw",
    )
    assert status["secretsResourceVersion"]["applicationSecretVersion"] == secret["metadata"]["resourceVersion"]
    ready = condition(status, "Ready")
    assert ready is not None
    assert ready["status"] == "True"


async def test_its_phases_are_the_operators_own(cluster: Cluster) -> None:
    seen: list[str] = []
    cluster.store.objects.listen(
        lambda change: (
            seen.append(change.object.get("status", {}).get("phase", "")) if change.key == (CNPG, "clusters") else None
        )
    )
    postgres(cluster, 2)
    await healthy(cluster)
    kept = [one for index, one in enumerate(seen) if index == 0 or seen[index - 1] != one]
    assert kept[:3] == ["", "Setting up primary", "Waiting for the instances to become active"]
    assert "Creating a new replica" in kept
    assert kept[-1] == "Cluster in healthy state"


async def test_with_a_cluster_everything_of_it_goes(cluster: Cluster) -> None:
    postgres(cluster, 2)
    await healthy(cluster)
    cluster.store.delete(CNPG, "Cluster", "default", NAME, Deletion(propagation="Background"))
    kinds = (("", "Pod"), ("", "PersistentVolumeClaim"), ("", "PersistentVolume"), ("", "Service"))
    await cluster.until(lambda: not any(cluster.store.list(*kind) for kind in kinds))
    assert names(cluster, "", "Secret") == set()


async def test_without_a_volume_it_waits_and_goes_on_once_there_is_room(cluster: Cluster) -> None:
    labels = {"cnpg.io/cluster": NAME}
    assert cluster.controllers.force_volumes("default", labels, "pending") == 0
    postgres(cluster)
    await cluster.until(lambda: warnings(cluster, "FailedScheduling"))
    (why,) = warnings(cluster, "ProvisioningFailed")
    assert "ResourceExhausted" in why
    assert "unbound immediate PersistentVolumeClaims" in warnings(cluster, "FailedScheduling")[0]
    assert phase(cluster) == "Setting up primary"
    assert cluster.controllers.force_volumes("default", labels, "ready") == 1
    await healthy(cluster)


async def test_a_class_that_nobody_has_is_named(cluster: Cluster) -> None:
    postgres(cluster, storage={"size": "10Gi", "storageClass": "fast"})
    await cluster.until(lambda: warnings(cluster, "ProvisioningFailed"))
    assert warnings(cluster, "ProvisioningFailed") == ['storageclass.storage.k8s.io "fast" not found']
    fast = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    cluster.store.create({**fast, "provisioner": "disk.acme.example"})
    await healthy(cluster)


async def test_a_backup_keeps_a_snapshot_that_outlives_both(cluster: Cluster) -> None:
    postgres(cluster, **BACKED_UP)
    await healthy(cluster)
    status = await backup(cluster)
    assert status["snapshotBackupStatus"] == {"elements": [{"name": "before", "type": "PG_DATA"}]}
    assert status["backupName"]
    assert got(cluster, SNAPSHOTS, "VolumeSnapshot", "before")["status"]["readyToUse"] is True
    assert got(cluster, CNPG, "Cluster")["status"]["lastSuccessfulBackup"]
    cluster.store.delete(CNPG, "Cluster", "default", NAME, Deletion(propagation="Background"))
    await cluster.until(lambda: not cluster.store.list("", "PersistentVolume"))
    assert names(cluster, SNAPSHOTS, "VolumeSnapshot") == {"before"}
    (content,) = cluster.store.list(SNAPSHOTS, "VolumeSnapshotContent")
    cluster.store.delete(SNAPSHOTS, "VolumeSnapshot", "default", "before")
    await cluster.until(lambda: not cluster.store.list(SNAPSHOTS, "VolumeSnapshotContent"))
    assert content["spec"]["deletionPolicy"] == "Delete"


async def test_a_backup_of_what_keeps_none_fails(cluster: Cluster) -> None:
    postgres(cluster)
    await healthy(cluster)
    put(cluster, f"{CNPG}/v1", "Backup", "now", {"cluster": {"name": NAME}, "method": "volumeSnapshot"})
    await cluster.until(lambda: got(cluster, CNPG, "Backup", "now").get("status", {}).get("phase") == "failed")
    why = got(cluster, CNPG, "Backup", "now")["status"]["error"]
    assert why == "cannot proceed with the backup as the cluster has no backup section"


async def test_a_backup_of_a_stranger_waits(cluster: Cluster) -> None:
    put(cluster, f"{CNPG}/v1", "Backup", "now", {"cluster": {"name": "other"}, "method": "volumeSnapshot"})
    await cluster.until(lambda: got(cluster, CNPG, "Backup", "now").get("status", {}).get("phase") == "pending")
    assert warnings(cluster, "FindingCluster") == ["Unknown cluster other, will retry in 30 seconds"]


async def test_a_schedule_makes_one_backup_at_once_and_one_each_night(cluster: Cluster) -> None:
    postgres(cluster, **BACKED_UP)
    await healthy(cluster)
    spec = {"cluster": {"name": NAME}, "schedule": "0 0 2 * * *", "immediate": True, "method": "volumeSnapshot"}
    put(cluster, f"{CNPG}/v1", "ScheduledBackup", NAME, spec)
    await cluster.until(lambda: len(cluster.store.list(CNPG, "Backup")) == 1)
    status = await cluster.until(lambda: got(cluster, CNPG, "ScheduledBackup").get("status"))
    assert status["nextScheduleTime"] == "2026-03-03T02:00:00Z"
    cluster.clock.advance(hours=20)
    await cluster.until(lambda: len(cluster.store.list(CNPG, "Backup")) == 2)
    assert not cluster.store.list(CNPG, "Backup")[0]["metadata"].get("ownerReferences")


@pytest.mark.parametrize(
    ("recovery", "reason", "why"),
    [
        ({"backup": {"name": "gone"}}, "ErrorNoBackup", 'Backup object "default/gone" is missing'),
        (
            {"volumeSnapshots": {"storage": {"kind": "VolumeSnapshot", "name": "gone", "apiGroup": SNAPSHOTS}}},
            "ErrorNoSnapshot",
            "VolumeSnapshot gone does not exist in namespace default",
        ),
    ],
    ids=["backup", "snapshot"],
)
async def test_what_it_is_to_be_filled_from_must_be_there(
    cluster: Cluster, recovery: dict[str, object], reason: str, why: str
) -> None:
    postgres(cluster, bootstrap={"recovery": recovery})
    await cluster.until(lambda: warnings(cluster, reason))
    assert warnings(cluster, reason) == [why]
    assert names(cluster, "", "PersistentVolumeClaim") == set()
    assert phase(cluster) == "Setting up primary"


@pytest.mark.parametrize("by", ["backup", "snapshot"])
async def test_it_is_filled_from_what_was_kept(cluster: Cluster, by: str) -> None:
    postgres(cluster, **BACKED_UP)
    await healthy(cluster)
    await backup(cluster)
    snapshot = {"kind": "VolumeSnapshot", "name": "before", "apiGroup": SNAPSHOTS}
    wanted = {"backup": {"name": "before"}} if by == "backup" else {"volumeSnapshots": {"storage": snapshot}}
    postgres(cluster, name="copy", bootstrap={"recovery": wanted})
    await healthy(cluster, "copy")
    assert got(cluster, "", "PersistentVolumeClaim", "copy-1")["spec"]["dataSource"] == snapshot


async def test_an_import_whose_source_does_not_answer_gives_up(cluster: Cluster) -> None:
    bootstrap = {"initdb": {"import": {"type": "microservice", "source": {"externalCluster": "base"}}}}
    away = {"name": "base", "connectionParameters": {"host": "base-rw.elsewhere.svc"}}
    postgres(cluster, bootstrap=bootstrap, externalClusters=[away])
    job = await cluster.until(
        lambda: (
            found
            if condition((found := got(cluster, "batch", "Job", f"{NAME}-1-import")).get("status", {}), "Failed")
            else None
        )
    )
    assert job["metadata"]["labels"]["cnpg.io/jobRole"] == "import"
    assert phase(cluster) == "Setting up primary"


async def test_an_import_from_a_neighbour_succeeds(cluster: Cluster) -> None:
    postgres(cluster, name="base")
    await healthy(cluster, "base")
    bootstrap = {"initdb": {"import": {"type": "microservice", "source": {"externalCluster": "base"}}}}
    known = {"name": "base", "connectionParameters": {"host": "base-rw"}, "password": {"name": "base-app"}}
    postgres(cluster, bootstrap=bootstrap, externalClusters=[known])
    await healthy(cluster)


async def test_asleep_it_has_no_instances_and_keeps_its_volumes(cluster: Cluster) -> None:
    made = postgres(cluster)
    await healthy(cluster)
    made = got(cluster, CNPG, "Cluster")
    made["metadata"]["annotations"] = {"cnpg.io/hibernation": "on"}
    cluster.store.update(made)
    await cluster.until(lambda: not names(cluster, "", "Pod"))
    assert names(cluster, "", "PersistentVolumeClaim") == {f"{NAME}-1"}
    made = got(cluster, CNPG, "Cluster")
    made["metadata"]["annotations"] = {"cnpg.io/hibernation": "off"}
    cluster.store.update(made)
    await cluster.until(lambda: names(cluster, "", "Pod") == {f"{NAME}-1"})
    await healthy(cluster)


async def test_fewer_instances_take_their_volumes_with_them(cluster: Cluster) -> None:
    postgres(cluster, 2)
    made = await healthy(cluster)
    made["spec"]["instances"] = 1
    cluster.store.update(made)
    await cluster.until(lambda: names(cluster, "", "PersistentVolumeClaim") == {f"{NAME}-1"})
    await cluster.until(lambda: got(cluster, CNPG, "Cluster")["status"]["readyInstances"] == 1)


async def test_a_database_inside_is_applied_and_does_not_keep_its_cluster_from_going(cluster: Cluster) -> None:
    postgres(cluster)
    put(cluster, f"{CNPG}/v1", "Database", NAME, {"cluster": {"name": NAME}, "name": "app", "owner": "app"})
    await cluster.until(lambda: got(cluster, CNPG, "Database").get("status", {}).get("applied"))
    assert got(cluster, CNPG, "Database")["metadata"]["finalizers"] == ["cnpg.io/deleteDatabase"]
    cluster.store.delete(CNPG, "Cluster", "default", NAME, Deletion(propagation="Background"))
    cluster.store.delete(CNPG, "Database", "default", NAME)
    await cluster.until(lambda: not cluster.store.list(CNPG, "Database"))


async def test_a_pooler_stands_before_it(cluster: Cluster) -> None:
    spec = {"cluster": {"name": NAME}, "instances": 2, "type": "rw", "pgbouncer": {"poolMode": "session"}}
    made = put(cluster, f"{CNPG}/v1", "Pooler", "orders-pooler", spec)
    await cluster.until(lambda: got(cluster, CNPG, "Pooler", "orders-pooler").get("status", {}).get("instances") == 2)
    owner = got(cluster, "apps", "Deployment", "orders-pooler")["metadata"]["ownerReferences"][0]
    assert owner["uid"] == made["metadata"]["uid"]
    assert got(cluster, "", "Service", "orders-pooler")["spec"]["selector"] == {"cnpg.io/poolerName": "orders-pooler"}


async def test_what_was_ordered_holds_for_a_database_that_comes_later_and_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as cluster:
        assert cluster.controllers.force_database("default", NAME, "failed", "the disk is broken") == 0
    async with running(tmp_path) as cluster:
        postgres(cluster)
        await cluster.until(lambda: "unrecoverable" in phase(cluster))
        assert got(cluster, CNPG, "Cluster")["status"]["phaseReason"] == "the disk is broken"
        assert cluster.controllers.force_database("default", NAME, "ready", "") == 1
        await healthy(cluster)


async def test_stuck_it_says_nothing_or_what_it_was_told_to_say(cluster: Cluster) -> None:
    cluster.controllers.force_database("default", NAME, "stuck", "")
    cluster.controllers.force_database("default", "other", "stuck", 'pods "other-1" is forbidden: exceeded quota')
    postgres(cluster)
    postgres(cluster, name="other")
    await cluster.until(lambda: phase(cluster, "other") == "Unable to create required cluster objects")
    assert phase(cluster) == ""
    with pytest.raises(ValueError, match="`state` is one of `stuck`, `failed`, `ready`"):
        cluster.controllers.force_database("default", NAME, "broken", "")


async def test_its_namespace_goes_with_all_of_it(cluster: Cluster) -> None:
    cluster.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "preview"}})
    put(cluster, f"{CNPG}/v1", "Cluster", NAME, {"instances": 1, "storage": {"size": "1Gi"}}, namespace="preview")
    put(cluster, f"{CNPG}/v1", "Database", NAME, {"cluster": {"name": NAME}, "name": "app"}, namespace="preview")
    await cluster.until(lambda: got(cluster, CNPG, "Database", NAME, "preview").get("status", {}).get("applied"))
    cluster.store.delete("", "Namespace", "", "preview")
    await cluster.until(lambda: cluster.store.get("", "Namespace", "", "preview") is None)
    await cluster.until(lambda: not cluster.store.list("", "PersistentVolume"))
