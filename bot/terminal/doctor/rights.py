"""Which rights Causeway needs in a cluster: those that `manifests/install/` grants, read from there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import yaml

import bot
from bot.ports import Cluster
from bot.terminal.doctor.findings import listed

INSTALL = Path(bot.__file__).resolve().parent.parent / "manifests" / "install"
READ = "account/rbac-read.yaml"
ARGOCD_READ = "base/rbac-argocd-read.yaml"
ARGOCD_WRITE = "components/argocd-write/rbac.yaml"
DIRECT = "components/direct-delivery/rbac.yaml"
DIRECT_CROSSPLANE = "components/direct-delivery-crossplane/rbac.yaml"
DATABASES_AND_PREVIEWS = "components/databases-and-previews/rbac.yaml"
PREVIEWS = "components/previews/rbac.yaml"
DATABASE_ACCESS = "components/database-access/rbac.yaml"
AT_ONCE = 8
"""Questions that a cluster is asked at the same time."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource. `group` is empty for the core API, `namespace` for the whole cluster."""

    group: str
    resource: str
    verb: str
    namespace: str = ""

    @property
    def full_name(self) -> str:
        """`deployments.apps`, as kubectl calls it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def granted(file: str) -> tuple[Right, ...]:
    """Return what the roles of a file of `manifests/install/` allow, each right with its role's own namespace."""
    return tuple(sorted(set(_rights(INSTALL / file))))


def _rights(file: Path) -> Iterator[Right]:
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        if document["kind"] not in ("ClusterRole", "Role"):
            continue
        namespace = document["metadata"].get("namespace", "")
        for rule in document["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    yield from (Right(group, resource, verb, namespace) for verb in rule["verbs"])


def within(rights: Sequence[Right], namespace: str) -> tuple[Right, ...]:
    """Return the same rights, asked of one namespace (of all, when it is empty)."""
    return tuple(replace(right, namespace=namespace) for right in rights)


async def missing(cluster: Cluster, rights: Sequence[Right]) -> tuple[Right, ...]:
    """Return those that the cluster does not give us, as it says itself. Raise what every port raises."""
    room = asyncio.Semaphore(AT_ONCE)

    async def may(right: Right) -> bool:
        async with room:
            # The version makes no difference to RBAC.
            api_version = f"{right.group}/*" if right.group else "v1"
            return await cluster.may(right.verb, api_version, right.resource, namespace=right.namespace)

    answers = await asyncio.gather(*(may(right) for right in rights))
    return tuple(right for right, allowed in zip(rights, answers, strict=True) if not allowed)


def spoken(rights: Sequence[Right]) -> str:
    """Return them as a person says them: `get and list pods, watch deployments.apps`."""
    names = {
        name: [right.verb for right in group] for name, group in groupby(sorted(rights), lambda one: one.full_name)
    }
    by_verbs: dict[tuple[str, ...], list[str]] = {}
    for name, verbs in names.items():
        by_verbs.setdefault(tuple(verbs), []).append(name)
    return ", ".join(f"{listed(verbs)} {listed(resources)}" for verbs, resources in by_verbs.items())
