"""Deleting a database: what is told, in which order it goes, what is looked for, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.databases.leftovers import unprotected
from bot.effects import (
    ApplyObjects,
    AwaitApplicationGone,
    AwaitUnprotected,
    DeleteFromGit,
    EndInBook,
    LiftProtection,
    Note,
    ProveGone,
    RemoveFiles,
    RemoveObjects,
    TakeBackup,
)
from bot.errors import Conflict, NotFound, Refused, UsageError
from bot.model.effect import Effect
from bot.model.plan import Plan
from bot.ports import EnvironmentRecord
from commands import database_delete, database_disconnect
from tests.databases.house import CNPG, DatabaseHouse, found
from tests.databases.test_entering import pod
from tests.databases.test_requesting import with_platform
from tests.releases.house import GITOPS, effects, ids

NAME = "orders-api-db"


@pytest.fixture
async def standing(held: DatabaseHouse) -> DatabaseHouse:
    held.apply_git()
    return held


def kinds(plan: Plan) -> list[type[Effect]]:
    return [type(effect) for effect in effects(plan)]


def texts(commit: LiftProtection | DeleteFromGit) -> dict[str, str]:
    return {file.path.rpartition("/")[2]: str(file.text) for file in commit.files}


# --- in which order


async def test_protection_is_lifted_then_a_backup_made_then_it_goes_and_is_looked_for(standing: DatabaseHouse) -> None:
    plan = await standing.plan("database.delete", name=NAME)
    order = [kind for kind in kinds(plan) if kind in (LiftProtection, AwaitUnprotected, TakeBackup, DeleteFromGit)]
    assert order == [LiftProtection, AwaitUnprotected, TakeBackup, DeleteFromGit]
    assert kinds(plan).index(ProveGone) > kinds(plan).index(DeleteFromGit)
    assert ids(plan)[-1] == "await-healthy", "the service starts anew without it"
    assert plan.summary == "Delete orders-api-db in staging, with all that is in it"
    assert (plan.owner, plan.lane, plan.undo_later) == ("group:default/team-orders", "deploy:orders-api/staging", False)


async def test_the_first_commit_only_lifts_and_asks_for_the_backup(standing: DatabaseHouse) -> None:
    plan = await standing.plan("database.delete", name=NAME)
    first = found(plan, LiftProtection)
    written = texts(first)
    assert first.deleted == ()
    assert "Prune=false" not in written["cluster-orders-api-db.yaml"]
    assert first.main_file == "apps/orders-api/staging/cluster-orders-api-db.yaml"
    assert "protected: false" in written["release.yaml"]
    (backup,) = (text for name, text in written.items() if name.startswith("backup-orders-api-db-last-"))
    assert "Prune=false,Delete=false" in backup, "it outlives the file that asked for it"
    assert "IgnoreExtraneous" in backup, "and nobody misses it in Git"
    take = found(plan, TakeBackup)
    assert take.backup == (), "Argo CD makes it, and we need no right"
    assert f"name: {take.name}" in backup
    assert take.contact == "#databases"


async def test_the_second_commit_takes_it_out_with_what_binds_it(standing: DatabaseHouse) -> None:
    plan = await standing.plan("database.delete", name=NAME)
    second = found(plan, DeleteFromGit)
    gone = {path.rpartition("/")[2] for path in second.deleted}
    assert "cluster-orders-api-db.yaml" in gone
    assert any(name.startswith("backup-") for name in gone)
    assert "DATABASE_URL" not in texts(second)["deployment-orders-api.yaml"]
    assert "database:" not in texts(second)["release.yaml"]
    assert not second.undoable


async def test_what_is_looked_for_and_what_is_kept(standing: DatabaseHouse) -> None:
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{NAME}-1", "namespace": "orders-api-staging", "labels": {"cnpg.io/cluster": NAME}},
        "spec": {"volumeName": "pv-1"},
    }
    standing.cluster.put(claim)
    plan = await standing.plan("database.delete", name=NAME)
    checks = [check for effect in effects(plan) if isinstance(effect, ProveGone) for check in effect.checks]
    assert [check.of for check in checks] == ["objects", "volumes", "backups"]
    (objects, volumes, _) = checks
    assert {one.kind for one in objects.targets} == {"Cluster"}  # type: ignore[union-attr]  # it is of objects
    assert volumes.claims == (f"{NAME}-1",)  # type: ignore[union-attr]  # it is of volumes


async def test_the_card_says_what_will_be_lost(standing: DatabaseHouse) -> None:
    standing.cluster.put(
        {
            "apiVersion": CNPG,
            "kind": "Backup",
            "metadata": {"name": "nightly", "namespace": "orders-api-staging"},
            "spec": {"cluster": {"name": NAME}},
            "status": {"phase": "completed", "stoppedAt": "2026-03-01T02:05:00Z"},
        }
    )
    plan = await standing.plan("database.delete", name=NAME)
    assert plan.highlights == (
        "Nothing brings back what is in it, except its backups.",
        "PostgreSQL, small: 10Gi of disk, 20 EUR a month.",
        "Last backup: 01 March 2026, 02:05 UTC.",
        "One more backup is made before; where that fails, nothing is deleted.",
        "orders-api uses it, and starts anew without it.",
    )


async def test_where_nobody_keeps_backups_the_card_says_so(standing: DatabaseHouse) -> None:
    with_platform(standing, staging={"database": {"provider": "cloudnativepg"}})
    plan = await standing.plan("database.delete", name=NAME)
    assert TakeBackup not in kinds(plan)
    assert plan.highlights[0] == "Nothing brings back what is in it."
    assert "No last backup is made: nobody keeps any here." in plan.highlights


async def test_one_that_stands_alone_goes_with_its_folder_and_application(house: DatabaseHouse) -> None:
    await house.do("database.request", name="reports", owner="team-orders")
    house.apply_git("reports")
    plan = await house.plan("database.delete", name="reports-db")
    remove = found(plan, RemoveFiles)
    assert "argocd/applications/reports-staging.yaml" in remove.deleted
    assert "apps/reports/staging/.causeway/release.yaml" in remove.deleted
    assert found(plan, AwaitApplicationGone).application == "reports-staging"
    end = found(plan, EndInBook)
    assert ids(plan)[-1] == end.id
    assert end.name == "reports.staging"
    assert "the backups that are kept stand in it" in found(plan, Note).message
    proofs = [check.of for effect in effects(plan) if isinstance(effect, ProveGone) for check in effect.checks]
    assert {"objects", "applications", "folders", "backups"} <= set(proofs)


async def test_in_a_cloud_its_name_there_is_looked_for_and_its_last_snapshot_told(house: DatabaseHouse) -> None:
    await house.do("service.deploy", service="orders-api")
    await house.do("service.promote", service="orders-api")
    await house.do("database.request", service="orders-api", environment="production")
    house.apply_git(environment="production")
    (live,) = (house.cluster.find(ref) for ref in house.cluster.refs() if ref.kind == "RDSInstance")
    live["metadata"]["annotations"]["crossplane.io/external-name"] = "orders-api-production"
    house.cluster.put(live)
    plan = await house.plan("database.delete", name=NAME, environment="production")
    assert "deletionProtection: false" in texts(found(plan, LiftProtection))["rdsinstance-orders-api-production.yaml"]
    assert TakeBackup not in kinds(plan)
    (cloud,) = (
        check
        for effect in effects(plan)
        if isinstance(effect, ProveGone)
        for check in effect.checks
        if check.of == "cloud"
    )
    assert [one.name for one in cloud.resources] == ["orders-api-production"]
    (kept,) = plan.notes
    assert kept.startswith("Kept: the snapshot orders-api-production-final-20260302 in the cloud (eu-central-1)")


async def test_straight_from_a_cluster_it_is_unbound_before_it_is_deleted(house: DatabaseHouse) -> None:
    with_platform(house, staging={"delivery": "direct"})
    await straight(house)
    plan = await house.plan("database.delete", name=NAME)
    applied = [effect for effect in effects(plan) if isinstance(effect, ApplyObjects)]
    assert [effect.id for effect in applied] == ["lift-protection", "deliver"]
    assert "Cluster" not in {obj["kind"] for obj in applied[1].objects}
    remove = found(plan, RemoveObjects)
    assert "Cluster" in {one.kind for one in remove.refs}
    assert ids(plan).index("deliver") < ids(plan).index(remove.id)
    assert found(plan, TakeBackup).backup[0]["kind"] == "Backup", "nobody else would make it"


async def straight(house: DatabaseHouse) -> None:
    """Let a service with a database run where it is delivered directly."""
    for asked in (("service.deploy", {"service": "orders-api"}), ("database.request", {"service": "orders-api"})):
        plan = await house.plan(asked[0], **asked[1])
        for effect in effects(plan):
            if isinstance(effect, ApplyObjects):
                await house.bound(effect).apply(house.ports_with_cluster, house.run_of(effect))


# --- refused


async def test_the_name_must_be_typed_in_full(standing: DatabaseHouse) -> None:
    with pytest.raises(UsageError, match=r"`orders-api` is not the name.*Nothing was deleted.*orders-api-db in"):
        await standing.plan("database.delete", name="orders-api")


async def test_what_is_not_there_is_not_deleted(house: DatabaseHouse) -> None:
    with pytest.raises(Conflict, match="has no database in staging"):
        await house.plan("database.delete", name=NAME)
    with pytest.raises(NotFound, match="no service and no database `nothing-db`"):
        await house.plan("database.delete", name="nothing-db")


async def test_one_that_the_document_asks_for_is_refused_with_the_mend(house: DatabaseHouse) -> None:
    house.push("Ask in the document", database={"type": "postgresql"})
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(Refused, match=r"made anew at once\. Take `database` out of its platform\.yaml and deploy"):
        await house.plan("database.delete", name=NAME)


async def test_while_somebody_is_in_it_stays(standing: DatabaseHouse) -> None:
    standing.cluster.put(pod())
    with pytest.raises(Conflict, match=r"author has a way into orders-api-db\. Close it first: `(.*)`") as refused:
        await standing.plan("database.delete", name=NAME, user="mate")
    words = refused.value.hint.split("`")[1].removeprefix("/database disconnect ").split()
    asked = database_disconnect.parse(words)
    plan = await standing.plan("database.disconnect", user="mate", **asked.model_dump())
    assert found(plan, RemoveObjects).refs, "what it says to type closes it, whoever types it"


# --- a line of the book of which nothing is left


async def test_a_line_of_the_book_of_which_nothing_is_left_is_ended(house: DatabaseHouse) -> None:
    record = EnvironmentRecord(
        name="reports.staging",
        kind="database",
        cluster="main",
        namespace="reports-staging",
        team="team-orders",
        by="user:default/author",
        operation="op-old",
        created_at=house.now,
    )
    await house.book.enter(record)
    plan = await house.plan("database.delete", name="reports")
    assert ids(plan) == ["gone", "end-in-book"]
    assert found(plan, EndInBook).made_by == "op-old"
    assert plan.owner == "group:default/team-orders"
    assert plan.summary == "Forget reports-db in staging, which is gone already"


async def test_one_that_git_has_forgotten_and_the_cluster_has_not_goes_as_a_whole(house: DatabaseHouse) -> None:
    await house.do("database.request", name="reports", owner="team-orders")
    house.apply_git("reports")
    paths = tuple(path for path in house.files() if "reports" in path)
    by_hand = RemoveFiles(id="by-hand", repository=GITOPS, deleted=paths, message="By hand")
    await by_hand.apply(house.ports, house.run_of(by_hand))
    await house.book.enter(
        EnvironmentRecord(
            name="reports.staging",
            kind="database",
            cluster="main",
            namespace="reports-staging",
            team="team-orders",
            by="user:default/author",
            operation="op-old",
            created_at=house.now,
        )
    )
    plan = await house.plan("database.delete", name="reports-db")
    assert "Prune=false" not in texts(found(plan, LiftProtection))["cluster-reports-db.yaml"]
    assert "argocd/applications/reports-staging.yaml" in found(plan, RemoveFiles).deleted
    assert found(plan, EndInBook).made_by == "op-old"


# --- what an earlier document has left behind


async def test_a_leftover_is_written_into_git_once_more_and_taken_out(house: DatabaseHouse) -> None:
    house.push("Ask", database={"type": "postgresql"})
    await house.do("service.deploy", service="orders-api")
    house.apply_git()
    house.push("Ask no more")
    await house.do("service.deploy", service="orders-api")
    assert house.made("cluster-orders-api-db") is None
    plan = await house.plan("database.delete", name=NAME)
    written = texts(found(plan, LiftProtection))
    assert "Prune=false" not in written["cluster-orders-api-db.yaml"]
    assert "size: 10Gi" in written["cluster-orders-api-db.yaml"], "as it is, and not as it would be made today"
    second = found(plan, DeleteFromGit)
    assert "apps/orders-api/staging/cluster-orders-api-db.yaml" in second.deleted


async def test_who_looked_into_what_is_left_behind_can_still_be_let_out(house: DatabaseHouse) -> None:
    house.push("Ask", database={"type": "postgresql"})
    await house.do("service.deploy", service="orders-api")
    house.apply_git()
    house.cluster.put(pod())
    house.push("Ask no more")
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(Conflict, match="Close it first"):
        await house.plan("database.delete", name=NAME)
    closing = await house.due("database.disconnect", database="orders-api", environment="staging", visitor="author")
    removing = found(closing, RemoveObjects)
    await removing.apply(house.ports_with_cluster, house.run_of(removing))
    assert (await house.plan("database.delete", name=NAME)).summary.startswith("Delete orders-api-db")


def test_what_the_server_and_others_write_is_left_out() -> None:
    live: dict[str, Any] = {
        "apiVersion": "database.aws.crossplane.io/v1beta1",
        "kind": "RDSInstance",
        "metadata": {
            "name": "a",
            "uid": "1",
            "resourceVersion": "2",
            "finalizers": ["x"],
            "annotations": {
                "argocd.argoproj.io/sync-options": "Prune=false",
                "argocd.argoproj.io/tracking-id": "t",
                "crossplane.io/external-name": "a",
            },
        },
        "spec": {"forProvider": {"deletionProtection": True, "engine": "postgres"}},
        "status": {"atProvider": {}},
    }
    assert unprotected(live) == {
        "apiVersion": "database.aws.crossplane.io/v1beta1",
        "kind": "RDSInstance",
        "metadata": {"name": "a", "annotations": {"crossplane.io/external-name": "a"}},
        "spec": {"forProvider": {"deletionProtection": False, "engine": "postgres"}},
    }


# --- what people type


def test_words_become_a_request() -> None:
    told = database_delete.parse([NAME, "in", "production"])
    assert (told.name, told.environment) == (NAME, "production")
    with pytest.raises(UsageError, match="Type its full name"):
        database_delete.parse([])


async def test_one_that_is_a_file_in_git_goes_with_its_file(house: DatabaseHouse, tmp_path: Path) -> None:
    template = '# Written by Causeway.\nname = "{{ name }}"\nprotected = {{ protected }}\n'
    (tmp_path / "database.tf.j2").write_text(template)
    by_file = {"provider": "git", "file": {"template": "database.tf.j2"}}
    with_platform(house, staging={"database": by_file})
    house.platform = house.platform.model_copy(update={"templates": (tmp_path,)})
    await house.do("service.deploy", service="orders-api")
    await house.do("database.request", service="orders-api")
    path = "databases/team-orders/orders-api-staging.tf"
    assert "protected = true" in house.files()[path]
    plan = await house.plan("database.delete", name=NAME)
    first = found(plan, LiftProtection)
    assert first.main_file == path
    assert "protected = false" in texts(first)["orders-api-staging.tf"]
    assert path in found(plan, DeleteFromGit).deleted
    assert AwaitUnprotected not in kinds(plan), "no cluster knows of it"
    assert plan.notes == (f"{path} is gone from Git; whatever reads it deletes the database itself.",)
