"""Databases in the simulated cluster, and what tests ask of them most."""

from __future__ import annotations

from typing import Any

from playground.kubernetes.controllers.objects import condition
from tests.playground.kubernetes.cluster import Cluster

CNPG, AWS, CACHE = "postgresql.cnpg.io", "database.aws.crossplane.io", "cache.aws.crossplane.io"
SNAPSHOTS, ACME = "snapshot.storage.k8s.io", "platform.acme.example"
NAME = "orders-db"
Json = dict[str, Any]


def put(cluster: Cluster, api_version: str, kind: str, name: str, spec: Json, *, namespace: str = "default") -> Json:
    metadata: Json = {"name": name, **({"namespace": namespace} if namespace else {})}
    return cluster.store.create({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})


def postgres(cluster: Cluster, instances: int = 1, name: str = NAME, **spec: Any) -> Json:
    whole = {"instances": instances, "storage": {"size": "10Gi"}, **spec}
    return put(cluster, f"{CNPG}/v1", "Cluster", name, whole)


def rds(cluster: Cluster, name: str = NAME, *, user: str = "app", config: str = "default", **wanted: Any) -> Json:
    given = {"region": "eu-central-1", "engine": "postgres", "masterUsername": user, "allocatedStorage": 20}
    spec = {
        "forProvider": {**given, "dbInstanceClass": "db.t3.micro", "skipFinalSnapshotBeforeDeletion": True, **wanted},
        "providerConfigRef": {"name": config},
        "writeConnectionSecretToRef": {"name": NAME, "namespace": "default"},
    }
    return put(cluster, f"{AWS}/v1beta1", "RDSInstance", name, spec, namespace="")


def got(cluster: Cluster, group: str, kind: str, name: str = NAME, namespace: str = "default") -> Json:
    return cluster.store.get(group, kind, namespace, name) or {}


def phase(cluster: Cluster, name: str = NAME) -> str:
    return str(got(cluster, CNPG, "Cluster", name).get("status", {}).get("phase", ""))


async def healthy(cluster: Cluster, name: str = NAME) -> Json:
    await cluster.until(lambda: phase(cluster, name) == "Cluster in healthy state")
    return got(cluster, CNPG, "Cluster", name)


def told(found: Json, kind: str) -> Json:
    return condition(found.get("status", {}), kind) or {}


def warnings(cluster: Cluster, reason: str) -> list[str]:
    return [event["message"] for event in cluster.told(reason) if event["type"] == "Warning"]
