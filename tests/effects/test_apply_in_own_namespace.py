"""The namespace that a delivery has made goes with it, unless somebody else lives there."""

from __future__ import annotations

from typing import Any

import pytest

from bot.effects import ApplyObjects
from bot.model.canonical import JSON
from bot.model.effect import Undo
from tests.effects.scenes import NAMESPACE, World, kubernetes, run

CLUSTER = {**kubernetes("Cluster", "web-db", spec={"instances": 1}), "apiVersion": "postgresql.cnpg.io/v1"}


def step() -> ApplyObjects:
    return ApplyObjects(
        id="apply",
        cluster="default",
        namespace=NAMESPACE,
        inventory="web.staging",
        objects=(CLUSTER,),
        create_namespace=True,
    )


def claim(**owner: JSON) -> dict[str, JSON]:
    """A disk as an operator makes it: it is deleted after its owner, some time later."""
    metadata: Any = {"name": "web-db-1", "namespace": NAMESPACE}
    if owner:
        metadata["ownerReferences"] = [{"uid": "any", "controller": True, **owner}]
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {}}


async def undone_beside(world: World, obj: dict[str, JSON]) -> Undo:
    effect = step()
    outcome = await effect.apply(world.ports, run(effect))
    world.cluster.put(obj)
    return (await effect.undo(world.ports, run(effect), outcome)).how


async def test_what_an_operator_has_made_for_ours_keeps_nobody() -> None:
    world = World()
    of_ours: dict[str, JSON] = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "web-db"}
    assert await undone_beside(world, claim(**of_ours)) is Undo.UNDONE


@pytest.mark.parametrize(
    "owner",
    [
        {},
        {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "theirs-db"},
        {"apiVersion": "example.com/v1", "kind": "Cluster", "name": "web-db"},
    ],
)
async def test_a_disk_of_somebody_else_s_keeps_the_namespace(owner: dict[str, JSON]) -> None:
    assert await undone_beside(World(), claim(**owner)) is Undo.KEPT
