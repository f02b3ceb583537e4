"""Crossplane's core for one composite type of the sample company: claim → composite → what stands for the cache.

A claim is deleted with its composite in the background: it may be gone before the thing in the cloud is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from playground import sample
from playground.kubernetes.controllers.cloudnativepg_parts import secret
from playground.kubernetes.controllers.crossplane import CACHE, SECRET_KIND, connection
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    condition,
    group_of,
    is_going,
    labels_of,
    meta,
    name_of,
    namespace_of,
    owner_reference,
    short_hash,
    spec_of,
    stamp,
    status_of,
    uid_of,
    with_conditions,
)
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

GROUP = sample.COMPOSITES
VERSION = f"{GROUP}/v1alpha1"
CLAIM, COMPOSITE, MANAGED = "CacheInstance", "XCacheInstance", "ReplicationGroup"
OF_CLAIM, OF_COMPOSITE = "finalizer.apiextensions.crossplane.io", "composite.apiextensions.crossplane.io"
LABELS = ("crossplane.io/claim-name", "crossplane.io/claim-namespace", "crossplane.io/composite")
COMPOSITION = "caches-in-aws"
WAITING = "Claim is waiting for composite resource to become Ready"


class Claims:
    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == (GROUP, "cacheinstances"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == (GROUP, "xcacheinstances"):
            claim = spec_of(obj).get("claimRef") or {}
            yield claim.get("namespace", ""), claim.get("name", "")

    def reconcile(self, key: Key) -> Again:
        claim = self._store.get(GROUP, CLAIM, key[0], key[1]) if key[0] else None
        if claim is None:
            return None
        composite = self._composite_of(claim)
        if is_going(claim):
            if composite is not None and not is_going(composite):
                self._store.delete(GROUP, COMPOSITE, "", name_of(composite))
            self._store.release(GROUP, CLAIM, key[0], key[1], OF_CLAIM)
            return None
        if composite is None:
            self._make(claim)
            return None
        self._tell(claim, composite)
        return None

    def _composite_of(self, claim: Object) -> Object | None:
        name = (spec_of(claim).get("resourceRef") or {}).get("name", "")
        return self._store.get(GROUP, COMPOSITE, "", name) if name else None

    def _make(self, claim: Object) -> None:
        name = f"{name_of(claim)}-{short_hash(uid_of(claim), 5)}"
        if OF_CLAIM not in meta(claim).get("finalizers", []):
            meta(claim)["finalizers"] = [*meta(claim).get("finalizers", []), OF_CLAIM]
        reference = {"apiVersion": VERSION, "kind": COMPOSITE, "name": name}
        claim["spec"] = {**spec_of(claim), "resourceRef": reference, "compositionRef": {"name": COMPOSITION}}
        claim = self._store.update(claim, manager="crossplane")
        names = dict(zip(LABELS, (name_of(claim), namespace_of(claim), name), strict=True))
        meaning = {"apiVersion": VERSION, "kind": CLAIM, "name": name_of(claim), "namespace": namespace_of(claim)}
        spec = {
            "parameters": spec_of(claim).get("parameters") or {},
            "claimRef": meaning,
            "compositionRef": {"name": COMPOSITION},
        }
        metadata = {"name": name, "labels": names, "finalizers": [OF_COMPOSITE]}
        self._store.create(
            {"apiVersion": VERSION, "kind": COMPOSITE, "metadata": metadata, "spec": spec}, manager="crossplane"
        )

    def _tell(self, claim: Object, composite: Object) -> None:
        told = condition(status_of(composite), "Ready")
        ready = bool(told and told["status"] == "True")
        status: Object = {}
        if ready and "connectionDetails" not in status_of(claim) and self._publish(claim, composite):
            status["connectionDetails"] = {"lastPublishedTime": stamp(self._clock())}
        conditions = [
            {"type": "Synced", "status": "True", "reason": "ReconcileSuccess"},
            {"type": "Ready", "status": "True", "reason": "Available"}
            if ready
            else {"type": "Ready", "status": "False", "reason": "Waiting", "message": WAITING},
        ]
        status["conditions"] = with_conditions(status_of(claim), conditions, self._clock())
        self._store.patch_status(GROUP, CLAIM, namespace_of(claim), name_of(claim), status)

    def _publish(self, claim: Object, composite: Object) -> bool:
        """Write the connection beside the claim, where that wants it."""
        place = (spec_of(claim).get("writeConnectionSecretToRef") or {}).get("name", "")
        names = [one["name"] for one in spec_of(composite).get("resourceRefs") or []]
        managed = self._store.get(CACHE, MANAGED, "", names[0]) if names else None
        if not place or managed is None:
            return False
        if self._store.get("", "Secret", namespace_of(claim), place) is None:
            values = connection(managed)
            url = f"rediss://{values['username']}:{values['password']}@{values['endpoint']}:{values['port']}/0"
            metadata = {
                "name": place,
                "namespace": namespace_of(claim),
                "ownerReferences": [owner_reference(claim)],
            }
            self._store.create(secret(metadata, {**values, "database": "0", "url": url}, SECRET_KIND))
        return True


class Composites:
    """Composes one thing in the cloud of each composite."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == (GROUP, "xcacheinstances"):
            yield (name_of(change.object),)
        elif resource.key == (CACHE, "replicationgroups") and (above := labels_of(change.object).get(LABELS[2])):
            yield (above,)

    def reconcile(self, key: Key) -> Again:
        composite = self._store.get(GROUP, COMPOSITE, "", key[0])
        if composite is None:
            return None
        if is_going(composite):
            self._store.release(GROUP, COMPOSITE, "", key[0], OF_COMPOSITE)  # what it owns goes with it
            return None
        made = self._composed(composite)
        if not spec_of(composite).get("resourceRefs"):
            reference = {"apiVersion": made["apiVersion"], "kind": made["kind"], "name": name_of(made)}
            composite["spec"] = {**spec_of(composite), "resourceRefs": [reference]}
            composite = self._store.update(composite, manager="crossplane")
        self._tell(composite, [made])
        return None

    def _composed(self, composite: Object) -> Object:
        name = f"{name_of(composite)}-{short_hash(uid_of(composite), 5)}"
        found = self._store.get(CACHE, MANAGED, "", name)
        if found is not None:
            return found
        labels = {key: value for key, value in labels_of(composite).items() if key in LABELS}
        metadata = {"name": name, "labels": labels, "ownerReferences": [owner_reference(composite)]}
        parameters = spec_of(composite).get("parameters") or {}
        wanted = {
            "region": "eu-central-1",
            "engine": parameters.get("engine", "valkey"),
            "cacheNodeType": "cache.t3.micro",
        }
        spec = {"forProvider": wanted, "providerConfigRef": {"name": "default"}, "deletionPolicy": "Delete"}
        return self._store.create(
            {"apiVersion": f"{CACHE}/v1beta1", "kind": MANAGED, "metadata": metadata, "spec": spec},
            manager="crossplane",
        )

    def _tell(self, composite: Object, made: Sequence[Object]) -> None:
        waiting = [name_of(one) for one in made if not _is_ready(one)]
        ready: Object = {"type": "Ready", "status": "True", "reason": "Available"}
        if waiting:
            text = f"Unready resources: {', '.join(waiting)}"
            ready = {"type": "Ready", "status": "False", "reason": "Creating", "message": text}
        conditions = [{"type": "Synced", "status": "True", "reason": "ReconcileSuccess"}, ready]
        status = {"conditions": with_conditions(status_of(composite), conditions, self._clock())}
        self._store.patch_status(group_of(composite), COMPOSITE, "", name_of(composite), status)


def _is_ready(managed: Object) -> bool:
    found = condition(status_of(managed), "Ready")
    return bool(found and found["status"] == "True")
