"""What CloudNativePG makes for a `Cluster`: claims, jobs, instances, services, and the Secret to connect with."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping

from playground.kubernetes.controllers.objects import Object, name_of, namespace_of, owner_reference, spec_of, uid_of

CNPG = "postgresql.cnpg.io"
VERSION = f"{CNPG}/v1"
OF_CLUSTER, INSTANCE, ROLE, JOB = "cnpg.io/cluster", "cnpg.io/instanceName", "cnpg.io/instanceRole", "cnpg.io/jobRole"
ROLES = ("rw", "ro", "r")
"""A service for each: the primary, the standbys, all of them."""
IMAGE = "ghcr.io/cloudnative-pg/postgresql:17"


def instance_name(cluster: Object, number: int) -> str:
    return f"{name_of(cluster)}-{number}"


def _metadata(cluster: Object, name: str, labels: Mapping[str, str]) -> Object:
    return {
        "name": name,
        "namespace": namespace_of(cluster),
        "labels": {OF_CLUSTER: name_of(cluster), **labels},
        "ownerReferences": [owner_reference(cluster)],
    }


def claim(cluster: Object, number: int, source: Object | None = None) -> Object:
    """Return the volume claim of an instance; `source` is the snapshot that it is filled from."""
    name = instance_name(cluster, number)
    storage = spec_of(cluster).get("storage") or {}
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.get("size", "1Gi")}},
        "volumeMode": "Filesystem",
    }
    if storage.get("storageClass"):
        spec["storageClassName"] = storage["storageClass"]
    if source:
        spec["dataSource"] = source
    labels = {INSTANCE: name, "cnpg.io/pvcRole": "PG_DATA"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(cluster, name, labels),
        "spec": spec,
    }


def job(cluster: Object, number: int, role: str, *, broken: str = "") -> Object:
    """Return the job that fills an instance. `broken`: the last words of its pods, which then fail."""
    instance = instance_name(cluster, number)
    name = f"{instance}-{role}"
    labels = {INSTANCE: instance, JOB: role}
    env = [{"name": "PLAYGROUND_POD", "value": "crashloop"}, {"name": "PLAYGROUND_SAYS", "value": broken}]
    container = _container(cluster, role, env if broken else [])
    template = {
        "metadata": {"labels": {OF_CLUSTER: name_of(cluster), **labels}},
        "spec": {"containers": [container], "restartPolicy": "Never", "volumes": [_volume(instance)]},
    }
    spec = {"backoffLimit": 2 if broken else 6, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": _metadata(cluster, name, labels), "spec": spec}


def instance(cluster: Object, number: int, *, primary: bool) -> Object:
    """Return the pod of an instance."""
    name = instance_name(cluster, number)
    role = "primary" if primary else "replica"
    labels = {INSTANCE: name, ROLE: role, "role": role, "cnpg.io/podRole": "instance"}
    container = {
        **_container(cluster, "postgres", []),
        "ports": [{"name": "postgresql", "containerPort": 5432, "protocol": "TCP"}],
    }
    spec = {"containers": [container], "hostname": name, "volumes": [_volume(name)]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(cluster, name, labels), "spec": spec}


def _container(cluster: Object, name: str, env: list[Object]) -> Object:
    return {
        "name": name,
        "image": spec_of(cluster).get("imageName", IMAGE),
        "env": env,
        "resources": spec_of(cluster).get("resources") or {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "pgdata", "mountPath": "/var/lib/postgresql/data"}],
    }


def _volume(name: str) -> Object:
    return {"name": "pgdata", "persistentVolumeClaim": {"claimName": name}}


def belongings(cluster: Object) -> list[Object]:
    """Return the Secret and the services that a cluster brings along."""
    return [app_secret(cluster), *(_service(cluster, role) for role in ROLES)]


def app_secret(cluster: Object) -> Object:
    name, namespace = name_of(cluster), namespace_of(cluster)
    bootstrap = spec_of(cluster).get("bootstrap") or {}
    method = bootstrap.get("initdb") or bootstrap.get("recovery") or {}
    database = method.get("database", "app")
    owner, password, host = method.get("owner", database), secret_text(cluster), f"{name}-rw"
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
    return secret(_metadata(cluster, f"{name}-app", {}), values, "kubernetes.io/basic-auth")


def _service(cluster: Object, role: str) -> Object:
    selector = {OF_CLUSTER: name_of(cluster)}
    if role != "r":
        selector[ROLE] = "primary" if role == "rw" else "replica"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(cluster, f"{name_of(cluster)}-{role}", {}),
        "spec": {
            "type": "ClusterIP",
            "selector": selector,
            "ports": [{"name": "postgres", "port": 5432, "protocol": "TCP", "targetPort": 5432}],
        },
    }


def secret_text(owner: Object) -> str:
    """Return a password that is the same each time it is asked for."""
    return hashlib.sha256(f"password of {uid_of(owner)}".encode()).hexdigest()[:32]


def secret(metadata: Object, values: Mapping[str, str], kind: str) -> Object:
    held = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": held}
