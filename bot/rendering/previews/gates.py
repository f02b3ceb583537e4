"""No service of a preview starts on a database before that has been filled and masked.

A Job does all of it in one order, and writes a line into the database when it is done. Each pod of the service waits
for that line before its own container starts. So the order holds in the cluster itself, whoever delivers, and whoever
starts pods anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bot.model.canonical import JSON, sha256
from bot.model.configured import cut
from bot.rendering.stores import VISITOR, Store
from bot.rendering.stores.store import SEEDS_FROM
from bot.rendering.stores.variables import variables

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

CLIENT_IMAGE = "ghcr.io/cloudnative-pg/postgresql:{version}"
"""Holds `psql`."""
_ASK = 'psql "$DATABASE_URL" --no-psqlrc --tuples-only --no-align --command'
_AWAIT_SERVER = f'until {_ASK} "select 1" >/dev/null 2>&1; do sleep 2; done'
_MARK = (
    'psql "$DATABASE_URL" --no-psqlrc --set ON_ERROR_STOP=1 '
    '--command "create schema if not exists causeway" '
    '--command "create table if not exists causeway.prepared (token text primary key)" '
    "--command \"insert into causeway.prepared values ('$TOKEN') on conflict do nothing\""
)
_IS_MARKED = "select 1 from causeway.prepared where token = '$TOKEN'"
"""The shell puts the token in: a hash."""
_AWAIT_MARK = f'until [ "$({_ASK} "{_IS_MARKED}" 2>/dev/null)" = 1 ]; do sleep 2; done'
STABLE = frozenset(
    {
        *("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"),
        *("app.kubernetes.io/managed-by", "causeway.io/service", "causeway.io/environment", "causeway.io/database"),
        *(VISITOR, SEEDS_FROM),
    }
)
"""Labels that follow from the names of preview and service alone."""
_RESOURCES = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def gated(objects: Iterable[Object], store: Store) -> Iterator[Object]:
    """Yield the objects of a service whose database is prepared by jobs: these become one, and its pods wait for it."""
    objects = tuple(objects)
    jobs = [obj for obj in objects if obj["kind"] == "Job"]
    if not jobs:  # the platform team's templates make none
        yield from objects
        return
    image = _client_image(objects, store)
    token = sha256([image, *(_work(job) for job in jobs)])[:16]
    for obj in objects:
        if obj["kind"] == "Job":
            if obj is jobs[0]:
                yield _prepare(jobs, store, image, token)
        elif obj["kind"] in ("Deployment", "CronJob") and _name(obj) == store.service:
            yield _waiting(obj, store, image, token)
        else:
            yield obj


def _prepare(jobs: list[Object], store: Store, image: str, token: str) -> Object:
    """Return the one Job that does what several would, in their order."""
    first: Any = jobs[0]
    labels = _merged_labels(jobs)
    spec = _spec(first)
    template = spec["template"]
    work = [_init_container(job, number) for number, job in enumerate(jobs)]
    pod = {
        **template["spec"],
        "initContainers": [_client("await-database", image, _AWAIT_SERVER, store, token), *work],
        "containers": [_client("mark", image, _MARK, store, token)],
    }
    # Of a Job that is there, Kubernetes lets nobody change the pods: what may be written otherwise stays out of them.
    metadata = {"labels": {key: value for key, value in labels.items() if key in STABLE}}
    return {
        **first,
        "metadata": {**first["metadata"], "name": cut(f"{store.name}-prepare-{token[:8]}"), "labels": labels},
        "spec": {**spec, "template": {**template, "metadata": metadata, "spec": pod}},
    }


def _init_container(job: Object, number: int) -> dict[str, Any]:
    return {**_work(job), "name": f"step-{number + 1}"}


def _work(job: Object) -> dict[str, Any]:
    (container,) = _spec(job)["template"]["spec"]["containers"]
    return dict(container)


def _merged_labels(jobs: list[Object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for job in jobs:
        found |= _spec(job)["template"]["metadata"]["labels"]
    return found | {"app.kubernetes.io/component": "database-prepare"}


def _waiting(obj: Object, store: Store, image: str, token: str) -> Object:
    """Return a workload whose pods wait first."""
    spec = _spec(obj)
    if obj["kind"] == "CronJob":
        job = spec["jobTemplate"]
        template = _with_gate(job["spec"]["template"], store, image, token)
        return {**obj, "spec": {**spec, "jobTemplate": {**job, "spec": {**job["spec"], "template": template}}}}
    return {**obj, "spec": {**spec, "template": _with_gate(spec["template"], store, image, token)}}


def _with_gate(template: dict[str, Any], store: Store, image: str, token: str) -> dict[str, Any]:
    pod = template["spec"]
    gate = _client("await-database", image, _AWAIT_MARK, store, token)
    return {**template, "spec": {**pod, "initContainers": [gate, *pod.get("initContainers", [])]}}


def _client(name: str, image: str, script: str, store: Store, token: str) -> dict[str, Any]:
    env: list[JSON] = [*variables(store), {"name": "TOKEN", "value": token}]
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "env": env,
        "resources": _RESOURCES,
        "securityContext": _SECURITY,
    }


def _client_image(objects: Iterable[Object], store: Store) -> str:
    """Return the image of the database itself where it runs in the cluster: it is there anyway."""
    for obj in objects:
        if obj["kind"] == "Cluster":
            return str(_spec(obj).get("imageName") or CLIENT_IMAGE.format(version=store.version))
    return CLIENT_IMAGE.format(version=store.version)


def _spec(obj: Object) -> dict[str, Any]:
    spec: Any = obj["spec"]
    return dict(spec)


def _name(obj: Object) -> str:
    metadata: Any = obj["metadata"]
    return str(metadata["name"])
