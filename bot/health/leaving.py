"""Why something that is being deleted is not gone: finalizers, webhooks, parts of the cluster that do not answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.health.reason import Reason
from bot.ports import Object, ObjectRef

RESOURCES: Mapping[str, tuple[str, str]] = {
    "pods": ("v1", "Pod"),
    "services": ("v1", "Service"),
    "configmaps": ("v1", "ConfigMap"),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim"),
    "deployments.apps": ("apps/v1", "Deployment"),
    "replicasets.apps": ("apps/v1", "ReplicaSet"),
    "statefulsets.apps": ("apps/v1", "StatefulSet"),
    "cronjobs.batch": ("batch/v1", "CronJob"),
    "jobs.batch": ("batch/v1", "Job"),
    "ingresses.networking.k8s.io": ("networking.k8s.io/v1", "Ingress"),
    "backups.postgresql.cnpg.io": ("postgresql.cnpg.io/v1", "Backup"),
    "clusters.postgresql.cnpg.io": ("postgresql.cnpg.io/v1", "Cluster"),
    "databases.postgresql.cnpg.io": ("postgresql.cnpg.io/v1", "Database"),
    "poolers.postgresql.cnpg.io": ("postgresql.cnpg.io/v1", "Pooler"),
    "scheduledbackups.postgresql.cnpg.io": ("postgresql.cnpg.io/v1", "ScheduledBackup"),
    "volumesnapshots.snapshot.storage.k8s.io": ("snapshot.storage.k8s.io/v1", "VolumeSnapshot"),
}
"""What a namespace's conditions call a resource, and how it is read."""

WAITS_FOR: Mapping[str, str] = {
    "kubernetes.io/pvc-protection": "a pod still uses it",
    "kubernetes.io/pv-protection": "a claim still uses it",
    "foregroundDeletion": "what belongs to it goes first",
    "service.kubernetes.io/load-balancer-cleanup": "the cloud's load balancer is being removed",
    "finalizer.managedresource.crossplane.io": "Crossplane deletes it in the cloud first",
    "resources-finalizer.argocd.argoproj.io": "Argo CD deletes first what it has made",
}
"""Finalizers that are well known, and what each of them waits for."""

