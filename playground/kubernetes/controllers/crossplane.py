"""Crossplane's provider: managed resources that stand for things in a cloud, from creation to their deletion there.

Each has the provider's finalizer and, as an annotation, its name in the cloud. A resource that is refused stays
`Synced=False` with the cloud's words. A deleted one goes only when the cloud has let go of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from playground.kubernetes.controllers import cloud
from playground.kubernetes.controllers.cloudnativepg_parts import secret, secret_text
from playground.kubernetes.controllers.containers import STEP_S
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    annotations_of,
    group_of,
    is_going,
    labels_of,
    meta,
    name_of,
    owner_reference,
    spec_of,
    stamp,
    status_of,
    uid_of,
    with_conditions,
)
from playground.kubernetes.controllers.orders import READY, Orders
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

AWS, CACHE, CONFIG = "database.aws.crossplane.io", "cache.aws.crossplane.io", "aws.crossplane.io"
MANAGED = {(AWS, "rdsinstances"): "RDSInstance", (CACHE, "replicationgroups"): "ReplicationGroup"}
FINALIZER = "finalizer.managedresource.crossplane.io"
EXTERNAL_NAME = "crossplane.io/external-name"
SECRET_KIND = "connection.crossplane.io/v1alpha1"  # noqa: S105  # a type, no secret
CREATING, AVAILABLE, DELETING = "creating", "available", "deleting"
AGAIN_S = 0.2
"""How soon what was refused is tried again: a real provider takes a minute."""


class ManagedResources:
    """`orders` says which of them stay stuck or are refused."""

    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder, orders: Orders) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder
        self._orders = orders
        self._in_cloud: dict[str, Object] = {}
        """By uid: what the cloud was told last. A deletion tells it nothing more."""

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key in MANAGED:
            yield (*resource.key, name_of(change.object))
        elif resource.key == (CONFIG, "providerconfigs"):
            for key in MANAGED:
                for found in self._store.objects.all(key):
                    yield (*key, name_of(found))

    def reconcile(self, key: Key) -> Again:
        group, plural, name = key
        found = self._store.get(group, plural, "", name)
        if found is None:
            return None
        config = (spec_of(found).get("providerConfigRef") or {}).get("name", "default")
        if self._store.get(CONFIG, "ProviderConfig", "", config) is None:
            why = f'cannot get referenced ProviderConfig: ProviderConfig.{CONFIG} "{config}" not found'
            return self._refuse(found, "CannotConnectToProvider", f"connect failed: {why}")
        return self._delete(found) if is_going(found) else self._advance(self._known(found))

    def _known(self, found: Object) -> Object:
        """Put on the finalizer and the name in the cloud, as the provider does first of all."""
        finalizers = meta(found).get("finalizers") or []
        if FINALIZER in finalizers and annotations_of(found).get(EXTERNAL_NAME):
            return found
        meta(found)["finalizers"] = [*finalizers, *([] if FINALIZER in finalizers else [FINALIZER])]
        now = {"crossplane.io/external-create-pending": stamp(self._clock())}
        meta(found)["annotations"] = {EXTERNAL_NAME: name_of(found), **now, **annotations_of(found)}
        return self._store.update(found, manager="crossplane-provider")

    def _advance(self, found: Object) -> Again:
        state, message = self._order(found)
        if state != READY and (state == "failed" or message):
            return self._refuse(found, "CannotCreateExternalResource", f"create failed: {message or cloud.NO_ROOM}")
        if why := cloud.refusal(found):
            return self._refuse(found, "CannotCreateExternalResource", f"create failed: {why}")
        self._in_cloud[uid_of(found)] = dict(spec_of(found).get("forProvider") or {})
        if cloud.state_of(found) != AVAILABLE:
            if cloud.state_of(found) is None or state != READY:
                self._tell(found, CREATING, "False", "Creating")
                return None if state != READY else STEP_S
            if why := self._connect(found):
                return self._refuse(found, "CannotPublishConnectionDetails", why)
        self._tell(found, AVAILABLE, "True", "Available")
        return None

    def _order(self, found: Object) -> tuple[str, str]:
        """Return what was ordered for it, or for the claim that it was made for."""
        thing = found
        labels = labels_of(found)
        if name := labels.get("crossplane.io/claim-name"):
            thing = {"metadata": {"name": name, "namespace": labels["crossplane.io/claim-namespace"]}}
        return self._orders.state(thing), self._orders.message(thing)

    def _delete(self, found: Object) -> Again:
        if FINALIZER not in (meta(found).get("finalizers") or []):
            return None
        if spec_of(found).get("deletionPolicy", "Delete") == "Orphan" or cloud.state_of(found) is None:
            return self._release(found)
        told: Object = self._in_cloud.get(uid_of(found)) or spec_of(found).get("forProvider") or {}
        if why := cloud.deletion_refusal(told, found):
            return self._refuse(found, "CannotDeleteExternalResource", f"delete failed: {why}")
        if cloud.state_of(found) != DELETING:
            self._tell(found, DELETING, "False", "Deleting")
            return STEP_S
        return self._release(found)

    def _release(self, found: Object) -> Again:
        self._in_cloud.pop(uid_of(found), None)
        self._store.release(group_of(found), found["kind"], "", name_of(found), FINALIZER)
        return None

    def _refuse(self, found: Object, reason: str, why: str) -> Again:
        self._recorder.record(found, reason, why, "Warning", component=f"managed/{found['kind'].lower()}")
        synced = {"type": "Synced", "status": "False", "reason": "ReconcileError", "message": why}
        ready = {"type": "Ready", "status": "False", "reason": "Creating"}
        there = [one["type"] for one in status_of(found).get("conditions") or []]
        wanted = [synced] if "Ready" in there else [ready, synced]
        self._write(found, {"conditions": with_conditions(status_of(found), wanted, self._clock())})
        return AGAIN_S

    def _tell(self, found: Object, state: str, ready: str, reason: str) -> None:
        seen = {"observedGeneration": meta(found).get("generation", 1)}
        conditions: list[Object] = [
            {"type": "Ready", "status": ready, "reason": reason, **seen},
            {"type": "Synced", "status": "True", "reason": "ReconcileSuccess", **seen},
        ]
        at: Object = {"dbInstanceStatus": state} if found["kind"] == "RDSInstance" else {"status": state}
        if state == AVAILABLE:
            at |= {"endpoint": {"address": cloud.address(found), "port": cloud.port(found)}}
        before = status_of(found)
        status = {
            "atProvider": {**(before.get("atProvider") or {}), **at},
            "conditions": with_conditions(before, conditions, self._clock()),
        }
        self._write(found, status)

    def _write(self, found: Object, status: Mapping[str, object]) -> None:
        fresh = self._store.get(group_of(found), found["kind"], "", name_of(found))
        if fresh is not None and {**status_of(fresh), **status} != status_of(fresh):
            self._store.patch_status(group_of(found), found["kind"], "", name_of(found), status)

    def _connect(self, found: Object) -> str:
        """Write the connection; return why that cannot be."""
        place = spec_of(found).get("writeConnectionSecretToRef")
        if not place:
            return ""
        if self._store.get("", "Namespace", "", place["namespace"]) is None:
            lead = "cannot publish connection details: cannot create or update connection secret"
            return f'{lead}: namespaces "{place["namespace"]}" not found'
        if self._store.get("", "Secret", place["namespace"], place["name"]) is None:
            metadata = {
                "name": place["name"],
                "namespace": place["namespace"],
                "ownerReferences": [owner_reference(found)],
            }
            self._store.create(secret(metadata, connection(found), SECRET_KIND))
        return ""


def connection(found: Object) -> dict[str, str]:
    """Return what a resource's connection Secret holds."""
    wanted = spec_of(found).get("forProvider") or {}
    return {
        "username": str(wanted.get("masterUsername", "default")),
        "password": secret_text(found),
        "endpoint": cloud.address(found),
        "port": str(cloud.port(found)),
    }
