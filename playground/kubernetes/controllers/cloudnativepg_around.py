"""CloudNativePG's `Database` inside a cluster, and `Pooler` before one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from playground.kubernetes.controllers.cloudnativepg_parts import CNPG, OF_CLUSTER
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    meta,
    name_of,
    namespace_of,
    owner_reference,
    spec_of,
    status_of,
)
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

FINALIZER = "cnpg.io/deleteDatabase"
OF_POOLER = "cnpg.io/poolerName"
PGBOUNCER = "ghcr.io/cloudnative-pg/pgbouncer:1.24.1"


class DatabasesInside:
    """`applied` once the cluster answers. The finalizer goes with the database inside, or with the whole cluster."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (CNPG, "databases"):
            yield namespace_of(change.object), name_of(change.object)
        elif resource.key == (CNPG, "clusters"):
            for found in self._store.objects.all((CNPG, "databases"), namespace_of(change.object)):
                if spec_of(found)["cluster"]["name"] == name_of(change.object):
                    yield namespace_of(found), name_of(found)

    def reconcile(self, key: Key) -> Again:
        found = self._store.get(CNPG, "Database", key[0], key[1])
        if found is None:
            return None
        cluster = self._store.get(CNPG, "Cluster", namespace_of(found), spec_of(found)["cluster"]["name"])
        answers = cluster is not None and bool(status_of(cluster).get("currentPrimary"))
        if is_going(found):
            if answers or cluster is None or is_going(cluster):
                self._store.release(CNPG, "Database", key[0], key[1], FINALIZER)
            return None
        if cluster is None or not answers:
            return None
        if FINALIZER not in meta(found).get("finalizers", []):
            meta(found)["finalizers"] = [*meta(found).get("finalizers", []), FINALIZER]
            found = self._store.update(found, manager="cloudnative-pg")
        status = {"applied": True, "observedGeneration": meta(found).get("generation", 1)}
        self._store.patch_status(CNPG, "Database", key[0], key[1], status)
        return None


class Poolers:
    """A Deployment and a Service of the pooler's name."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key in ((CNPG, "poolers"), ("apps", "deployments")):
            yield namespace_of(change.object), name_of(change.object)

    def reconcile(self, key: Key) -> Again:
        pooler = self._store.get(CNPG, "Pooler", key[0], key[1])
        if pooler is None or is_going(pooler):
            return None
        wanted = deployment_of(pooler)
        found = self._store.get("apps", "Deployment", key[0], key[1])
        if found is None:
            found = self._store.create(wanted, manager="cloudnative-pg")
            self._store.create(service_of(pooler), manager="cloudnative-pg")
        elif spec_of(found)["replicas"] != wanted["spec"]["replicas"]:
            found["spec"]["replicas"] = wanted["spec"]["replicas"]
            self._store.update(found, manager="cloudnative-pg")
        status = {"instances": status_of(found).get("readyReplicas", 0)}
        self._store.patch_status(CNPG, "Pooler", key[0], key[1], status)
        return None


def _metadata(pooler: Object) -> Object:
    return {
        "name": name_of(pooler),
        "namespace": namespace_of(pooler),
        "labels": {OF_CLUSTER: spec_of(pooler)["cluster"]["name"], OF_POOLER: name_of(pooler)},
        "ownerReferences": [owner_reference(pooler)],
    }


def deployment_of(pooler: Object) -> Object:
    selector = {OF_POOLER: name_of(pooler)}
    container = {
        "name": "pgbouncer",
        "image": PGBOUNCER,
        "ports": [{"name": "pgbouncer", "containerPort": 5432}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(pooler),
        "spec": {
            "replicas": int(spec_of(pooler).get("instances", 1)),
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": selector}, "spec": {"containers": [container]}},
        },
    }


def service_of(pooler: Object) -> Object:
    port = {"name": "pgbouncer", "port": 5432, "protocol": "TCP", "targetPort": "pgbouncer"}
    spec = {"type": "ClusterIP", "selector": {OF_POOLER: name_of(pooler)}, "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(pooler), "spec": spec}
