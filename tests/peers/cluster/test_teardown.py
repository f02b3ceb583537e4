"""What is torn down, on clusters with controllers: namespaces, finalizers, dependents, volumes, and whose they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import yaml

from bot.effects import ProveGone, RemoveNamespace, RemoveObjects, Target
from bot.effects.absence import Check
from bot.effects.absent import NamespaceAbsent, ObjectsAbsent, VolumesAbsent
from bot.effects.objects import INVENTORY
from bot.errors import Conflict, Refused
from bot.model.effect import Effect, Outcome
from bot.ports import ObjectRef
from bot.teardown import read_contents
from tests.peers.cluster.houses import House, Town, config_map, deployment, meta, watching
from tests.peers.cluster.test_effects import Told, ports, run
from tests.peers.control_plane.fixtures import INSTALL, rights

OURS = "preview.pr-7"
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}
FINALIZER = "example.com/held"
PATIENCE_S = 60.0
COMPONENTS = ("databases-and-previews", "previews")


def namespace_ref(name: str) -> ObjectRef:
    return ObjectRef("v1", "Namespace", name)


async def ours(house: House) -> tuple[str, str]:
    """Make a namespace that is ours; return its name and uid."""
    name = await house.namespace()
    labels: Any = {INVENTORY: OURS, **MANAGED}
    live = await house.cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    )
    return name, str(meta(live)["uid"])


def removing(name: str, uid: str, **more: Any) -> RemoveNamespace:
    return RemoveNamespace(id="remove", cluster="default", namespace=name, uid=uid, inventory=OURS, **more)


@asynccontextmanager
async def going(
    effect: Effect, town: Town, *, as_bot: bool = False
) -> AsyncIterator[tuple[asyncio.Task[Outcome], Told]]:
    told = Told()
    where = ports(town)
    if as_bot:
        where = replace(where, clusters={"default": town.bot})
    task = asyncio.create_task(effect.apply(where, run(report=told)))
    try:
        yield task, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def proved(town: Town, *checks: Check) -> str:
    effect = ProveGone(id="prove", cluster="default", checks=checks)
    async with going(effect, town) as (task, _), asyncio.timeout(PATIENCE_S):
        return (await task).seen


async def done(effect: Effect, town: Town) -> Outcome:
    async with going(effect, town) as (task, _), asyncio.timeout(PATIENCE_S):
        return await task


async def test_a_deletion_meant_for_one_object_leaves_another_of_its_name_alone(house: House) -> None:
    name, _ = await ours(house)
    with pytest.raises(Conflict):
        await house.cluster.delete(namespace_ref(name), uid="00000000-0000-0000-0000-000000000000")
    live = await house.cluster.get(namespace_ref(name))
    assert live is not None
    assert "deletionTimestamp" not in meta(live)


async def test_a_namespace_goes_with_its_workloads_and_their_dependents(town: Town) -> None:
    name, uid = await ours(town)
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=name, name="web") as watch:
        await town.cluster.apply(deployment(name, "web", replicas=2))
        await watch.object(lambda obj: obj.get("status", {}).get("availableReplicas") == 2)
    (pod, *_) = await town.cluster.list("v1", "Pod", namespace=name)
    outcome = await done(removing(name, uid), town)
    assert outcome.outputs == {"state": "gone"}
    seen = await proved(town, NamespaceAbsent(name=name, uid=uid), ObjectsAbsent(targets=(Target.of(pod),)))
    assert seen.startswith(f"gone: namespace {name} and its workloads (the cluster knows no such namespace); gone: Pod")
    assert (await done(removing(name, uid), town)).outputs == {"state": "gone"}, "a second time it is gone already"


async def test_a_namespace_that_somebody_has_made_anew_is_left(town: Town) -> None:
    name, uid = await ours(town)
    await done(removing(name, uid), town)
    labels: Any = {INVENTORY: OURS, **MANAGED}
    await town.by_another(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}, "them"
    )
    outcome = await done(removing(name, uid), town)
    assert outcome.outputs == {"state": "left"}
    live = await town.cluster.get(namespace_ref(name))
    assert live is not None
    assert "deletionTimestamp" not in meta(live)


async def test_a_stuck_finalizer_is_explained_with_whoever_has_set_it_and_the_wait_goes_on(town: Town) -> None:
    name, uid = await ours(town)
    held = config_map(name, "held", {}, finalizers=[FINALIZER])
    await town.by_another(held, "billing-operator")
    async with going(removing(name, uid, patience_s=5), town) as (task, told):
        text = await told.until(lambda text, stalled: stalled and "ConfigMap held" in text)
        assert f"it is held by the finalizer {FINALIZER}, which billing-operator has set." in text
        assert "Ask whoever runs billing-operator" in text
        await town.by_another({**held, "metadata": {**held["metadata"], "finalizers": []}}, "billing-operator")
        async with asyncio.timeout(PATIENCE_S):
            assert (await task).outputs == {"state": "gone"}


async def test_how_much_is_left_is_told_by_the_namespace_itself(town: Town) -> None:
    name, uid = await ours(town)
    held = [config_map(name, f"held-{number}", {}, finalizers=[FINALIZER]) for number in range(3)]
    for one in held:
        await town.by_another(one, "somebody")
    async with going(removing(name, uid, holds=7), town) as (task, told):
        await told.until(lambda text, _: text == f"3 of 7 objects are left in the namespace {name}.")
        for one in held:
            await town.by_another({**one, "metadata": {**one["metadata"], "finalizers": []}}, "somebody")
        async with asyncio.timeout(PATIENCE_S):
            await task


async def test_objects_go_with_what_belongs_to_them_and_their_neighbours_stay(town: Town) -> None:
    name, _ = await ours(town)
    wanted = deployment(name, "web")
    wanted["metadata"]["labels"] = {INVENTORY: OURS}
    await town.by_another(config_map(name, "theirs", {}), "somebody")
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=name, name="web") as watch:
        await town.cluster.apply(wanted)
        live = await watch.object(lambda obj: obj.get("status", {}).get("availableReplicas") == 1)
    dependents = [
        Target.of(one)
        for kind in (("apps/v1", "ReplicaSet"), ("v1", "Pod"))
        for one in await town.cluster.list(*kind, namespace=name)
    ]
    effect = RemoveObjects(id="remove", cluster="default", namespace=name, inventory=OURS, refs=(Target.of(live),))
    assert (await done(effect, town)).seen == f"1 object deleted: Deployment web in {name}"
    seen = await proved(town, ObjectsAbsent(targets=tuple(dependents)))
    assert "left" not in seen
    assert await town.cluster.get(ObjectRef("v1", "ConfigMap", "theirs", name)) is not None


async def test_a_volume_that_its_class_retains_is_kept_and_named_and_gone_when_somebody_deletes_it(town: Town) -> None:
    name, uid = await ours(town)
    volume = await bound_volume(town, name)
    contents = await read_contents(town.cluster, name, OURS)
    assert [(one.name, one.claim, one.size, one.retained) for one in contents.volumes] == [
        (volume, "data", "1Gi", True)
    ]
    await done(removing(name, uid), town)
    check = VolumesAbsent(namespace=name, volumes=contents.volumes)
    assert await proved(town, check) == (
        f"kept: volume {volume} (of data, 1Gi: its class retains it until somebody deletes it)"
    )
    async with watching(town.cluster, "v1", "PersistentVolume", name=volume) as watch:
        await watch.synced()
        await town.cluster.delete(ObjectRef("v1", "PersistentVolume", volume))
        await watch.gone(volume)
    assert await proved(town, check) == f"gone: volume {volume} (no PersistentVolume names a claim of {name} any more)"


async def bound_volume(town: Town, namespace: str) -> str:
    """Make a claim and a volume for it; return the volume's name once it is bound.

    Nobody provisions volumes on the real control plane, and on the playground's nothing else does.
    """
    name = f"pv-{namespace}"
    size = {"storage": "1Gi"}
    provisioned = town.kind == "simulator"
    volume: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": size,
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "by-hand",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace, "name": "data"},
            "hostPath": {"path": "/nowhere"},
        },
    }
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": size},
            "storageClassName": "by-hand",
            **({} if provisioned else {"volumeName": name}),
        },
    }
    retaining: Any = {"provisioner": "example.com/disks", "reclaimPolicy": "Retain", "metadata": {"name": "by-hand"}}
    kind: Any = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    await town.cluster.apply({**kind, **retaining} if provisioned else volume)
    async with watching(town.cluster, "v1", "PersistentVolumeClaim", namespace=namespace, name="data") as watch:
        await town.by_another(claim, "somebody")
        bound = await watch.object(lambda obj: obj.get("status", {}).get("phase") == "Bound")
    return str(bound["spec"]["volumeName"])


# --- rights


@pytest.fixture
async def granted(town: Town) -> AsyncIterator[Town]:
    """The components that previews take, and what they are bound by is taken away again afterwards."""
    objects = [obj for name in COMPONENTS for obj in rights(INSTALL / "components" / name)]
    for obj in objects:
        await town.by_another(obj, "platform")
    yield town
    for obj in reversed(objects):
        await town.cluster.delete(ObjectRef(obj["apiVersion"], obj["kind"], obj["metadata"]["name"]))


async def test_the_account_deletes_and_proves_with_the_rights_of_two_components(granted: Town) -> None:
    town = granted
    name, uid = await ours(town)
    contents = await read_contents(town.bot, name, OURS)
    assert (contents.uid, contents.may_delete_namespace, contents.unread) == (uid, True, ())
    effects: Sequence[Effect] = (
        removing(name, uid),
        ProveGone(
            id="prove",
            cluster="default",
            checks=(NamespaceAbsent(name=name, uid=uid), VolumesAbsent(namespace=name)),
        ),
    )
    for effect in effects:
        async with going(effect, town, as_bot=True) as (task, _), asyncio.timeout(PATIENCE_S):
            outcome = await task
    assert outcome.outputs["proved"] == "yes"


async def test_without_them_nothing_is_deleted_and_what_was_not_seen_is_said(town: Town) -> None:
    name, uid = await ours(town)
    contents = await read_contents(town.bot, name, OURS)
    assert not contents.may_delete_namespace
    assert any("load balancers could not be looked at" in one for one in contents.unread)
    async with going(removing(name, uid), town, as_bot=True) as (task, _):
        with pytest.raises(Refused):
            await task
    prove = ProveGone(id="prove", cluster="default", checks=(VolumesAbsent(namespace=name),))
    async with going(prove, town, as_bot=True) as (task, _), asyncio.timeout(PATIENCE_S):
        outcome = await task
    assert outcome.outputs["proved"] == "no"
    assert "so it is not proved" in outcome.seen


async def test_the_admission_policy_holds_the_account_to_namespaces_that_are_ours(granted: Town) -> None:
    town = granted
    if town.kind == "simulator":
        pytest.skip("the playground's API server has no admission policies")
    policy = INSTALL / "components" / "previews" / "admission-policy.yaml"
    objects = list(yaml.safe_load_all(policy.read_text()))
    for obj in objects:
        await town.cluster.apply(obj)
    try:
        refusal = await first_refusal(town)
        assert "Causeway deletes only namespaces that are labelled" in refusal
        name, uid = await ours(town)
        async with going(removing(name, uid), town, as_bot=True) as (task, _), asyncio.timeout(PATIENCE_S):
            assert (await task).outputs == {"state": "gone"}
    finally:
        for obj in reversed(objects):
            await town.cluster.delete(ObjectRef(obj["apiVersion"], obj["kind"], obj["metadata"]["name"]))


async def first_refusal(town: Town) -> str:
    """Try it until the server has read the policy: it does so in its own time."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await town.bot.delete(namespace_ref(await town.namespace()))
            except Refused as refused:
                return str(refused)
            await asyncio.sleep(0.2)  # the server tells nobody when it has read it
