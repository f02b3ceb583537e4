"""Trees of objects below a database as a cluster holds them, from recorded fragments, put into the cluster in memory
and read back as in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import Refused
from bot.health.databases import Database, DatabaseFacts, read_database_facts
from bot.ports import ObjectRef
from tests.fakes.cluster import FakeCluster

NAME, NAMESPACE, SECRET = "orders-db", "orders-api-staging", "orders-db-app"
ACME, CNPG = "platform.acme.example/v1alpha1", "postgresql.cnpg.io/v1"
CLUSTER = ObjectRef(CNPG, "Cluster", NAME, NAMESPACE)
RDS = ObjectRef("database.aws.crossplane.io/v1beta1", "RDSInstance", NAME)
CLAIM = ObjectRef(ACME, "CacheInstance", NAME, NAMESPACE)
COMPOSITE = ObjectRef(ACME, "XCacheInstance", f"{NAME}-x7")
MANAGED = ObjectRef("cache.aws.crossplane.io/v1beta1", "ReplicationGroup", f"{NAME}-x7-c4")
VERSIONS = {"Job": "batch/v1", "Backup": CNPG, "StorageClass": "storage.k8s.io/v1"}
Case = Mapping[str, Any]


async def facts_of(case: Case) -> DatabaseFacts:
    """Return what is read of a case."""
    cluster = FakeCluster(namespaces=[NAMESPACE, "default"])
    main = _put_main(cluster, case)
    for obj in case.get("objects", ()):
        labels = {"cnpg.io/cluster": NAME, **obj.get("labels", {})}
        place = "" if obj["kind"] == "StorageClass" else NAMESPACE
        put(cluster, ObjectRef(VERSIONS.get(obj["kind"], "v1"), obj["kind"], obj["name"], place), obj, labels=labels)
        if obj["kind"] == "Pod" and "log" in case:
            cluster.logs[NAMESPACE, obj["name"]] = case["log"]
    for number, told in enumerate(case.get("events", ())):
        _put_event(cluster, told, number)
    if case.get("secret"):
        put(cluster, ObjectRef("v1", "Secret", SECRET, NAMESPACE), {})
    for method in case.get("refused", ()):
        cluster.refuse(method, Refused(f"We may not {method}."), times=99)
    if "refused_links" in case:  # the claim and the composite are read before
        cluster.refuse("get", Refused("We may not get."), times=99, skip=2)
    return await read_database_facts(cluster, database(main))


def database(main: ObjectRef | None) -> Database:
    provider = {CLUSTER: "cloudnativepg", RDS: "crossplane", CLAIM: "claim", None: "git"}.get(main, "")
    if main is not None and not provider:
        provider = "cloudnativepg" if main.namespace else "crossplane"
    return Database(name=NAME, namespace=NAMESPACE, provider=provider, main=main, secret=SECRET, contact="#databases")


def _put_main(cluster: FakeCluster, case: Case) -> ObjectRef | None:
    if "main" in case:
        place = NAMESPACE if case["main"]["kind"] == "Cluster" else ""
        return ObjectRef(case["main"]["api_version"], case["main"]["kind"], NAME, place)
    if "cluster" in case:
        _put_cluster(cluster, case)
        return CLUSTER
    if "rds" in case:
        spec = {"forProvider": {"region": "eu-central-1"}, "providerConfigRef": {"name": "default"}}
        put(cluster, RDS, {"spec": spec, "status": case["rds"]})
        return RDS
    if "claim" in case:
        _put_chain(cluster, case)
        return CLAIM
    return None


def _put_cluster(cluster: FakeCluster, case: Case) -> None:
    if case["cluster"] is None:
        return
    status = {key: value for key, value in case["cluster"].items() if key != "spec"}
    body = {"spec": {"instances": 1, **case["cluster"].get("spec", {})}, "status": status}
    put(cluster, CLUSTER, body, annotations=case.get("annotations", {}), leaving=case.get("leaving", False))


def _put_chain(cluster: FakeCluster, case: Case) -> None:
    reference = {"apiVersion": ACME, "kind": "XCacheInstance", "name": COMPOSITE.name}
    put(cluster, CLAIM, {"spec": {"resourceRef": reference} if "composite" in case else {}, "status": case["claim"]})
    if "composite" not in case:
        return
    below = {"apiVersion": MANAGED.api_version, "kind": MANAGED.kind, "name": MANAGED.name}
    refs = case.get("refs", [below] if "managed" in case else [])
    put(cluster, COMPOSITE, {"spec": {"resourceRefs": refs}, "status": case["composite"]})
    if "managed" in case:
        put(cluster, MANAGED, {"spec": {"forProvider": {}}, "status": case["managed"]})


def put(
    cluster: FakeCluster,
    ref: ObjectRef,
    body: Mapping[str, Any],
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    leaving: bool = False,
) -> None:
    metadata: dict[str, Any] = {"name": ref.name, "labels": dict(labels or {}), "annotations": dict(annotations or {})}
    if ref.namespace:
        metadata["namespace"] = ref.namespace
    if leaving:
        metadata["finalizers"] = ["acme.example/keep"]
    parts = {key: body[key] for key in ("spec", "status") if key in body}
    cluster.put({"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, **parts})
    if leaving:
        cluster.remove(ref)


def _put_event(cluster: FakeCluster, told: Case, number: int) -> None:
    place = "default" if told["kind"] in {"RDSInstance", "XCacheInstance", "ReplicationGroup"} else NAMESPACE
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"event-{number}", "namespace": place},
            "involvedObject": {"kind": told["kind"], "name": told["name"]},
            "lastTimestamp": f"2026-03-02T09:00:{number:02}Z",
            **{key: told[key] for key in ("reason", "type", "message")},
        }
    )


def names(cases: Sequence[Case]) -> list[str]:
    return [case["name"] for case in cases]
