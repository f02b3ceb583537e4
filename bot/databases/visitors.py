"""The pod by which one person looks into one database for a while, and how they enter it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.model.canonical import JSON
from bot.model.configured import cut
from bot.model.databases import Engine
from bot.ports import ObjectRef
from bot.rendering.rollout import label_value
from bot.rendering.stores import VISITOR, Store

PERSON = "causeway.io/visitor"
"""Label of such a pod: who looks in. It carries none of a service's labels: it is no part of one."""
ASKED_BY = "causeway.io/requested-by"
"""Annotation: the full reference of the person."""
CLIENT_IMAGES: dict[Engine, str] = {
    "postgresql": "ghcr.io/cloudnative-pg/postgresql:17",
    "mysql": "docker.io/library/mysql:8.4",
    "valkey": "docker.io/valkey/valkey:8.1-alpine",
}
"""Where the platform names none: what holds the client of each engine."""
USER = 65_532
"""Nobody's account: the clients need none of their own, and restricted Pod Security wants a number."""
_VARIABLES: dict[Engine, dict[str, str]] = {
    "postgresql": {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGDATABASE": "name",
        "PGUSER": "user",
        "PGPASSWORD": "password",
    },
    "mysql": {
        "DATABASE_HOST": "host",
        "DATABASE_PORT": "port",
        "DATABASE_NAME": "name",
        "DATABASE_USER": "user",
        "MYSQL_PWD": "password",
    },
    "valkey": {
        "DATABASE_HOST": "host",
        "DATABASE_PORT": "port",
        "DATABASE_USER": "user",
        "REDISCLI_AUTH": "password",
    },
}
"""Variable → what it holds, as each client reads it by itself where it can."""
_MYSQL = 'exec mysql --host="$DATABASE_HOST" --port="$DATABASE_PORT" --user="$DATABASE_USER"'
_VALKEY = 'exec valkey-cli -h "$DATABASE_HOST" -p "$DATABASE_PORT" --user "$DATABASE_USER"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who looks in, and on which terms."""

    user: str
    """Full reference of the person."""
    span: timedelta
    writing: bool = False

    @property
    def handle(self) -> str:
        return self.user.rpartition("/")[2]


def pod_ref(store: Store, user: str) -> ObjectRef:
    """Return what the pod of a person is called: one for each of them and each database."""
    handle = re.sub(r"[^a-z0-9-]+", "-", user.rpartition("/")[2].lower()).strip("-")
    return ObjectRef("v1", "Pod", cut(f"{store.name}-visit-{handle}"), store.namespace)


def visitor_pod(store: Store, visitor: Visitor) -> dict[str, JSON]:
    """Return the pod. It holds no password: the kubelet reads that from the provider's Secret, and ends it all when
    the span is over, whoever is away then."""
    ref = pod_ref(store, visitor.user)
    seconds = int(visitor.span.total_seconds())
    labels: dict[str, JSON] = {
        "app.kubernetes.io/managed-by": "causeway",
        "app.kubernetes.io/component": "database-visitor",
        VISITOR: label_value(store.name),
        PERSON: label_value(visitor.handle),
    }
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": labels,
            "annotations": {ASKED_BY: visitor.user},
        },
        "spec": {
            "activeDeadlineSeconds": seconds,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(store, visitor, seconds)],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


def way_in(store: Store, visitor: Visitor) -> str:
    """Return the line that a person pastes to enter."""
    ref = pod_ref(store, visitor.user)
    begin = f"kubectl --namespace {ref.namespace} exec -it {ref.name} --"
    match store.engine:
        case "postgresql":
            return f"{begin} psql"
        case "mysql":
            begun = "" if visitor.writing else ' --init-command="SET SESSION TRANSACTION READ ONLY"'
            return f"{begin} sh -c '{_MYSQL}{begun} \"$DATABASE_NAME\"'"
        case "valkey":
            return f"{begin} sh -c '{_VALKEY}'"


def reads_only(store: Store, visitor: Visitor) -> bool:
    """Return whether what is begun there reads only, unless the person says otherwise: Valkey has no such thing."""
    return not visitor.writing and store.engine != "valkey"


def _container(store: Store, visitor: Visitor, seconds: int) -> dict[str, JSON]:
    return {
        "name": "client",
        "image": store.settings.client_image or _image(store),
        # It only waits. The deadline of the pod ends it; this is a little longer, so that the pod tells why it ended.
        "command": ["sleep", str(seconds + 60)],
        "env": [*_env(store, visitor)],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # a folder in the container
    }


def _image(store: Store) -> str:
    return CLIENT_IMAGES[store.engine]


def _env(store: Store, visitor: Visitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, part in _VARIABLES[store.engine].items():
        key = store.keys.get(part)
        if key:
            found.append({"name": name, "valueFrom": {"secretKeyRef": {"name": store.secret, "key": key}}})
        elif part in store.fixed:
            found.append({"name": name, "value": store.fixed[part]})
    fixed = {"HOME": "/tmp"}  # noqa: S108  # as above: the client keeps its history there
    if store.engine == "postgresql":
        fixed["PGAPPNAME"] = f"causeway {visitor.handle}"
        if not visitor.writing:
            fixed["PGOPTIONS"] = "-c default_transaction_read_only=on"
    return [*found, *({"name": name, "value": value} for name, value in fixed.items())]


def held_by(live: Mapping[str, Any]) -> str:
    """Return the full reference of the person whose pod it is."""
    return str(((live.get("metadata") or {}).get("annotations") or {}).get(ASKED_BY, ""))


def is_open(live: Mapping[str, Any]) -> bool:
    """Return whether somebody can still enter by it."""
    return (live.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def term_name(store: Store, user: str) -> str:
    """Return the name of the appointment that ends a visit: `disconnect:orders-api-db/staging/author`."""
    return f"disconnect:{store.name}/{store.environment}/{user.rpartition('/')[2]}"


def visit_lane(store: Store, user: str) -> str:
    """What is asked about one person's way into one database happens in turn."""
    return f"visit:{store.name}/{store.environment}/{user.rpartition('/')[2]}"
