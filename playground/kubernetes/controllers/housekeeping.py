"""Namespaces that begin and end, and objects whose owners are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    meta,
    name_of,
    namespace_of,
    owners_of,
    status_of,
    uid_of,
    with_conditions,
)
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import FOREGROUND, ORPHAN, Deletion, Propagation, Store

LOOK_S = 0.05
"""How often a namespace that is going is looked at, in real seconds."""


class Namespaces:
    """What every namespace holds from the start; and its end, which waits for the finalizers of what is in it."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == ("", "namespaces") and change.what != "DELETED":
            yield (name_of(change.object),)

    def reconcile(self, key: Key) -> Again:
        namespace = self._store.get("", "Namespace", "", key[0])
        if namespace is None:
            return None
        if not is_going(namespace):
            self._furnish(key[0])
            return None
        left = self._empty(key[0])
        if not left:
            self._store.finalize_namespace(key[0])
            return None
        self._store.patch_status("", "Namespace", "", key[0], {"conditions": self._remaining(namespace, left)})
        return LOOK_S

    def _furnish(self, name: str) -> None:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
        if self._store.get("", "ServiceAccount", name, "default") is None:
            self._store.create(account)

    def _empty(self, name: str) -> dict[str, list[Object]]:
        """Delete all content; return what is still there, by resource."""
        left: dict[str, list[Object]] = {}
        for resource in self._store.registry.all():
            if not resource.namespaced or resource.virtual:
                continue
            for obj in self._store.objects.all(resource.key, name):
                gone = False
                if not is_going(obj):
                    _, gone = self._store.delete(
                        resource.group, resource.kind, name, name_of(obj), Deletion(propagation="Background")
                    )
                if not gone:
                    left.setdefault(resource.qualified, []).append(obj)
        return left

    def _remaining(self, namespace: Object, left: Mapping[str, list[Object]]) -> list[Object]:
        counted = ", ".join(f"{kind}. has {len(found)} resource instances" for kind, found in sorted(left.items()))
        content = {
            "type": "NamespaceContentRemaining",
            "status": "True",
            "reason": "SomeResourcesRemain",
            "message": f"Some resources are remaining: {counted}",
        }
        held: dict[str, int] = {}
        for found in left.values():
            for obj in found:
                for finalizer in meta(obj).get("finalizers") or []:
                    held[finalizer] = held.get(finalizer, 0) + 1
        waiting = {
            "type": "NamespaceFinalizersRemaining",
            "status": "True" if held else "False",
            "reason": "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
            "message": "Some content in the namespace has finalizers remaining: "
            + ", ".join(f"{name} in {count} resource instances" for name, count in sorted(held.items()))
            if held
            else "All content-preserving finalizers finished",
        }
        return with_conditions(status_of(namespace), [content, waiting], self._clock())


class GarbageCollector:
    """Deletes what all owners of are gone, and does what the finalizers of foreground and orphaning deletion ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dependents: dict[str, set[Key]] = {}
        """Owner's uid → its dependents."""

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        key = (*resource.key, namespace_of(obj), name_of(obj))
        for owner in owners_of(obj):
            known = self._dependents.setdefault(owner["uid"], set())
            if change.what == "DELETED":
                known.discard(key)
                yield self._place(owner, namespace_of(obj))
            else:
                known.add(key)
        if change.what == "DELETED":
            yield from self._dependents.pop(uid_of(obj), set())
        elif owners_of(obj) or is_going(obj):
            yield key

    def _place(self, owner: Object, namespace: str) -> Key:
        group, _, _ = owner["apiVersion"].rpartition("/")
        resource = self._store.registry.find(group, owner["kind"])
        if resource is None:
            return (group, owner["kind"], namespace, owner["name"])
        return (*resource.key, namespace if resource.namespaced else "", owner["name"])

    def reconcile(self, key: Key) -> Again:
        group, plural, namespace, name = key
        if self._store.registry.find(group, plural) is None:
            return None
        obj = self._store.get(group, plural, namespace, name)
        if obj is None:
            return None
        if is_going(obj):
            self._work_off(group, plural, obj)
        elif owners_of(obj):
            self._check_owners(group, plural, obj)
        return None

    def _check_owners(self, group: str, plural: str, obj: Object) -> None:
        """Delete an orphan; take absent owners off what has others."""
        solid = [owner for owner in owners_of(obj) if self._exists(owner, namespace_of(obj))]
        if not solid:
            self._store.delete(
                group, plural, namespace_of(obj), name_of(obj), Deletion(uid=uid_of(obj), propagation="Background")
            )
        elif len(solid) < len(owners_of(obj)):
            meta(obj)["ownerReferences"] = solid
            self._store.update(obj)

    def _exists(self, owner: Object, namespace: str) -> bool:
        place = self._place(owner, namespace)
        if self._store.registry.find(place[0], place[1]) is None:
            return False
        found = self._store.get(place[0], place[1], place[2], place[3])
        return found is not None and uid_of(found) == owner["uid"]

    def _work_off(self, group: str, plural: str, obj: Object) -> None:
        finalizers = meta(obj).get("finalizers") or []
        dependents = self._living_dependents(obj)
        if ORPHAN in finalizers:
            for key, dependent in dependents:
                owners = [owner for owner in owners_of(dependent) if owner["uid"] != uid_of(obj)]
                meta(dependent)["ownerReferences"] = owners
                self._store.update(dependent)
                self._dependents.get(uid_of(obj), set()).discard(key)
            self._store.release(group, plural, namespace_of(obj), name_of(obj), ORPHAN)
        elif FOREGROUND in finalizers:
            self._delete_first(obj, dependents)
            blocking = any(_blocks(obj, dependent) for _, dependent in self._living_dependents(obj))
            if not blocking:
                self._store.release(group, plural, namespace_of(obj), name_of(obj), FOREGROUND)

    def _delete_first(self, obj: Object, dependents: Iterable[tuple[Key, Object]]) -> None:
        for (group, plural, namespace, name), dependent in dependents:
            if not is_going(dependent):
                propagation: Propagation = "Foreground" if _blocks(obj, dependent) else "Background"
                self._store.delete(
                    group, plural, namespace, name, Deletion(uid=uid_of(dependent), propagation=propagation)
                )

    def _living_dependents(self, obj: Object) -> list[tuple[Key, Object]]:
        found = [(key, self._store.get(*key)) for key in sorted(self._dependents.get(uid_of(obj), set()))]
        return [(key, dependent) for key, dependent in found if dependent is not None]


def _blocks(owner: Object, dependent: Object) -> bool:
    return any(
        reference["uid"] == uid_of(owner) and reference.get("blockOwnerDeletion") for reference in owners_of(dependent)
    )
