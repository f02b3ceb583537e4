"""Databases as CloudNativePG and Crossplane would make them: a status that moves, and the secret to connect with."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from playground.kubernetes.controllers.containers import STEP_S
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    name_of,
    namespace_of,
    owner_reference,
    spec_of,
    status_of,
    uid_of,
    with_conditions,
)
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

CNPG, AWS = "postgresql.cnpg.io", "database.aws.crossplane.io"
SETTING_UP, HEALTHY = "Setting up primary", "Cluster in healthy state"
ROLES = ("rw", "ro", "r")
"""A service for each: the primary, the standbys, all of them."""


class Databases:
    """CloudNativePG's `Cluster`: first it sets up, then it is healthy and its secret and services are there."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (CNPG, "clusters"):
            yield namespace_of(change.object), name_of(change.object)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        cluster = self._store.get(CNPG, "Cluster", namespace, name)
        if cluster is None or is_going(cluster):
            return None
        wanted = int(spec_of(cluster).get("instances", 1))
        status = status_of(cluster)
        ready = int(status.get("readyInstances", 0))
        if ready == wanted and status.get("phase") == HEALTHY:
            return None
        for made in belongings(cluster):
            ensure(self._store, made)
        ready = 0 if not status else ready + (1 if ready < wanted else -1)
        self._store.update({**cluster, "status": cluster_status(cluster, ready, self._clock())}, subresource="status")
        return STEP_S


def cluster_status(cluster: Object, ready: int, now: datetime) -> Object:
    wanted = int(spec_of(cluster).get("instances", 1))
    done = ready == wanted
    phase = HEALTHY if done else SETTING_UP if ready == 0 else "Creating a new replica"
    condition = {
        "type": "Ready",
        "status": "True" if done else "False",
        "reason": "ClusterIsReady" if done else "ClusterIsNotReady",
        "message": "Cluster is Ready" if done else "Cluster Is Not Ready",
    }
    return {
        **status_of(cluster),
        "phase": phase,
        "phaseReason": "",
        "instances": wanted,
        "readyInstances": ready,
        "currentPrimary": f"{name_of(cluster)}-1",
        "writeService": f"{name_of(cluster)}-rw",
        "readService": f"{name_of(cluster)}-r",
        "conditions": with_conditions(status_of(cluster), [condition], now),
    }


def belongings(cluster: Object) -> list[Object]:
    """Return the secret and the services that a cluster brings along."""
    name, namespace = name_of(cluster), namespace_of(cluster)
    bootstrap = (spec_of(cluster).get("bootstrap") or {}).get("initdb") or {}
    database = bootstrap.get("database", "app")
    owner, password, host = bootstrap.get("owner", database), secret_text(cluster), f"{name}-rw"
    uri = f"postgresql://{owner}:{password}@{host}.{namespace}:5432/{database}"
    jdbc = f"jdbc:postgresql://{host}.{namespace}:5432/{database}?password={password}&user={owner}"
    values = {
        "dbname": database,
        "host": host,
        "port": "5432",
        "user": owner,
        "username": owner,
        "password": password,
        "pgpass": f"{host}:5432:{database}:{owner}:{password}\n",
        "uri": uri,
        "jdbc-uri": jdbc,
    }
    services = [_service(cluster, role) for role in ROLES]
    return [_secret(f"{name}-app", namespace, values, "kubernetes.io/basic-auth", cluster), *services]


def _service(cluster: Object, role: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"{name_of(cluster)}-{role}",
            "namespace": namespace_of(cluster),
            "labels": {"cnpg.io/cluster": name_of(cluster)},
            "ownerReferences": [owner_reference(cluster)],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": {"cnpg.io/cluster": name_of(cluster)},
            "ports": [{"name": "postgres", "port": 5432, "protocol": "TCP", "targetPort": 5432}],
        },
    }


def secret_text(owner: Object) -> str:
    """Return a password that is the same each time it is asked for."""
    return hashlib.sha256(f"password of {uid_of(owner)}".encode()).hexdigest()[:32]


def _secret(name: str, namespace: str, values: Mapping[str, str], kind: str, owner: Object | None) -> Object:
    metadata: Object = {"name": name, "namespace": namespace}
    if owner:
        metadata["ownerReferences"] = [owner_reference(owner)]
    held = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": held}


def ensure(store: Store, wanted: Object) -> None:
    """Create an object that is not there."""
    group, _, _ = wanted["apiVersion"].rpartition("/")
    if store.get(group, wanted["kind"], namespace_of(wanted), name_of(wanted)) is None:
        store.create(wanted)


class ManagedDatabases:
    """Crossplane's `RDSInstance`: first being created, then available, with a connection secret."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (AWS, "rdsinstances"):
            yield (name_of(change.object),)

    def reconcile(self, key: Key) -> Again:
        found = self._store.get(AWS, "RDSInstance", "", key[0])
        if found is None or is_going(found):
            return None
        state = (status_of(found).get("atProvider") or {}).get("dbInstanceStatus")
        if state == "available":
            return None
        if state is None:
            self._tell(found, "creating", "False", "Creating")
            return STEP_S
        self._connect(found)
        self._tell(found, "available", "True", "Available")
        return None

    def _tell(self, found: Object, state: str, ready: str, reason: str) -> None:
        conditions = [
            {"type": "Ready", "status": ready, "reason": reason},
            {"type": "Synced", "status": "True", "reason": "ReconcileSuccess"},
        ]
        status = {
            "atProvider": {"dbInstanceStatus": state, "endpoint": {"address": _address(found), "port": 5432}},
            "conditions": with_conditions(status_of(found), conditions, self._clock()),
        }
        self._store.update({**found, "status": status}, subresource="status")

    def _connect(self, found: Object) -> None:
        place = spec_of(found).get("writeConnectionSecretToRef")
        if not place or self._store.get("", "Namespace", "", place["namespace"]) is None:
            return
        user = (spec_of(found).get("forProvider") or {}).get("masterUsername", "root")
        values = {"username": user, "password": secret_text(found), "endpoint": _address(found), "port": "5432"}
        kind = "connection.crossplane.io/v1alpha1"
        ensure(self._store, _secret(place["name"], place["namespace"], values, kind, None))


def _address(found: Object) -> str:
    region = (spec_of(found).get("forProvider") or {}).get("region", "eu-central-1")
    return f"{name_of(found)}.playground.{region}.rds.amazonaws.com"
