"""Volumes in the playground: each claim gets one by its class, and it goes with its claim."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.kubernetes.seed import STANDARD
from tests.playground.kubernetes.cluster import Cluster, running
from tests.playground.kubernetes.databases import got, put

WANTED: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as found:
        yield found


def claim(cluster: Cluster, **spec: Any) -> dict[str, Any]:
    return put(cluster, "v1", "PersistentVolumeClaim", "files", {**WANTED, **spec})


async def bound(cluster: Cluster) -> dict[str, Any]:
    await cluster.until(
        lambda: got(cluster, "", "PersistentVolumeClaim", "files").get("status", {}).get("phase") == "Bound"
    )
    return got(cluster, "", "PersistentVolumeClaim", "files")


async def test_a_claim_without_a_class_gets_the_default_one(cluster: Cluster) -> None:
    made = claim(cluster)
    found = await bound(cluster)
    assert found["spec"]["storageClassName"] == "standard"
    volume = got(cluster, "", "PersistentVolume", f"pvc-{made['metadata']['uid']}", "")
    assert volume["spec"]["claimRef"]["uid"] == made["metadata"]["uid"]
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert volume["status"]["phase"] == "Bound"


async def test_with_its_claim_a_volume_goes(cluster: Cluster) -> None:
    claim(cluster)
    await bound(cluster)
    cluster.store.delete("", "PersistentVolumeClaim", "default", "files")
    await cluster.until(lambda: not cluster.store.list("", "PersistentVolume"))


async def test_a_class_that_keeps_its_volumes_leaves_them_released(cluster: Cluster) -> None:
    kept = {**STANDARD, "metadata": {"name": "kept"}, "reclaimPolicy": "Retain"}
    cluster.store.create(kept)
    claim(cluster, storageClassName="kept")
    await bound(cluster)
    cluster.store.delete("", "PersistentVolumeClaim", "default", "files")
    await cluster.until(
        lambda: [one["status"]["phase"] for one in cluster.store.list("", "PersistentVolume")] == ["Released"]
    )


async def test_a_snapshot_that_is_not_there_gives_no_volume(cluster: Cluster) -> None:
    source = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "gone"}
    claim(cluster, dataSource=source)
    await cluster.until(lambda: cluster.told("ProvisioningFailed"))
    (event,) = cluster.told("ProvisioningFailed")
    assert event["message"].endswith('volumesnapshots.snapshot.storage.k8s.io "gone" not found')


async def test_without_any_class_a_claim_waits(cluster: Cluster) -> None:
    cluster.store.delete("storage.k8s.io", "StorageClass", "", "standard")
    claim(cluster)
    await cluster.until(lambda: cluster.told("FailedBinding"))
    cluster.store.create(dict(STANDARD))
    await bound(cluster)
