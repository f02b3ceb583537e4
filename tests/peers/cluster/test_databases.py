"""Databases, held to the real control plane.

What the playground's operators write is what the real kinds allow, a Secret is looked at without its values, and the
bot's rights are enough to wait for a database and to say what keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError

import pytest

from bot.effects import AwaitDatabase
from bot.effects.database import MainObject
from bot.errors import NotFound, Refused
from bot.model.effect import Outcome
from bot.ports import CatalogRegistry, Forge, ObjectRef, Ports
from tests.peers.cluster.houses import House, Town, meta, real_town, simulated_town, watching
from tests.peers.cluster.test_effects import Told, run
from tests.peers.control_plane.fixtures import CONTROL_PLANE, INSTALL, granted, need_real_crds, rights
from tests.peers.control_plane.rig import ControlPlane, path_of
from tests.playground.kubernetes import databases
from tests.playground.kubernetes.cluster import Cluster, running

CNPG, NAME = "postgresql.cnpg.io/v1", "orders-db"
READING = INSTALL / "components" / "databases-and-previews"
GENERATED = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences")


def secret(namespace: str) -> dict[str, Any]:
    metadata = {"name": f"{NAME}-app", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": "aHVzaA=="}}


async def test_a_secret_is_looked_for_without_its_values(house: House) -> None:
    namespace = await house.namespace()
    ref = ObjectRef("v1", "Secret", f"{NAME}-app", namespace)
    assert not await house.cluster.exists(ref)
    await house.by_another(secret(namespace), "operator")
    assert await house.cluster.exists(ref)
    with pytest.raises(NotFound):
        await house.cluster.exists(ObjectRef("x.example/v1", "Store", "a", namespace))


async def test_the_bots_account_may_not_look_for_secrets_at_all(town: Town) -> None:
    namespace = await town.namespace()
    await town.by_another(secret(namespace), "operator")
    with pytest.raises(Refused):
        await town.bot.exists(ObjectRef("v1", "Secret", f"{NAME}-app", namespace))


# --- what the playground's operators write


async def written(cluster: Cluster) -> list[dict[str, Any]]:
    """Have the operators make one of everything that they make; return it."""
    databases.postgres(cluster, 2, backup={"volumeSnapshot": {}})
    schedule = {"cluster": {"name": NAME}, "schedule": "0 0 2 * * *", "immediate": True, "method": "volumeSnapshot"}
    databases.put(cluster, CNPG, "ScheduledBackup", NAME, schedule)
    inside = {"cluster": {"name": NAME}, "name": "app", "owner": "app"}
    databases.put(cluster, CNPG, "Database", NAME, inside)
    pooler = {"cluster": {"name": NAME}, "instances": 1, "type": "rw", "pgbouncer": {"poolMode": "session"}}
    databases.put(cluster, CNPG, "Pooler", f"{NAME}-pooler", pooler)
    databases.rds(cluster)
    databases.rds(cluster, "refused", user="admin")
    await databases.healthy(cluster)
    await cluster.until(lambda: [one for one in cluster.store.list(databases.CNPG, "Backup") if _over(one)])
    around = ("Database", "Pooler", "ScheduledBackup")
    await cluster.until(lambda: all(_has_status(cluster, kind) for kind in around))
    aws = databases.AWS
    await cluster.until(lambda: all(len(_conditions(one)) == 2 for one in cluster.store.list(aws, "RDSInstance")))
    kinds = [(databases.CNPG, kind) for kind in ("Cluster", "Backup", "ScheduledBackup", "Database", "Pooler")]
    kinds += [(aws, "RDSInstance"), ("", "PersistentVolumeClaim"), ("", "PersistentVolume"), ("", "Secret")]
    kinds += [("", "Service"), ("", "Pod"), ("apps", "Deployment")]
    return [one for kind in kinds for one in cluster.store.list(*kind)]


def _has_status(cluster: Cluster, kind: str) -> bool:
    return all(one.get("status") for one in cluster.store.list(databases.CNPG, kind))


def _over(backup: dict[str, Any]) -> bool:
    return str(backup.get("status", {}).get("phase")) == "completed"


def _conditions(obj: dict[str, Any]) -> list[Any]:
    return list(obj.get("status", {}).get("conditions", []))


@CONTROL_PLANE
async def test_what_the_playgrounds_operators_write_is_what_the_real_server_takes(control_plane: ControlPlane) -> None:
    need_real_crds()
    async with running() as cluster:
        objects = await written(cluster)
    namespace = await asyncio.to_thread(control_plane.namespace)
    seen = {one["kind"] for one in objects}
    assert {"Cluster", "Backup", "ScheduledBackup", "Database", "Pooler", "RDSInstance", "Secret", "Pod"} <= seen
    for obj in objects:
        await asyncio.to_thread(_take, control_plane, _moved(obj, namespace))


def _moved(obj: dict[str, Any], namespace: str) -> dict[str, Any]:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in GENERATED}
    if "namespace" in metadata:
        metadata["namespace"] = namespace
    else:
        metadata["name"] += f"-{namespace}"
    spec = dict(obj.get("spec", {}))
    for key in ("clusterIP", "clusterIPs", "nodeName"):  # what a server gives
        spec.pop(key, None)
    metadata.pop("finalizers", None)  # nobody would take them off
    return {**obj, "metadata": metadata, **({"spec": spec} if "spec" in obj else {})}


def _take(plane: ControlPlane, obj: dict[str, Any]) -> None:
    """Create it, and write its status, both under strict validation."""
    path = path_of(obj)
    try:
        made = plane.call("POST", f"{path.rpartition('/')[0]}?fieldValidation=Strict", obj)
        if "status" in obj and obj["kind"] not in ("Pod", "Deployment", "PersistentVolumeClaim", "PersistentVolume"):
            plane.call("PUT", f"{path}/status?fieldValidation=Strict", {**made, "status": obj["status"]})
    except HTTPError as error:
        raise AssertionError(f"{obj['kind']} {obj['metadata']['name']}: {error.read().decode()}") from error


# --- waiting, with the bot's rights


def bots(town: Town) -> Ports:
    nobody = (cast("Forge", None), cast("CatalogRegistry", None))
    return Ports(forge=nobody[0], catalog=nobody[1], clusters={"default": town.bot})


@asynccontextmanager
async def awaiting(town: Town, namespace: str) -> AsyncIterator[tuple[asyncio.Task[Outcome], Told]]:
    told = Told()
    effect = AwaitDatabase(
        id="await",
        cluster="default",
        namespace=namespace,
        main=MainObject(api_version=CNPG, kind="Cluster", name=NAME),
        secret=f"{NAME}-app",
        name=NAME,
    )
    task = asyncio.create_task(effect.apply(bots(town), run(report=told)))
    try:
        yield task, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def main(namespace: str, **storage: Any) -> dict[str, Any]:
    spec = {"instances": 1, "storage": {"size": "1Gi", **storage}}
    return {"apiVersion": CNPG, "kind": "Cluster", "metadata": {"name": NAME, "namespace": namespace}, "spec": spec}


async def test_in_the_playground_a_database_is_waited_for_with_the_bots_rights(tmp_path: Path) -> None:
    async with simulated_town(tmp_path) as town:
        for obj in rights(READING):
            await town.by_another(obj, "rig")
        namespace = await town.namespace()
        async with awaiting(town, namespace) as (task, told):
            await told.until(lambda text, _: text.startswith("Waiting for Cluster"))
            await town.by_another(main(namespace, storageClass="fast"), "argocd")
            text = await told.until(lambda _, stalled: stalled)
            assert "because the storage class fast does not exist" in text
            await town.cluster.apply(
                {
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "StorageClass",
                    "metadata": {"name": "fast"},
                    "provisioner": "disk.acme.example",
                }
            )
            async with asyncio.timeout(60):
                outcome = await task
        assert outcome.outputs["host"] == f"{NAME}-rw.{namespace}"
        assert not await town.bot.may("get", "v1", "secrets", namespace=namespace), "its operator is believed"


@CONTROL_PLANE
async def test_on_the_real_server_too(control_plane: ControlPlane) -> None:
    need_real_crds()
    with granted(control_plane, READING):
        async with real_town(control_plane) as town:
            await _is_waited_for(control_plane, town)


async def _is_waited_for(control_plane: ControlPlane, town: Town) -> None:
    namespace = await town.namespace()
    async with awaiting(town, namespace) as (task, told):
        await told.until(lambda text, _: text.startswith("Waiting for Cluster"))
        await town.by_another(main(namespace), "argocd")
        await told.until(lambda text, _: text == "Waiting for the database operator to take it up.")
        await asyncio.to_thread(_say, control_plane, namespace, {"phase": "Setting up primary"})
        await told.until(lambda text, _: text == "Setting it up.")
        done = {"phase": "Cluster in healthy state", "readyInstances": 1, "writeService": f"{NAME}-rw"}
        seen = {"secretsResourceVersion": {"applicationSecretVersion": "7"}}
        await asyncio.to_thread(_say, control_plane, namespace, {**done, **seen})
        async with asyncio.timeout(60):
            outcome = await task
    assert outcome.outputs["host"] == f"{NAME}-rw.{namespace}"


def _say(plane: ControlPlane, namespace: str, status: dict[str, Any]) -> None:
    """Write the status as the operator would."""
    path = path_of(main(namespace))
    plane.call("PUT", f"{path}/status?fieldValidation=Strict", {**plane.call("GET", path), "status": status})


# --- owners


async def test_what_stands_in_no_namespace_takes_what_it_owns_in_one_with_it(town: Town) -> None:
    """So the connection of a database in the cloud goes with it."""
    namespace = await town.namespace()
    cluster_role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"owner-{namespace}"},
        "rules": [],
    }
    await town.by_another(cluster_role, "provider")
    ref = ObjectRef("rbac.authorization.k8s.io/v1", "ClusterRole", f"owner-{namespace}")
    owner = meta(await town.cluster.get(ref))
    reference = {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name, "uid": owner["uid"]}
    owned = secret(namespace)
    owned["metadata"]["ownerReferences"] = [reference]
    await town.by_another(owned, "provider")
    async with watching(town.cluster, "v1", "Secret", namespace=namespace, name=f"{NAME}-app") as watch:
        await watch.synced()
        assert await town.cluster.delete(ref, uid=owner["uid"])
        await watch.gone(f"{NAME}-app")
