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
from tests.effects.endings import BACKUP, CNPG, DELETE, GROW, LAST, NAME, PROTECT, RETIRE, TAKE, UNPROTECTED
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


def in_cloud(**carried_out: int) -> dict[str, Any]:
    """An unprotected resource in its fourth generation, and which of them its provider says it has carried out."""
    seen = {"observedGeneration": carried_out["carried_out"]} if carried_out else {}
    conditions = [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "True", **seen}]
    spec = {"forProvider": {"deletionProtection": False}}
    return {"metadata": {"generation": 4}, "spec": spec, "status": {"conditions": conditions}}


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
    assert "is complete since 02 March 2026, 09:05 UTC, as the snapshot ending-db-last; it is kept" in outcome.seen


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
    made.cluster.put(backup("failed", error="s3://backup:hunter2@store refused:\npassword=hunter2"))
    with pytest.raises(Conflict) as refused:
        await TAKE.apply(made.ports, run(TAKE))
    assert "hunter2" not in str(refused.value)
    assert "\n" not in refused.value.message
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
        (in_cloud(carried_out=3), True),
        (in_cloud(carried_out=4), False),
        (in_cloud(), False),
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


async def test_a_new_database_is_undone_once_argo_cd_has_deleted_it() -> None:
    made = await world()
    retire = RETIRE.model_copy(update={"name": NAME, "database": NAME})
    made.cluster.put(cluster(""))
    ref = ObjectRef(CNPG, "Cluster", NAME, NAMESPACE)
    assert not (await retire.gone(made.ports, run(retire), None)).absent
    ports = replace(made.ports, waiting=FakeWaiting([lambda: made.cluster.remove(ref)]))
    undone = await retire.undo(ports, run(retire), None)
    assert (undone.how, undone.seen) == (Undo.UNDONE, f"{NAME} is gone")
    assert (await retire.gone(made.ports, run(retire), None)).absent


async def test_a_new_database_that_does_not_go_is_no_undo() -> None:
    made = await world()
    retire = RETIRE.model_copy(update={"name": NAME, "database": NAME})
    made.cluster.put(cluster(""))
    ports = replace(made.ports, waiting=FakeWaiting([lambda: None] * 60))
    with pytest.raises(UpstreamUnavailable, match="Argo CD has not removed ending-db yet"):
        await retire.undo(ports, run(retire), None)


async def test_a_database_that_is_ready_is_kept_by_an_undo_with_what_may_be_in_it() -> None:
    made = await world()
    assert (await PROTECT.undo(made.ports, run(PROTECT), None)).how is Undo.UNDONE
    outcome = await PROTECT.apply(made.ports, run(PROTECT))
    undone = await PROTECT.undo(made.ports, run(PROTECT), outcome)
    assert (undone.how, undone.seen) == (
        Undo.KEPT,
        "ending-db is ready and protected, and may hold data: it stays.",
    )
    assert PROTECT.manual() == "/database delete ending-db in staging"
    assert made.forge.files(OLD)["apps/old.yaml"] == b"protected: true\n"
    retire = RETIRE.model_copy(update={"name": NAME, "database": NAME})
    made.cluster.put(cluster("Prune=false"))
    undone = await retire.undo(made.ports, run(retire), None)
    assert (undone.how, undone.seen) == (Undo.KEPT, "ending-db is protected, and stays with what is in it")


async def test_a_disk_that_has_grown_is_kept_by_an_undo() -> None:
    made = await world()
    nothing = await GROW.undo(made.ports, run(GROW), None)
    assert nothing.how is Undo.UNDONE
    outcome = await GROW.apply(made.ports, run(GROW))
    undone = await GROW.undo(made.ports, run(GROW), outcome)
    assert (undone.how, undone.seen) == (
        Undo.KEPT,
        "The disk of ending-db has grown, and no disk shrinks again: its new size stays.",
    )
    assert made.forge.files(OLD)["apps/old.yaml"] == b"storage: 50Gi\n"
