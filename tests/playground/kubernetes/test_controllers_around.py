"""What stands around a deployment: services, ingresses, autoscalers, budgets, volumes, jobs, logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.controllers.forced import Forced
from playground.kubernetes.controllers.pod_logs import NoLogs, log_lines
from tests.playground.kubernetes.cluster import ABSENT, GOOD, LABELS, Cluster, deployment, running


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as found:
        yield found


def made(cluster: Cluster, api_version: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    return cluster.store.create(
        {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "default"}, **parts}
    )


def status(cluster: Cluster, group: str, kind: str, name: str) -> dict[str, Any]:
    found = cluster.store.get(group, kind, "default", name)
    assert found is not None
    result: dict[str, Any] = found.get("status", {})
    return result


async def test_a_service_leads_to_the_ready_pods(cluster: Cluster) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    made(cluster, "v1", "Service", "orders-api", spec={"selector": LABELS, "ports": ports})
    cluster.store.create(deployment())
    await cluster.rolled_out()

    def ready() -> list[str] | None:
        slices = cluster.store.list("discovery.k8s.io", "EndpointSlice", "default")
        ends = [end for one in slices for end in one["endpoints"] or [] if end["conditions"]["ready"]]
        return [end["targetRef"]["name"] for end in ends] if len(ends) == 2 else None

    assert sorted(await cluster.until(ready)) == sorted(pod["metadata"]["name"] for pod in cluster.pods())
    cluster.controllers.force("default", LABELS, Look.CRASHLOOP)

    def unready() -> bool:
        found = cluster.store.get("", "Endpoints", "default", "orders-api") or {}
        return [set(part) for part in found.get("subsets", [])] == [{"notReadyAddresses", "ports"}]

    await cluster.until(unready)
    cluster.store.delete("", "Service", "default", "orders-api")
    await cluster.until(lambda: not cluster.store.list("discovery.k8s.io", "EndpointSlice", "default"))
    await cluster.until(lambda: cluster.store.get("", "Endpoints", "default", "orders-api") is None)


async def test_an_ingress_gets_an_address(cluster: Cluster) -> None:
    backend = {"service": {"name": "orders-api", "port": {"number": 80}}}
    made(cluster, "networking.k8s.io/v1", "Ingress", "orders-api", spec={"defaultBackend": backend})
    found = await cluster.until(
        lambda: status(cluster, "networking.k8s.io", "Ingress", "orders-api").get("loadBalancer")
    )
    assert found == {"ingress": [{"ip": "203.0.113.10"}]}


async def test_an_autoscaler_holds_the_replicas_within_its_range(cluster: Cluster) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders-api"}
    spec = {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 5, "metrics": []}
    made(cluster, "autoscaling/v2", "HorizontalPodAutoscaler", "orders-api", spec=spec)

    def conditions() -> dict[str, tuple[str, str]]:
        found = status(cluster, "autoscaling", "HorizontalPodAutoscaler", "orders-api").get("conditions", [])
        return {one["type"]: (one["status"], one["reason"]) for one in found}

    await cluster.until(lambda: conditions() == {"AbleToScale": ("False", "FailedGetScale")})
    cluster.store.create(deployment(replicas=1))
    assert (await cluster.rolled_out())["spec"]["replicas"] == 3
    await cluster.until(lambda: conditions().get("AbleToScale") == ("True", "ReadyForNewScale"))
    cluster.change(lambda found: found["spec"].update(replicas=9))
    await cluster.until(lambda: cluster.deployment()["spec"]["replicas"] == 5)


async def test_a_budget_counts_what_may_be_disrupted(cluster: Cluster) -> None:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}
    made(cluster, "policy/v1", "PodDisruptionBudget", "orders-api", spec=spec)
    cluster.store.create(deployment())

    def counted(key: str) -> int:
        return int(status(cluster, "policy", "PodDisruptionBudget", "orders-api").get(key, -1))

    await cluster.until(lambda: counted("disruptionsAllowed") == 1 and counted("currentHealthy") == 2)
    cluster.controllers.force("default", LABELS, Look.CRASHLOOP)
    await cluster.until(lambda: counted("disruptionsAllowed") == 0)


async def test_a_claim_is_bound(cluster: Cluster) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    made(cluster, "v1", "PersistentVolumeClaim", "files", spec=spec)
    await cluster.until(lambda: status(cluster, "", "PersistentVolumeClaim", "files").get("phase") == "Bound")
    assert status(cluster, "", "PersistentVolumeClaim", "files")["capacity"] == {"storage": "10Gi"}


JOB = {
    "template": {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "report", "image": GOOD}]},
    }
}


async def test_a_job_runs_once_and_is_complete(cluster: Cluster) -> None:
    made(cluster, "batch/v1", "Job", "report", spec={**JOB, "ttlSecondsAfterFinished": 60})
    await cluster.until(lambda: status(cluster, "batch", "Job", "report").get("completionTime"))
    found = status(cluster, "batch", "Job", "report")
    assert found["succeeded"] == 1
    assert {one["type"] for one in found["conditions"]} == {"SuccessCriteriaMet", "Complete"}
    assert [pod["status"]["phase"] for pod in cluster.pods()] == ["Succeeded"]
    cluster.clock.advance(seconds=61)
    await cluster.until(lambda: cluster.store.get("batch", "Job", "default", "report") is None)
    await cluster.until(lambda: not cluster.pods())


async def test_a_job_whose_pods_fail_too_often_fails(cluster: Cluster) -> None:
    broken = {"spec": {**JOB["template"]["spec"]}}
    broken["spec"]["containers"] = [
        {"name": "report", "image": GOOD, "env": [{"name": "PLAYGROUND_POD", "value": "crashloop"}]}
    ]
    made(cluster, "batch/v1", "Job", "report", spec={"template": broken, "backoffLimit": 1})
    await cluster.until(lambda: len(status(cluster, "batch", "Job", "report").get("conditions", [])) == 2)
    found = status(cluster, "batch", "Job", "report")
    assert found["failed"] == 2
    assert {one["reason"] for one in found["conditions"]} == {"BackoffLimitExceeded"}


def succeeded(cluster: Cluster, at: str) -> bool:
    return bool(status(cluster, "batch", "CronJob", "report").get("lastSuccessfulTime") == at)


async def test_a_cron_job_starts_by_the_playgrounds_clock(cluster: Cluster) -> None:
    spec = {"schedule": "30 9 * * *", "jobTemplate": {"spec": JOB}}
    made(cluster, "batch/v1", "CronJob", "report", spec=spec)
    cluster.clock.advance(minutes=29)
    assert not cluster.store.list("batch", "Job", "default")
    cluster.clock.advance(minutes=2)
    await cluster.until(lambda: status(cluster, "batch", "CronJob", "report").get("lastSuccessfulTime"))
    assert status(cluster, "batch", "CronJob", "report")["lastScheduleTime"] == "2026-03-02T09:30:00Z"
    for day in range(3, 8):
        cluster.clock.advance(days=1)
        await cluster.until(partial(succeeded, cluster, f"2026-03-0{day}T09:31:00Z"))
    await cluster.until(lambda: len(cluster.store.list("batch", "Job", "default")) == 3)


async def test_a_suspended_cron_job_starts_nothing(cluster: Cluster) -> None:
    spec = {"schedule": "* * * * *", "suspend": True, "jobTemplate": {"spec": JOB}}
    made(cluster, "batch/v1", "CronJob", "report", spec=spec)
    cluster.clock.advance(hours=1)
    cluster.store.create(deployment())
    await cluster.rolled_out()
    assert not cluster.store.list("batch", "Job", "default")


async def test_logs_say_why_a_container_ended(cluster: Cluster) -> None:
    cluster.store.create(deployment())
    await cluster.rolled_out()
    (pod, *_) = cluster.pods()
    later = cluster.clock() + timedelta(minutes=1)
    assert [text for _, text in log_lines(pod, "web", later)][-1].startswith('{"time": "2026-03-02T09:01:00Z"')
    with pytest.raises(NoLogs, match="previous terminated container"):
        log_lines(pod, "web", later, previous=True)
    cluster.controllers.force("default", LABELS, Look.CRASHLOOP)
    crashed = await cluster.until(
        lambda: next((one for one in cluster.pods() if one["status"]["containerStatuses"][0]["lastState"]), None)
    )
    assert [text for _, text in log_lines(crashed, "web", later, previous=True)][-1] == "KeyError: 'DATABASE_URL'"


async def test_a_container_that_has_not_started_has_no_logs(cluster: Cluster) -> None:
    cluster.store.create(deployment(ABSENT))
    await cluster.until(lambda: cluster.told("BackOff"))
    with pytest.raises(NoLogs, match="is waiting to start"):
        log_lines(cluster.pods()[0], "web", cluster.clock())


def test_ready_takes_back_what_was_ordered_for_the_same_labels() -> None:
    forced = Forced(None)
    pod = {"metadata": {"name": "web-1", "namespace": "default", "labels": LABELS}}
    forced.order("default", LABELS, Look.OOM, [])
    forced.order("default", {}, Look.CRASHLOOP, [])
    assert forced.look(pod) is Look.CRASHLOOP
    forced.order("default", {}, Look.READY, [])
    assert forced.look(pod) is Look.OOM
    forced.order("default", {"another": "label"}, Look.READY, [pod])
    assert forced.look(pod) is None
    assert forced.look({"metadata": {"name": "web-1", "namespace": "other", "labels": LABELS}}) is None
