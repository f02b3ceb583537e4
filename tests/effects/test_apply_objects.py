"""Who owns the number of replicas: our own autoscaler comes and goes without a conflict, everybody else is heard."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from bot.effects import ApplyObjects
from bot.errors import Conflict
from bot.model.canonical import JSON
from bot.model.effect import Undo
from bot.ports import Object, ObjectRef
from tests.effects.scenes import NAMESPACE, RehearsedCluster, World, as_map, kubernetes, run

DEPLOYMENT = ObjectRef("apps/v1", "Deployment", "web", NAMESPACE)
AUTOSCALER = ObjectRef("autoscaling/v2", "HorizontalPodAutoscaler", "web", NAMESPACE)
FREE = kubernetes("Deployment", "web", spec={"paused": False})
SCALER = {
    **kubernetes("HorizontalPodAutoscaler", "web", spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}}),
    "apiVersion": "autoscaling/v2",
}
CONTROLLER = "kube-controller-manager"


def fixed(replicas: int) -> dict[str, JSON]:
    return kubernetes("Deployment", "web", spec={"paused": False, "replicas": replicas})


def step(*objects: dict[str, JSON], before: tuple[dict[str, JSON], ...] = ()) -> ApplyObjects:
    return ApplyObjects(
        id="apply",
        cluster="default",
        namespace=NAMESPACE,
        inventory="web.staging",
        objects=objects,
        before=before,
        create_namespace=True,
    )


class ActingCluster(RehearsedCluster):
    """Its autoscaler, while it is there, sets the number at once: the worst that may happen."""

    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        applied = await super().apply(obj, dry_run=dry_run, over=over)
        if obj["kind"] == "Deployment" and not dry_run and self.find(AUTOSCALER) is not None:
            self.put(fixed(4), manager=CONTROLLER)
        return applied


def replicas(world: World) -> Any:
    return world.cluster.find(DEPLOYMENT)["spec"].get("replicas")


async def autoscaled(world: World) -> None:
    """Deploy with an autoscaler, and let it act."""
    first = step(FREE, SCALER)
    await first.apply(world.ports, run(first, operation="op_before"))
    world.cluster.put(fixed(4), manager=CONTROLLER)


async def test_a_number_takes_the_place_of_our_own_autoscaler() -> None:
    world = World()
    await autoscaled(world)
    scale = step(fixed(3), before=(FREE, SCALER))
    await scale.apply(world.ports, run(scale))
    assert replicas(world) == 3
    assert world.cluster.find(AUTOSCALER) is None


async def test_an_autoscaler_that_acts_before_it_goes_does_not_have_the_last_word() -> None:
    world = World(cluster=ActingCluster())
    await autoscaled(world)
    scale = step(fixed(3), before=(FREE, SCALER))
    await scale.apply(world.ports, run(scale))
    assert replicas(world) == 3


async def test_what_our_autoscaler_did_meanwhile_does_not_hinder_undo() -> None:
    world = World()
    first = step(fixed(2))
    await first.apply(world.ports, run(first, operation="op_before"))
    free = step(FREE, SCALER, before=(fixed(2),))
    outcome = await free.apply(world.ports, run(free))
    world.cluster.put(fixed(5), manager=CONTROLLER)
    undone = await free.undo(world.ports, run(free), outcome)
    assert (undone.how, replicas(world)) == (Undo.UNDONE, 2)


async def test_an_autoscaler_of_somebody_else_is_no_reason_to_take_anything() -> None:
    world = World()
    first = step(fixed(2))
    await first.apply(world.ports, run(first, operation="op_before"))
    world.cluster.put(fixed(5), manager=CONTROLLER)
    scale = step(fixed(3), before=(fixed(2),))
    with pytest.raises(Conflict, match="`kube-controller-manager` owns"):
        await scale.apply(world.ports, run(scale))
    assert replicas(world) == 5


async def test_a_person_who_has_scaled_by_hand_is_not_overridden_by_our_autoscaler_going() -> None:
    world = World()
    await autoscaled(world)
    world.cluster.put(fixed(6), manager="kubectl-scale")
    scale = step(fixed(3), before=(FREE, SCALER))
    with pytest.raises(Conflict, match="`kubectl-scale` owns"):
        await scale.apply(world.ports, run(scale))
    assert replicas(world) == 6


async def test_what_argo_cd_may_not_prune_stays_in_direct_delivery_too() -> None:
    world = World()
    kept, free = kubernetes("Service", "kept"), kubernetes("Service", "free")
    as_map(kept["metadata"])["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=false"}
    first = step(FREE, kept, free)
    await first.apply(world.ports, run(first, operation="op_before"))
    later = step(FREE, before=(FREE, kept, free))
    outcome = await later.apply(world.ports, run(later))
    assert world.cluster.find(ObjectRef("v1", "Service", "kept", NAMESPACE)) is not None
    assert world.cluster.find(ObjectRef("v1", "Service", "free", NAMESPACE)) is None
    assert "kept" not in outcome.seen


async def test_what_a_step_has_protected_no_undo_deletes_or_lays_open() -> None:
    world = World()
    bare = {**kubernetes("Cluster", "orders-db", spec={"instances": 1}), "apiVersion": "postgresql.cnpg.io/v1"}
    metadata: Any = bare["metadata"]
    kept = {"argocd.argoproj.io/sync-options": "Prune=false"}
    held = {**bare, "metadata": {**metadata, "annotations": kept}}
    first, protect = step(bare), step(held, before=(bare,)).model_copy(update={"id": "protect"})
    made = await first.apply(world.ports, run(first))
    protected = await protect.apply(world.ports, run(protect))
    undone = await protect.undo(world.ports, run(protect), protected)
    assert (undone.how, undone.command) == (Undo.KEPT, "")
    assert undone.seen.endswith("is protected by now, and may hold data: it stays.")
    assert (await first.undo(world.ports, run(first), made)).how is Undo.KEPT
    live: Any = world.cluster.find(ObjectRef("postgresql.cnpg.io/v1", "Cluster", "orders-db", NAMESPACE))
    assert live["metadata"]["annotations"].items() >= kept.items()