_REMAINING = re.compile(r"(\S+?)\.? has (\d+) resource instances")
_HELD = re.compile(r"(\S+) in (\d+) resource instances")
_WEBHOOK = re.compile(r'failed calling webhook "([^"]{1,253})"')
_GROUP = re.compile(r"([a-z0-9.-]+/v[a-z0-9]+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object that is to go, and what holds it."""

    ref: ObjectRef
    finalizers: tuple[str, ...]
    set_by: Mapping[str, str] = field(default_factory=dict)
    """Finalizer → field manager that has set it, where the server tells."""
    trouble: str = ""
    """What its own conditions say went wrong, where they do."""


def remaining(namespace: Object) -> dict[str, int]:
    """Return how many objects of each resource are left in a namespace that is being deleted, as it says itself."""
    return {name: int(count) for name, count in _REMAINING.findall(_said(namespace, "NamespaceContentRemaining"))}


def finalizers(namespace: Object) -> dict[str, int]:
    """Return finalizer → how many objects it holds, as the namespace says itself."""
    return {name: int(count) for name, count in _HELD.findall(_said(namespace, "NamespaceFinalizersRemaining"))}


def held(obj: Object) -> Held:
    """Return what holds an object. Who has set a finalizer stands in `managedFields`, which `get` tells."""
    metadata: Any = obj.get("metadata") or {}
    ref = ObjectRef(
        str(obj.get("apiVersion")),
        str(obj.get("kind")),
        str(metadata.get("name")),
        str(metadata.get("namespace") or ""),
    )
    names = tuple(str(one) for one in metadata.get("finalizers") or ())
    set_by = {name: who for name in names if (who := _manager_of(metadata, name))}
    return Held(ref=ref, finalizers=names, set_by=set_by, trouble=_trouble(obj))


def why_namespace_stays(namespace: Object, found: Sequence[Held], *, contact: str = "") -> Reason | None:
    """Return why a namespace that is being deleted is not gone; None where it says nothing of it.

    `found` are objects in it that are held. Where several things are wrong, the first is told that keeps all others.
    """
    metadata: Any = namespace.get("metadata") or {}
    name = metadata.get("name")
    if said := _said(namespace, "NamespaceDeletionDiscoveryFailure"):
        return _discovery(f"{name}", said, contact)
    if said := _said(namespace, "NamespaceDeletionContentFailure"):
        return _content(f"{name}", said, contact)
    if found:
        more = sum(remaining(namespace).values()) - 1
        beside = f" ({more} more {'object is' if more == 1 else 'objects are'} left with it)" if more > 0 else ""
        return why_object_stays(found[0], contact=contact, beside=beside)
    if holding := finalizers(namespace):
        told = ", ".join(f"{finalizer} ({count})" for finalizer, count in sorted(holding.items()))
        kinds = ", ".join(sorted(remaining(namespace))) or "something that Causeway may not look at"
        return Reason(
            f"The namespace {name} is not gone: what is left in it ({kinds}) is held by the finalizers {told}.",
            f"Ask {_whom(contact)} which program they belong to and why it does not finish.",
            final=False,
        )
    if left := remaining(namespace):
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
        return Reason(
            f"The namespace {name} is not gone: {told} are still being deleted.",
            f"It goes on by itself; ask {_whom(contact)} where it takes longer than usual.",
        )
    if own := [str(one) for one in metadata.get("finalizers") or ()]:
        return Reason(
            f"The namespace {name} is not gone: it is held by its own finalizer {own[0]}.",
            f"Ask {_whom(contact)} which program it belongs to and why it does not finish.",
        )
    return None


def why_object_stays(one: Held, *, contact: str = "", beside: str = "") -> Reason:
    """Return why an object is not gone."""
    where = f"{one.ref}{beside}"
    if one.trouble:
        return Reason(f"{where} is not gone: {one.trouble}.", f"Ask {_whom(contact)} to mend that; then it goes.")
    if not one.finalizers:
        return Reason(f"{where} is still being deleted.", "It goes on by itself.")
    name = one.finalizers[0]
    if known := WAITS_FOR.get(name):
        return Reason(
            f"{where} is not gone: {known} (finalizer {name}).",
            f"It goes on by itself; ask {_whom(contact)} where it takes longer than usual.",
        )
    who = one.set_by.get(name, "")
    by = f", which {who} has set" if who else ""
    ask = f"whoever runs {who}" if who else _whom(contact)
    return Reason(
        f"{where} is not gone: it is held by the finalizer {name}{by}.",
        f"Ask {ask} why it does not finish. Causeway takes off no finalizer: what it guards might be lost.",
    )


def _discovery(name: str, said: str, contact: str) -> Reason:
    groups = _GROUP.findall(said)
    part = f"the part of the cluster that serves {groups[0]} does not answer" if groups else _short(said)
    return Reason(
        f"The namespace {name} cannot be emptied: {part}, so nobody knows what else is in it.",
        f"Ask {_whom(contact)} to mend or remove that APIService; the deletion goes on by itself then.",
        final=True,
    )


def _content(name: str, said: str, contact: str) -> Reason:
    webhook = _WEBHOOK.search(said)
    if webhook:
        return Reason(
            f"The namespace {name} cannot be emptied: the webhook {webhook[1]}, which has to agree, does not answer.",
            f"Ask {_whom(contact)} to mend or remove it; the deletion goes on by itself then.",
            final=True,
        )
    return Reason(
        f"The namespace {name} cannot be emptied: {_short(said)}.",
        f"Ask {_whom(contact)} to look at it; the cluster tries again by itself.",
    )


def _said(namespace: Object, condition: str) -> str:
    """Return the message of a condition that is true; empty where it is not."""
    status: Any = namespace.get("status") or {}
    for one in status.get("conditions") or ():
        if one.get("type") == condition and one.get("status") == "True":
            return str(one.get("message") or one.get("reason") or "")
    return ""


def _trouble(obj: Object) -> str:
    """Return what a managed resource of Crossplane says of its deletion that does not work."""
    status: Any = obj.get("status") or {}
    for one in status.get("conditions") or ():
        if one.get("type") == "Synced" and one.get("status") == "False" and one.get("message"):
            return _short(str(one["message"]))
    return ""


def _manager_of(metadata: Mapping[str, Any], finalizer: str) -> str:
    for entry in metadata.get("managedFields") or ():
        if f'v:"{finalizer}"' in set(_keys((entry.get("fieldsV1") or {}).get("f:metadata", {}).get("f:finalizers"))):
            return str(entry.get("manager") or "")
    return ""


def _keys(found: Any) -> Iterator[str]:
    yield from found if isinstance(found, Mapping) else ()


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= 200 else f"{line[:199]}…"


def _whom(contact: str) -> str:
    return contact or "the platform team"
