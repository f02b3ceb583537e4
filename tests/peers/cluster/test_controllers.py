"""What a cluster does by itself, as the sentences of a stuck deploy rely on it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Conflict
from bot.ports import ObjectRef
from tests.peers.cluster.houses import Town, config_map, deployment, meta, watching

LABELS = {"app.kubernetes.io/name": "web"}
NOWHERE = {"nodeSelector": {"disk": "none-has-this"}}


def condition(obj: Any, kind: str) -> Any:
    found = [one for one in obj.get("status", {}).get("conditions", []) if one["type"] == kind]
    return found[0] if found else {}


async def test_a_deployment_has_ready_pods_by_way_of_a_replica_set(town: Town) -> None:
    namespace = await town.namespace()
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=namespace, name="web") as watch:
        await town.cluster.apply(deployment(namespace, "web", replicas=2))
        done = await watch.object(lambda obj: obj.get("status", {}).get("availableReplicas") == 2)
    assert done["status"]["observedGeneration"] == meta(done)["generation"]
    assert done["status"]["updatedReplicas"] == 2
    assert condition(done, "Available")["status"] == "True"
    (replica_set,) = await town.cluster.list("apps/v1", "ReplicaSet", namespace=namespace, labels=LABELS)
    assert owner(replica_set) == ("Deployment", "web", meta(done)["uid"])
    pods: list[Any] = [*await town.cluster.list("v1", "Pod", namespace=namespace, labels=LABELS)]
    assert {owner(pod) for pod in pods} == {("ReplicaSet", meta(replica_set)["name"], meta(replica_set)["uid"])}
    assert {condition(pod, "Ready")["status"] for pod in pods} == {"True"}
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    (container,) = {one["name"]: one for one in pods[0]["status"]["containerStatuses"]}.values()
    assert (container["name"], container["ready"], "running" in container["state"]) == ("web", True, True)


async def test_a_rollout_that_gets_nowhere_says_so_after_its_deadline(town: Town) -> None:
    namespace = await town.namespace()
    wanted = deployment(namespace, "web", pod=NOWHERE, progressDeadlineSeconds=1)
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=namespace, name="web") as watch:
        await town.cluster.apply(wanted)
        stuck = await watch.object(lambda obj: condition(obj, "Progressing").get("status") == "False")
    assert condition(stuck, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert not stuck["status"].get("availableReplicas")
    (pod,) = [*await town.cluster.list("v1", "Pod", namespace=namespace, labels=LABELS)]
    scheduled = condition(pod, "PodScheduled")
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")


async def test_a_new_version_replaces_the_pods_of_the_old_one(town: Town) -> None:
    namespace = await town.namespace()
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=namespace, name="web") as watch:
        await town.cluster.apply(deployment(namespace, "web"))
        await watch.object(lambda obj: obj.get("status", {}).get("availableReplicas") == 1)
        wanted = deployment(namespace, "web")
        wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/acme/web:2"
        applied = await town.cluster.apply(wanted)
        await watch.object(lambda obj: rolled_out(obj, meta(applied)["generation"]))
    async with watching(town.cluster, "v1", "Pod", namespace=namespace, labels=LABELS) as pods:
        there = {meta(change.object)["name"]: change.object for change in await pods.synced()}
        while len(there) > 1:
            change = await pods.next()
            if change.what == "deleted":
                there.pop(meta(change.object)["name"])
    (pod,) = there.values()
    assert pod is not None
    assert pod["spec"]["containers"][0]["image"] == "registry.example/acme/web:2"  # type: ignore[index,call-overload]
    revisions = {
        meta(one)["annotations"]["deployment.kubernetes.io/revision"]
        for one in await town.cluster.list("apps/v1", "ReplicaSet", namespace=namespace)
    }
    assert revisions == {"1", "2"}


async def test_deleting_a_deployment_takes_its_pods_along(town: Town) -> None:
    namespace = await town.namespace()
    async with watching(town.cluster, "v1", "Pod", namespace=namespace, labels=LABELS) as pods:
        await town.cluster.apply(deployment(namespace, "web"))
        pod = await pods.object(lambda obj: condition(obj, "Ready").get("status") == "True")
        assert await town.cluster.delete(ObjectRef("apps/v1", "Deployment", "web", namespace))
        await pods.gone(meta(pod)["name"])
    assert await town.cluster.get(ObjectRef("apps/v1", "Deployment", "web", namespace)) is None


async def test_nothing_new_is_taken_into_a_namespace_that_is_going(town: Town) -> None:
    namespace = await town.namespace()
    held = config_map(namespace, "held", {}, finalizers=["causeway.io/test"])
    await town.cluster.apply(held)
    async with watching(town.cluster, "v1", "Namespace", name=namespace) as watch:
        await watch.synced()
        await town.cluster.delete(ObjectRef("v1", "Namespace", namespace))
        going = await watch.object(lambda obj: obj["status"]["phase"] == "Terminating")
        assert meta(going)["deletionTimestamp"]
        with pytest.raises(Conflict, match="is being deleted"):
            await town.cluster.apply(config_map(namespace, "late", {}))
        await town.cluster.apply(config_map(namespace, "held", {}))  # without its finalizer
        await watch.gone(namespace)


def owner(obj: Any) -> tuple[str, str, str]:
    (reference,) = meta(obj)["ownerReferences"]
    assert reference["controller"] is True
    return reference["kind"], reference["name"], reference["uid"]


def rolled_out(obj: Any, generation: int) -> bool:
    status = obj.get("status", {})
    wanted = obj["spec"]["replicas"]
    return bool(
        status.get("observedGeneration", 0) >= generation
        and status.get("updatedReplicas") == wanted
        and status.get("replicas") == wanted
        and status.get("availableReplicas") == wanted
    )
