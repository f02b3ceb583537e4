"""Exactly these objects are deleted, each as it was planned."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.effects import RemoveObjects, Target
from bot.effects.objects import INVENTORY
from bot.errors import Conflict, UpstreamUnavailable
from bot.ports import ObjectRef
from tests.effects.scenes import kubernetes, run
from tests.effects.test_remove_namespace import Breathing, Told, ports
from tests.fakes.cluster import FakeCluster

OURS = "orders.staging"
BUCKET = ObjectRef("database.aws.crossplane.io/v1beta1", "RDSInstance", "orders-db")


def instance(**metadata: Any) -> dict[str, Any]:
    named = {"name": BUCKET.name, "labels": {INVENTORY: OURS}, **metadata}
    return {"apiVersion": BUCKET.api_version, "kind": BUCKET.kind, "metadata": named}


def world() -> FakeCluster:
    cluster = FakeCluster(namespaces=["orders"])
    cluster.put(instance())
    cluster.put({**kubernetes("ConfigMap", "orders", "orders"), "metadata": named("orders")})
    cluster.put(kubernetes("ConfigMap", "theirs", "orders"))
    cluster.calls.clear()
    return cluster


def named(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "orders", "labels": {INVENTORY: OURS}}


CONFIG = ObjectRef("v1", "ConfigMap", "orders", "orders")


def removing(cluster: FakeCluster, **more: Any) -> RemoveObjects:
    refs = tuple(Target.of(cluster.find(ref)) for ref in (BUCKET, CONFIG))
    return RemoveObjects(id="remove", cluster="default", namespace="orders", inventory=OURS, refs=refs, **more)


async def test_these_go_and_what_stands_beside_them_stays() -> None:
    cluster = world()
    effect = removing(cluster)
    outcome = await effect.apply(ports(cluster), run(effect))
    assert outcome.seen == "2 objects deleted: RDSInstance orders-db, ConfigMap orders in orders"
    assert [ref.name for ref in cluster.refs()] == ["theirs", "orders"]
    deleted = cluster.calls.count("delete")
    assert await effect.apply(ports(cluster), run(effect, attempt=2)) == outcome
    assert cluster.calls.count("delete") == deleted


async def test_what_somebody_has_made_anew_under_a_name_stays() -> None:
    cluster = world()
    effect = removing(cluster)
    cluster.remove(BUCKET)
    cluster.put(instance(labels={INVENTORY: OURS}))
    await effect.apply(ports(cluster), run(effect))
    assert cluster.find(BUCKET) is not None


async def test_one_stranger_among_them_and_nothing_is_deleted() -> None:
    cluster = world()
    effect = removing(cluster)
    cluster.put(
        {**kubernetes("ConfigMap", "orders", "orders"), "metadata": {**named("orders"), "labels": {INVENTORY: "x"}}}
    )
    with pytest.raises(Conflict, match="ConfigMap orders in orders on default does not carry the label"):
        await effect.apply(ports(cluster), run(effect))
    assert "delete" not in cluster.calls


async def test_it_waits_for_what_the_cloud_has_to_delete_first_and_says_what_it_says() -> None:
    cluster = world()
    cluster.put(instance(finalizers=["finalizer.managedresource.crossplane.io"]))
    effect = removing(cluster, patience_s=4)
    told = Told()

    def fail() -> None:
        live = cluster.find(BUCKET)
        message = "delete failed: cannot delete RDS instance: DeletionProtection is enabled"
        condition: Any = {"type": "Synced", "status": "False", "reason": "ReconcileError", "message": message}
        cluster.put({**live, "status": {"conditions": [condition]}})

    def away() -> None:
        cluster.refuse("get", UpstreamUnavailable("The cluster `default` cannot be reached."))

    def done() -> None:
        cluster.put(instance(finalizers=[]))
        cluster.remove(BUCKET)

    waiting = Breathing([lambda: None, lambda: None, fail, away, done])
    where = ports(cluster, waiting)
    async with asyncio.timeout(20):
        await effect.apply(where, run(effect).model_copy(update={"report": told}))
    assert told.reports[0] == ("1 of 2 is still being deleted: RDSInstance orders-db.", False)
    assert told.stalled == [
        (
            "RDSInstance orders-db is not gone: Crossplane deletes it in the cloud first (finalizer "
            "finalizer.managedresource.crossplane.io). It goes on by itself; ask the platform team where it takes "
            "longer than usual."
        ),
        (
            "RDSInstance orders-db is not gone: delete failed: cannot delete RDS instance: DeletionProtection is "
            "enabled. Ask the platform team to mend that; then it goes."
        ),
        "The cluster `default` cannot be reached. Causeway goes on by itself once it answers.",
    ]
    assert min(waiting.pauses) >= 2
    assert max(waiting.pauses) <= 15
