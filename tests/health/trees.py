"""Trees of objects as a cluster and Argo CD hold them, from recorded fragments: an application, its Deployment, two
ReplicaSets, pods, events. Put into the cluster in memory and read back as in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from bot.errors import Refused
from bot.health import StuckFacts, read_stuck_facts
from bot.ports import Application, SyncWindows
from integrations.argocd import shapes
from tests.fakes.cluster import FakeCluster
from tests.integrations.argocd.documents import HEAD, document, operation, resource

SERVICE, ENVIRONMENT = "orders-api", "staging"
NAMESPACE = APPLICATION = "orders-api-staging"
COMMIT = "3f2a1bc0123456789abcdef0123456789abcdef0"
IMAGE = "ghcr.io/acme/orders-api:3f2a1bc"
LABELS: dict[str, Any] = {"causeway.io/service": SERVICE, "causeway.io/environment": ENVIRONMENT}
BROKEN, READY = "orders-api-7c9d-x2x", "orders-api-7c9d-b4b"

Case = Mapping[str, Any]


def recorded(level: str) -> list[Case]:
    text = (Path(__file__).parent / "recorded" / f"{level}.yaml").read_text()
    return cast("list[Case]", yaml.safe_load(text))


async def facts_of(case: Case) -> StuckFacts:
    """Return what is read of a case."""
    cluster = FakeCluster(namespaces=[NAMESPACE])
    _workload(cluster, case)
    _pods(cluster, case)
    for obj in case.get("objects", ()):
        place = {} if obj["kind"] == "Node" else {"namespace": NAMESPACE}
        cluster.put({**obj, "metadata": {**obj["metadata"], **place, "labels": LABELS}})
    for number, event in enumerate(case.get("events", ())):
        cluster.put(_event(event, number))
    if case.get("namespace"):
        phase = {"phase": case["namespace"]}
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}, "status": phase})
    if "log" in case:
        cluster.logs[NAMESPACE, BROKEN] = case["log"]
    for method in case.get("refused", ()):
        cluster.refuse(method, Refused(f"We may not {method}."), times=99)
    return await read_stuck_facts(
        cluster,
        service=SERVICE,
        environment=ENVIRONMENT,
        namespace=NAMESPACE,
        delivered_by=APPLICATION if "application" in case or _is_about_argo_cd(case) else "",
        application=_application(case),
        argocd_problem=case.get("argocd_problem", ""),
        windows=SyncWindows(**case["windows"]) if "windows" in case else None,
        unread_revision=case.get("unread_revision", ""),
    )


def _is_about_argo_cd(case: Case) -> bool:
    return bool({"argocd_problem", "unread_revision", "automated"} & set(case))


def _application(case: Case) -> Application | None:
    if case.get("argocd_problem") or not ("application" in case or _is_about_argo_cd(case)):
        return None
    if "application" in case and case["application"] is None:
        return None
    status = dict(case.get("application", {}))
    if "sync" in status:
        status["sync"] = {"revision": HEAD, **status["sync"]}
    if "operationState" in status:
        told = status["operationState"]
        failed = told.get("failed")
        results = [resource("Thing", group="x.io", status="SyncFailed", message=failed)] if failed else []
        revision = told.get("revision", HEAD)
        status["operationState"] = operation(told["phase"], told["message"], *results, revision=revision)
    whole = document(APPLICATION, **status)
    if case.get("automated") is False:
        whole["spec"]["syncPolicy"] = {}
    return shapes.application(whole)


def _workload(cluster: FakeCluster, case: Case) -> None:
    ready = _ready(case)
    status = dict(case.get("deployment", {}))
    spec = {"replicas": 2, "template": _template(case), **status.pop("spec", {})}
    usual = {"observedGeneration": 9, "replicas": 2, "updatedReplicas": 2, "availableReplicas": ready}
    deployment = _named("apps/v1", "Deployment", SERVICE, spec=spec, status={**usual, **status})
    uid = cluster.put(deployment)["metadata"]["uid"]
    owner = {"kind": "Deployment", "name": SERVICE, "uid": uid, "controller": True}
    for revision, name in ((2, "orders-api-5b5b"), (3, "orders-api-7c9d")):
        replica_set = _named("apps/v1", "ReplicaSet", name, spec={"replicas": 2 if revision == 3 else 0}, owner=owner)
        replica_set["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(revision)}
        if revision == 3:
            replica_set["status"] = case.get("replica_set", {})
        cluster.put(replica_set)


def _ready(case: Case) -> int:
    """Return how many pods are ready: both where nothing is said of them, one of two beside a broken one."""
    if "pod" in case:
        return 1
    of_cluster = {"replica_set", "deployment", "events", "namespace", "refused"} & set(case)
    return int(case.get("ready", 0 if of_cluster else 2))


def _pods(cluster: FakeCluster, case: Case) -> None:
    uid = next(
        obj["metadata"]["uid"]
        for ref in cluster.refs()
        if ref.name == "orders-api-7c9d" and (obj := cluster.find(ref)) is not None
    )
    owner = {"kind": "ReplicaSet", "name": "orders-api-7c9d", "uid": uid, "controller": True}
    for number in range(_ready(case)):
        name = READY if number == 0 else f"{READY}{number}"
        good = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        cluster.put(_named("v1", "Pod", name, spec=_template(case)["spec"], status=good, owner=owner))
    if "pod" in case:
        spec = {**_template(case)["spec"], "nodeName": case.get("node", "")}
        spec["readinessGates"] = [{"conditionType": gate} for gate in case.get("gates", ())]
        spec["volumes"] = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in case.get("claims", ())]
        status = {"phase": "Running", **case["pod"]}
        cluster.put(_named("v1", "Pod", BROKEN, spec=spec, status=status, owner=owner))


def _template(case: Case) -> dict[str, Any]:
    app = {"name": "app", "image": IMAGE, "resources": {"limits": {"memory": "128Mi"}}}
    beside = [{"name": name, "image": "envoy"} for name in case.get("beside", ())]
    init = [{"name": name, "image": IMAGE} for name in case.get("init", ())]
    return {"spec": {"initContainers": init, "containers": [app, *beside]}}


def _named(
    api_version: str,
    kind: str,
    name: str,
    *,
    spec: Mapping[str, Any],
    status: Mapping[str, Any] | None = None,
    owner: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE}
    metadata["labels"] = {**LABELS, "app.kubernetes.io/version": COMMIT}
    if owner is not None:
        metadata["ownerReferences"] = [owner]
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status or {}}


def _event(told: Case, number: int) -> dict[str, Any]:
    about = {"kind": told.get("kind", "Pod"), "name": told.get("name", BROKEN), "namespace": NAMESPACE}
    rest = {key: value for key, value in told.items() if key not in ("kind", "name")}
    metadata = {"name": f"event-{number}", "namespace": NAMESPACE}
    at = f"2026-03-02T09:00:{number:02}Z"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata,
        "involvedObject": about,
        "lastTimestamp": at,
        **rest,
    }


def names(cases: Sequence[Case]) -> list[str]:
    return [case["name"] for case in cases]
