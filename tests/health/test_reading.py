"""What is read of a cluster, what is passed over, what may not be read."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Invalid, NotFound, PlatformError, Refused, UpstreamUnavailable
from bot.health import StuckFacts, read_stuck_facts, why_stuck
from bot.ports import ObjectRef
from tests.fakes.cluster import FakeCluster
from tests.fakes.deployments import application

LABELS = {"causeway.io/service": "orders"}
IMAGE = "ghcr.io/acme/orders:2"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(namespaces=["shop"])


def put(cluster: FakeCluster, api_version: str, kind: str, name: str, **parts: Any) -> Any:
    labels, owner = parts.pop("labels", LABELS), parts.pop("owner", None)
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "labels": labels}
    metadata |= parts.pop("metadata", {})
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner["kind"], "uid": owner["metadata"]["uid"], "controller": True}]
    return cluster.put({"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts})


def deployment(cluster: FakeCluster, replicas: int = 3, ready: int = 0) -> Any:
    status = {"observedGeneration": 9, "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": ready}
    template = {"spec": {"containers": [{"name": "app", "image": IMAGE}]}}
    return put(
        cluster, "apps/v1", "Deployment", "orders", spec={"replicas": replicas, "template": template}, status=status
    )


def replica_set(cluster: FakeCluster, owner: Any, revision: int) -> Any:
    annotations = {"annotations": {"deployment.kubernetes.io/revision": str(revision)}}
    return put(cluster, "apps/v1", "ReplicaSet", f"orders-{revision}", owner=owner, metadata=annotations, spec={})


def pod(cluster: FakeCluster, name: str, owner: Any, *, exit_code: int = 1, **metadata: Any) -> Any:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": exit_code, "reason": "Error"}}
    status = {"name": "app", "restartCount": 3, "state": waiting, "lastState": last}
    spec = {"containers": [{"name": "app", "image": IMAGE}]}
    whole = {"phase": "Running", "containerStatuses": [status]}
    return put(cluster, "v1", "Pod", name, owner=owner, spec=spec, status=whole, metadata=metadata)


async def read(cluster: FakeCluster) -> StuckFacts:
    return await read_stuck_facts(cluster, service="orders", environment="staging", namespace="shop")


async def sentence(cluster: FakeCluster) -> str:
    found = why_stuck(await read(cluster))
    assert found is not None
    return found.sentence


async def test_only_the_newest_pods_count(cluster: FakeCluster) -> None:
    owner = deployment(cluster, replicas=1)
    old, new = replica_set(cluster, owner, 9), replica_set(cluster, owner, 10)
    pod(cluster, "a-old", old, exit_code=1)
    pod(cluster, "b-leaving", new, exit_code=2)
    leaving = ObjectRef("v1", "Pod", "b-leaving", "shop")
    cluster.held.add(leaving)
    cluster.remove(leaving)
    pod(cluster, "c-new", new, exit_code=3)
    assert "its pod crashes at start (exit code 3," in await sentence(cluster)


@pytest.mark.parametrize(
    ("replicas", "crashing", "told"),
    [(1, 1, "its pod crashes"), (3, 1, "1 of 3 pods crashes"), (3, 2, "2 of 3 pods crash"), (3, 3, "all 3 pods crash")],
)
async def test_pods_are_counted(cluster: FakeCluster, replicas: int, crashing: int, told: str) -> None:
    new = replica_set(cluster, deployment(cluster, replicas=replicas), 1)
    for number in range(crashing):
        pod(cluster, f"pod-{number}", new)
    assert f"is not healthy: {told} at start" in await sentence(cluster)


async def test_what_is_true_of_most_is_told(cluster: FakeCluster) -> None:
    new = replica_set(cluster, deployment(cluster), 1)
    pod(cluster, "a", new, exit_code=1)
    pod(cluster, "b", new, exit_code=2)
    pod(cluster, "c", new, exit_code=2)
    assert "2 of 3 pods crash at start (exit code 2" in await sentence(cluster)


async def test_objects_of_others_are_not_ours(cluster: FakeCluster) -> None:
    deployment(cluster, ready=3)
    other = {"causeway.io/service": "billing"}
    put(cluster, "apps/v1", "Deployment", "billing", labels=other, spec={"replicas": 2})
    put(cluster, "networking.k8s.io/v1", "Ingress", "billing", labels=other, spec={})
    facts = await read(cluster)
    assert [one.name for one in facts.workloads] == ["orders"]
    assert facts.ingresses == ()
    assert why_stuck(facts) is None


async def test_the_log_is_read_where_a_container_broke_and_redacted(cluster: FakeCluster) -> None:
    new = replica_set(cluster, deployment(cluster), 1)
    for name in "abcde":
        pod(cluster, name, new)
        cluster.logs["shop", name] = ["PASSWORD=hunter2"]
    facts = await read(cluster)
    assert facts.logs == {(name, "app"): ("PASSWORD=‹hidden›",) for name in "abc"}


@pytest.mark.parametrize("error", [Invalid("It does not take the log.", []), UpstreamUnavailable("The node is away.")])
async def test_a_node_that_gives_no_log_hides_nothing_else(cluster: FakeCluster, error: PlatformError) -> None:
    pod(cluster, "a", replica_set(cluster, deployment(cluster, replicas=1), 1), exit_code=1)
    cluster.refuse("log_tail", error)
    facts = await read(cluster)
    assert (facts.logs, facts.unreadable) == ({}, ())
    assert "its pod crashes at start (exit code 1" in await sentence(cluster)


async def test_kinds_that_the_cluster_does_not_know_are_passed_over(cluster: FakeCluster) -> None:
    deployment(cluster, ready=3)
    cluster.refuse("list", NotFound("The cluster does not know the kind."), times=99)
    facts = await read(cluster)
    assert (facts.workloads, facts.unreadable) == ((), ())


async def test_what_may_not_be_read_is_named_once_and_only_where_it_matters(cluster: FakeCluster) -> None:
    cluster.refuse("list", Refused("No."), times=99)
    facts = await read(cluster)
    assert facts.unreadable == tuple(f"{what} in shop" for what in ("deployments", "pods", "replicasets", "events"))


async def test_a_cluster_that_is_away_is_said_to_be(cluster: FakeCluster) -> None:
    cluster.refuse("list", UpstreamUnavailable("The cluster is away."))
    with pytest.raises(UpstreamUnavailable):
        await read(cluster)


async def test_a_missing_namespace(cluster: FakeCluster) -> None:
    facts = await read_stuck_facts(cluster, service="orders", environment="staging", namespace="nowhere")
    found = why_stuck(facts)
    assert found is not None
    assert found.sentence == "orders in staging is not deployed: its namespace nowhere does not exist."


async def test_why_argocd_has_not_made_the_namespace_is_told_before_that_it_is_missing(cluster: FakeCluster) -> None:
    found = application(
        "orders-staging", sync="Unknown", conditions=(("ComparisonError", "x: app path does not exist"),)
    )
    facts = await read_stuck_facts(
        cluster, service="orders", environment="staging", namespace="nowhere", application=found
    )
    reason = why_stuck(facts)
    assert reason is not None
    assert " does not exist in the GitOps repository." in reason.sentence


async def test_an_empty_namespace(cluster: FakeCluster) -> None:
    assert await sentence(cluster) == (
        "orders in staging is not deployed: there is no workload of it in the namespace shop."
    )


async def test_a_job_of_a_schedule_that_fails(cluster: FakeCluster) -> None:
    template = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": IMAGE}]}}}}
    put(cluster, "batch/v1", "CronJob", "orders", spec={"jobTemplate": template})
    job = put(cluster, "batch/v1", "Job", "orders-29", spec={})
    status = {"name": "app", "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
    spec = {"containers": [{"name": "app", "image": IMAGE}]}
    failed = {"phase": "Failed", "containerStatuses": [status]}
    put(cluster, "v1", "Pod", "orders-29-x", owner=job, spec=spec, status=failed)
    cluster.logs["shop", "orders-29-x"] = ["ValueError: no rows"]
    assert await sentence(cluster) == (
        "orders in staging is not healthy: the job pod orders-29-x crashes at start (exit code 2); "
        "its last line is `ValueError: no rows`."
    )
