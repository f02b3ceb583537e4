from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.store import Deletion
from tests.playground.kubernetes.cluster import ABSENT, BETTER, GOOD, LABELS, Clock, Cluster, deployment, running

PATIENCE = 600
"""Seconds until a rollout that does not move is given up."""


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as found:
        yield found


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in obj["status"]["conditions"] if one["type"] == kind)
    return found


def waiting(pods: list[dict[str, Any]], reason: str) -> list[dict[str, Any]]:
    """Return the container statuses that wait for this reason."""
    states = [one for pod in pods for one in pod.get("status", {}).get("containerStatuses", [])]
    return [one for one in states if one["state"].get("waiting", {}).get("reason") == reason]


async def test_a_deployment_becomes_ready_pods(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    found = await cluster.rolled_out()
    assert found["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "1"}
    assert condition(found, "Available")["reason"] == "MinimumReplicasAvailable"
    progressing = condition(found, "Progressing")
    (one,) = cluster.sets()
    assert progressing["message"] == f'ReplicaSet "{one["metadata"]["name"]}" has successfully progressed.'
    for pod in cluster.pods():
        assert (pod["status"]["phase"], condition(pod, "Ready")["status"]) == ("Running", "True")
        assert pod["spec"]["nodeName"].startswith("node-")
        assert pod["metadata"]["labels"]["pod-template-hash"] in one["metadata"]["name"]
    told = {event["reason"] for event in cluster.store.list("", "Event", "default")}
    assert {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulling", "Pulled", "Created", "Started"} <= told


async def test_old_pods_stay_until_the_new_ones_are_ready(cluster: Cluster) -> None:
    cluster.store.create(deployment(replicas=3))
    await cluster.rolled_out()
    fewest: list[int] = []

    def look() -> bool:
        fewest.append(cluster.deployment()["status"].get("availableReplicas", 0))
        return len(cluster.pods(BETTER)) == 3 and not cluster.pods(GOOD)

    cluster.deploy(BETTER)
    await cluster.until(look)
    assert min(fewest) == 3  # 25 % of 3, rounded down, may be missing
    found = await cluster.rolled_out()
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


async def test_an_image_that_is_missing_leaves_the_old_version_running(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    cluster.deploy(ABSENT)
    (stuck, *_) = await cluster.until(lambda: waiting(cluster.pods(ABSENT), "ImagePullBackOff"))
    assert f'"{ABSENT}": ErrImagePull: rpc error: code = NotFound' in stuck["state"]["waiting"]["message"]
    assert cluster.deployment()["status"]["availableReplicas"] == 2
    assert any(ABSENT in event["message"] for event in cluster.told("Failed"))


async def test_pods_recover_when_their_image_appears(cluster: Cluster) -> None:
    cluster.store.create(deployment(ABSENT))
    await cluster.until(lambda: waiting(cluster.pods(), "ImagePullBackOff"))
    cluster.images.add(ABSENT)
    await cluster.rolled_out()
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] == 0 for pod in cluster.pods())


async def test_a_rollout_that_does_not_move_exceeds_its_deadline_by_the_playgrounds_clock(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    cluster.deploy(ABSENT)
    await cluster.until(lambda: waiting(cluster.pods(ABSENT), "ImagePullBackOff"))
    assert condition(cluster.deployment(), "Progressing")["status"] == "True"
    cluster.clock.advance(seconds=PATIENCE + 1)
    await cluster.until(lambda: condition(cluster.deployment(), "Progressing")["reason"] == "ProgressDeadlineExceeded")
    assert condition(cluster.deployment(), "Progressing")["message"].endswith("has timed out progressing.")


async def test_going_back_uses_the_old_replica_set_as_the_newest_revision(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    (first,) = cluster.sets()
    cluster.deploy(BETTER)
    await cluster.until(lambda: not cluster.pods(GOOD))
    cluster.deploy(GOOD)
    await cluster.until(lambda: not cluster.pods(BETTER))
    assert [one["metadata"]["name"] for one in cluster.sets()][-1] == first["metadata"]["name"]
    assert (await cluster.rolled_out())["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


async def test_recreating_ends_every_old_pod_before_the_first_new_one(cluster: Cluster) -> None:
    cluster.store.create(deployment(strategy={"type": "Recreate"}))
    await cluster.rolled_out()
    mixed: list[bool] = []

    def look() -> bool:
        alive = [pod for pod in cluster.pods(GOOD) if "deletionTimestamp" not in pod["metadata"]]
        mixed.append(bool(alive and cluster.pods(BETTER)))
        return len(cluster.pods(BETTER)) == 2

    cluster.deploy(BETTER)
    await cluster.until(look)
    assert not any(mixed)


@pytest.mark.parametrize(
    ("look", "reason", "code"), [(Look.CRASHLOOP, "Error", 1), (Look.OOM, "OOMKilled", 137)], ids=["crash", "oom"]
)
async def test_a_forced_crash_looks_like_a_real_one(cluster: Cluster, look: Look, reason: str, code: int) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    assert cluster.controllers.force("default", LABELS, look) == 2
    (found, *_) = await cluster.until(lambda: waiting(cluster.pods(), "CrashLoopBackOff"))
    assert "restarting failed container=web pod=orders-api-" in found["state"]["waiting"]["message"]
    ended = found["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == (reason, code)
    assert found["restartCount"] >= 1
    assert cluster.told("BackOff")[0]["type"] == "Warning"
    cluster.controllers.force("default", LABELS, Look.READY)
    await cluster.rolled_out()


async def test_a_forced_look_holds_for_pods_that_come_later(cluster: Cluster) -> None:
    cluster.controllers.force("default", LABELS, Look.PENDING)
    cluster.store.create(deployment())
    told = await cluster.until(lambda: cluster.told("FailedScheduling"))
    assert told[0]["message"].startswith("0/3 nodes are available: 3 Insufficient memory.")
    named = told[0]["involvedObject"]["name"]
    refused = condition(next(pod for pod in cluster.pods() if pod["metadata"]["name"] == named), "PodScheduled")
    assert (refused["status"], refused["reason"]) == ("False", "Unschedulable")
    cluster.controllers.force("default", LABELS, Look.READY)
    await cluster.rolled_out()


async def test_running_pods_can_be_made_pending_and_to_lose_their_image(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    cluster.controllers.force("default", LABELS, Look.IMAGEPULL)
    await cluster.until(lambda: len(waiting(cluster.pods(), "ImagePullBackOff")) == 2)
    cluster.controllers.force("default", LABELS, Look.PENDING)
    await cluster.until(
        lambda: len(cluster.pods()) == 2 and all("nodeName" not in pod["spec"] for pod in cluster.pods())
    )


async def test_a_version_can_ask_to_be_broken(cluster: Cluster) -> None:
    broken = deployment()
    broken["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "PLAYGROUND_POD", "value": "crashloop"}]
    cluster.store.create(broken)
    await cluster.until(lambda: waiting(cluster.pods(), "CrashLoopBackOff"))


async def test_a_container_waits_for_the_secret_that_it_refers_to(cluster: Cluster) -> None:
    bound = deployment()
    reference = {"secretKeyRef": {"name": "orders-db-app", "key": "uri"}}
    bound["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "DATABASE_URL", "valueFrom": reference}]
    cluster.store.create(bound)
    (found, *_) = await cluster.until(lambda: waiting(cluster.pods(), "CreateContainerConfigError"))
    assert found["state"]["waiting"]["message"] == 'secret "orders-db-app" not found'
    cluster.store.create(
        {
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "Cluster",
            "metadata": {"name": "orders-db", "namespace": "default"},
            "spec": {"instances": 2},
        }
    )
    await cluster.rolled_out()
    made = cluster.store.get("postgresql.cnpg.io", "Cluster", "default", "orders-db")
    assert made is not None
    await cluster.until(
        lambda: (
            (cluster.store.get("postgresql.cnpg.io", "Cluster", "default", "orders-db") or {})["status"].get("phase")
            == "Cluster in healthy state"
        )
    )


async def test_deleting_a_deployment_takes_what_it_owns(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    cluster.store.delete("apps", "Deployment", "default", "orders-api", Deletion(propagation="Background"))
    await cluster.until(lambda: not cluster.pods() and not cluster.store.list("apps", "ReplicaSet"))


async def test_foreground_deletion_ends_with_the_owner(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    _, gone = cluster.store.delete("apps", "Deployment", "default", "orders-api", Deletion(propagation="Foreground"))
    assert not gone
    order: list[bool] = []

    def look() -> bool:
        here = cluster.store.get("apps", "Deployment", "default", "orders-api") is not None
        order.append(here or not cluster.pods())
        return not here

    await cluster.until(look)
    assert all(order)


async def test_orphaning_deletion_leaves_the_pods(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    (one,) = cluster.sets()
    name = one["metadata"]["name"]
    cluster.store.delete("apps", "Deployment", "default", "orders-api", Deletion(propagation="Orphan"))
    await cluster.until(lambda: cluster.store.get("apps", "Deployment", "default", "orders-api") is None)
    left = cluster.store.get("apps", "ReplicaSet", "default", name)
    assert left is not None
    assert not left["metadata"].get("ownerReferences")


async def test_a_namespace_goes_with_its_content_but_waits_for_finalizers(cluster: Cluster) -> None:
    cluster.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "preview"}})
    held = {"name": "held", "namespace": "preview", "finalizers": ["acme.example/backup"]}
    cluster.store.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    web = deployment()
    web["metadata"]["namespace"] = "preview"
    cluster.store.create(web)
    await cluster.until(lambda: len(cluster.store.list("", "Pod", "preview")) == 2)
    cluster.store.delete("", "Namespace", "", "preview")

    def terminating() -> bool:
        found = cluster.store.get("", "Namespace", "", "preview")
        left = cluster.store.list("", "Pod", "preview")
        return bool(found and not left and found["status"].get("conditions"))

    await cluster.until(terminating)
    found = cluster.store.get("", "Namespace", "", "preview")
    assert found is not None
    assert "acme.example/backup" in condition(found, "NamespaceFinalizersRemaining")["message"]
    cluster.store.release("", "ConfigMap", "preview", "held", "acme.example/backup")
    await cluster.until(lambda: cluster.store.get("", "Namespace", "", "preview") is None)


async def test_everything_goes_on_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    async with running(tmp_path, clock) as first:
        first.controllers.force("default", LABELS, Look.CRASHLOOP)
        first.store.create(deployment())
        await first.until(lambda: waiting(first.pods(), "CrashLoopBackOff"))
    async with running(tmp_path, clock) as second:
        second.deploy(BETTER)
        await second.until(lambda: waiting(second.pods(BETTER), "CrashLoopBackOff"))
        second.controllers.force("default", LABELS, Look.READY)
        await second.rolled_out()
