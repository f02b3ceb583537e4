"""Before a database is deleted: protection is gone, a last backup is complete; afterwards nothing brings it back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.effects import TakeBackup
from bot.effects.backup import is_protected
from bot.errors import Conflict, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Undo
from bot.ports import ObjectRef, Ports
from tests.effects.endings import BACKUP, CNPG, DELETE, LAST, NAME, TAKE, UNPROTECTED
from tests.effects.scenes import LIFT, NAMESPACE, OLD, World, run, world
from tests.fakes.waiting import FakeWaiting

REF = ObjectRef(CNPG, "Backup", LAST, NAMESPACE)
BY_GIT = TakeBackup(id="backup", cluster="default", namespace=NAMESPACE, name=REF.name, database=NAME)


def backup(phase: str, **status: Any) -> dict[str, Any]:
    return {**BACKUP, "status": {"phase": phase, **status}}


def cluster(options: str) -> dict[str, Any]:
    annotations = {"argocd.argoproj.io/sync-options": options} if options else {}
    return {
        "apiVersion": CNPG,
        "kind": "Cluster",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "annotations": annotations},
    }


async def watched(effect: Effect, made: World, waiting: FakeWaiting) -> tuple[Outcome, list[tuple[str, bool]]]:
    told: list[tuple[str, bool]] = []

    async def report(text: str, *, stalled: bool = False) -> None:
        told.append((text, stalled))

    ports: Ports = replace(made.ports, waiting=waiting)
    async with asyncio.timeout(30):
        return await effect.apply(ports, run(effect).model_copy(update={"report": report})), told


async def test_a_backup_is_made_followed_and_told() -> None:
    made = await world()
    snapshots = {"elements": [{"name": LAST, "type": "PG_DATA"}]}
    steps = [
        lambda: made.cluster.put(backup("running")),
        lambda: made.cluster.put(backup("completed", stoppedAt="2026-03-02T09:05:00Z", snapshotBackupStatus=snapshots)),
    ]
    outcome, told = await watched(TAKE, made, FakeWaiting(steps))
    assert made.cluster.find(REF)["spec"] == BACKUP["spec"]
    assert [text for text, _ in told] == [
        "Waiting for the operator to begin the last backup.",
        "The last backup is being made.",
    ]
    assert outcome.outputs == {"backup": REF.name, "snapshots": [LAST]}
    assert "is complete since 2026-03-02T09:05:00Z, as the snapshot ending-db-last" in outcome.seen


async def test_where_git_delivers_it_makes_nothing_itself() -> None:
    made = await world()
    _, told = await watched(BY_GIT, made, FakeWaiting([lambda: made.cluster.put(backup("completed"))]))
    assert len(told) == 1
    assert "apply" not in made.cluster.calls


async def test_asked_twice_it_makes_one() -> None:
    made = await world()
    made.cluster.put(backup("completed"))
    await watched(TAKE, made, FakeWaiting())
    assert "apply" not in made.cluster.calls


async def test_a_backup_that_fails_stops_the_deletion_and_says_why() -> None:
    made = await world()
    made.cluster.put(backup("failed", error="no VolumeSnapshotClass is there."))
    with pytest.raises(Conflict, match=r"failed: no VolumeSnapshotClass is there\. Nothing was deleted\. Ask the plat"):
        await watched(TAKE, made, FakeWaiting())


async def test_a_cluster_that_is_away_is_waited_for() -> None:
    made = await world()
    made.cluster.put(backup("completed"))
    made.cluster.refuse("get", UpstreamUnavailable("The cluster `default` does not answer."))
    _, told = await watched(TAKE, made, FakeWaiting([lambda: None]))
    assert told == [("The cluster `default` does not answer. Causeway goes on by itself once it answers.", False)]


async def test_a_slow_backup_is_said_to_be_slow() -> None:
    made = await world()
    made.cluster.put(backup("running"))
    steps = [*([lambda: None] * 70), lambda: made.cluster.put(backup("completed"))]
    _, told = await watched(TAKE, made, FakeWaiting(steps))
    assert told[0] == ("The last backup is being made.", False)
    last, stalled = told[-1]
    assert stalled
    assert last.endswith("It has taken long; ask the platform team whether it moves. Nothing has been deleted.")


async def test_it_goes_on_once_argo_cd_has_lifted_the_protection() -> None:
    made = await world()
    made.cluster.put(cluster("Prune=false,Delete=false"))
    outcome, told = await watched(UNPROTECTED, made, FakeWaiting([lambda: made.cluster.put(cluster(""))]))
    assert told == [("Waiting for the protection of ending-db to be lifted in the cluster.", False)]
    assert outcome.seen.endswith("is not protected any more")


@pytest.mark.parametrize(
    ("live", "protected"),
    [
        (cluster("Prune=false"), True),
        (cluster("Delete=false, Prune=false"), True),
        (cluster("Delete=false"), False),
        (cluster(""), False),
        ({"metadata": {}, "spec": {"forProvider": {"deletionProtection": True}}}, True),
        ({"metadata": {}, "spec": {"forProvider": {"deletionProtection": False}}}, False),
    ],
)
def test_what_protects(live: dict[str, Any], protected: bool) -> None:
    assert is_protected(live) is protected


async def test_undoing_protects_again_only_what_is_still_there() -> None:
    made = await world()
    outcome = await LIFT.apply(made.ports, run(LIFT))
    await DELETE.apply(made.ports, run(DELETE))
    undone = await LIFT.undo(made.ports, run(LIFT), outcome)
    assert (undone.how, undone.seen) == (Undo.KEPT, "orders-db has been deleted, and nothing brings it back.")
    assert "apps/old.yaml" not in made.forge.files(OLD)
    assert (await LIFT.gone(made.ports, run(LIFT), outcome)).absent
