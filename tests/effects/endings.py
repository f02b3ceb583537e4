"""A database that is deleted where Git delivers, and a person who looks into one: effects, and the world for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bot.effects import (
    AwaitUnprotected,
    AwaitVisitor,
    DeleteFromGit,
    FileBody,
    GrowDisk,
    ProtectDatabase,
    RetireDatabase,
    TakeBackup,
)
from bot.ports import Object
from tests.effects.scenes import NAMESPACE, OLD, VISITOR
from tests.fakes.cluster import FakeCluster

CNPG = "postgresql.cnpg.io/v1"
NAME = "ending-db"
LAST = f"{NAME}-last"
BACKUP: dict[str, Any] = {
    "apiVersion": CNPG,
    "kind": "Backup",
    "metadata": {"name": LAST, "namespace": NAMESPACE},
    "spec": {"cluster": {"name": NAME}, "method": "volumeSnapshot"},
}
UNPROTECTED = AwaitUnprotected(
    id="unprotected",
    cluster="default",
    api_version=CNPG,
    object_kind="Cluster",
    name=NAME,
    namespace=NAMESPACE,
    database=NAME,
)
TAKE = TakeBackup(id="backup", cluster="default", namespace=NAMESPACE, name=LAST, database=NAME, backup=(BACKUP,))
DELETE = DeleteFromGit(
    id="delete", repository=OLD, files=(), deleted=("apps/old.yaml",), message=f"Delete {NAME}", database=NAME
)
RETIRE = RetireDatabase(
    id="retire",
    cluster="default",
    api_version=CNPG,
    object_kind="Cluster",
    name="never-made",
    namespace=NAMESPACE,
    database="never-made",
    application="orders-staging",
)
GROW = GrowDisk(
    id="grow",
    repository=OLD,
    files=(FileBody(path="apps/old.yaml", text="storage: 50Gi\n"),),
    message="Make it larger",
    database=NAME,
)
PROTECT = ProtectDatabase(
    id="protect",
    repository=OLD,
    files=(FileBody(path="apps/old.yaml", text="protected: true\n"),),
    message="Protect it",
    database=NAME,
    environment="staging",
)
READY_POD = "a-visit-that-is-open"
AWAIT_VISITOR = AwaitVisitor(id="await-visitor", cluster="default", namespace=NAMESPACE, name=READY_POD)


class QuickOperator(FakeCluster):
    """A cluster whose backups are complete as soon as they are asked for."""

    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        made = await super().apply(obj, dry_run=dry_run, over=over)
        if obj["kind"] == "Backup":
            self.put({**obj, "status": {"phase": "completed"}})
        return made


def put_there(cluster: FakeCluster) -> None:
    """Let the database be there, unprotected, and somebody be in another one."""
    metadata: dict[str, Any] = {"name": NAME, "namespace": NAMESPACE}
    cluster.put({"apiVersion": CNPG, "kind": "Cluster", "metadata": metadata})
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    pod: dict[str, Any] = {**VISITOR, "metadata": {"name": READY_POD, "namespace": NAMESPACE}, "status": ready}
    cluster.put(pod)
