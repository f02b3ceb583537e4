"""Pods that are there for a while: what only waits goes on, and the kubelet ends it when its time is over."""

from __future__ import annotations

from typing import Any

from tests.playground.kubernetes.cluster import GOOD, Cluster, running


def pod(*command: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "client", "image": GOOD, "command": [*command]}
    told = {"restartPolicy": "Never", "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "visit", "namespace": "default"}, "spec": told}


async def until(cluster: Cluster, phase: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = cluster.store.get("", "Pod", "default", "visit")
        return found if found and found.get("status", {}).get("phase") == phase else None

    return await cluster.until(look)


async def test_what_only_sleeps_runs_until_its_deadline_and_is_told_why_it_ended() -> None:
    async with running() as cluster:
        cluster.store.create(pod("sleep", "3660", activeDeadlineSeconds=3600))
        await until(cluster, "Running")
        cluster.clock.advance(minutes=59)
        await until(cluster, "Running")
        cluster.clock.advance(minutes=2)
        status = (await until(cluster, "Failed"))["status"]
        assert status["reason"] == "DeadlineExceeded"
        assert status["message"] == "Pod was active on the node longer than the specified deadline"
        assert [one["state"]["terminated"]["exitCode"] for one in status["containerStatuses"]] == [137]


async def test_what_does_its_work_ends_by_itself_before() -> None:
    async with running() as cluster:
        cluster.store.create(pod("migrate", activeDeadlineSeconds=3600))
        assert "reason" not in (await until(cluster, "Succeeded"))["status"]
