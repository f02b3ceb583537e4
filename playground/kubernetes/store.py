"""The simulated cluster's objects with the rules of an API server: what the HTTP door and the controllers share.

Contract for in-process controllers (one event loop, no locks):

    store.get("apps", "Deployment", namespace, name)    a copy, or None
    store.list("", "Pod", namespace, labels={…})        copies, by namespace and name; all namespaces with ""
    store.create(obj, manager=…)                        `apiVersion`, `kind` and `metadata` name the place
    store.update(obj, manager=…)                        the whole object, as PUT does; a stale resourceVersion is 409
    store.patch_status(group, kind, namespace, name, {…})   sets these keys of `.status`; no change, no event
    store.delete(group, kind, namespace, name)          as DELETE: finalizers and a Pod's grace period hold it
    store.release(group, kind, namespace, name, finalizer)  drops one finalizer; what waited only for it goes
    store.finalize_namespace(name)                      once a terminating namespace is empty
    store.subscribe([("apps", "Deployment"), …])        `async for what, obj in …`: first ADDED for all that is there

Kinds and plurals serve alike. Refusals are `ApiError`s with the real server's words (`status.py`). What `get`, `list`,
`create` and `update` return belongs to the caller; what a subscription yields is shared: copy it before changing it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from playground.kubernetes.objects import Change, Key, Object, Objects, copied
from playground.kubernetes.registry import Registry, Resource, playground_registry
from playground.kubernetes.status import already_exists, conflict, forbidden, modified, not_found

CONTROLLERS = "kube-controller-manager"
"""Field manager of what happens inside the cluster."""
HISTORY = 10_000
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
Propagation = Literal["Background", "Foreground", "Orphan"]
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
"""Finalizers that ask the garbage collector to work on the dependents first."""


def stamp(moment: datetime) -> str:
    """Write a time as `metadata` does: seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What a DELETE may ask beyond the name."""

    uid: str | None = None
    resource_version: str | None = None
    propagation: Propagation | None = None
    grace_period_s: int | None = None
    dry_run: bool = False


class Subscription(AsyncIterator[tuple[str, Object]]):
    """What happens to some kinds, without a gap: first all that is there, then every change. `close` ends it."""

    def __init__(self, objects: Objects, keys: Sequence[Key]) -> None:
        self._objects = objects
        self._keys = frozenset(keys)
        self._queue: asyncio.Queue[tuple[str, Object] | None] = asyncio.Queue()
        for key in keys:
            for obj in objects.all(key):
                self._queue.put_nowait(("ADDED", obj))
        objects.listen(self._hear)

    def _hear(self, change: Change) -> None:
        if change.key in self._keys:
            self._queue.put_nowait((change.what, change.object))

    async def __anext__(self) -> tuple[str, Object]:
        found = await self._queue.get()
        if found is None:
            raise StopAsyncIteration
        return found

    def close(self) -> None:
        self._objects.unlisten(self._hear)
        self._queue.put_nowait(None)


class Store:
    def __init__(
        self,
        file: Path | None,
        clock: Callable[[], datetime],
        *,
        registry: Registry | None = None,
        history: int = HISTORY,
    ) -> None:
        """`file` is the SQLite file that everything is kept in; without one it ends with the process."""
        self.registry = registry or playground_registry()
        self.clock = clock
        self.objects = Objects(file, history=history)
        for name in NAMESPACES:
            if self.objects.get(("", "namespaces"), "", name) is None:
                self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    @property
    def revision(self) -> int:
        return self.objects.revision

    def get(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        resource = self.registry.resource(group, kind)
        return copied(self.objects.get(resource.key, namespace, name))

    def list(
        self, group: str, kind: str, namespace: str = "", *, labels: Mapping[str, str] | None = None
    ) -> list[Object]:
        wanted = (labels or {}).items()
        found = self.objects.all(self.registry.resource(group, kind).key, namespace)
        return [copied(obj) for obj in found if wanted <= obj["metadata"].get("labels", {}).items()]

    def create(self, obj: Object, *, manager: str = CONTROLLERS, dry_run: bool = False) -> Object:
        resource = self.registry.of(obj)
        made = copied(obj)
        metadata = made.setdefault("metadata", {})
        self._name(metadata)
        self._require_namespace(resource, metadata)
        if self.objects.get(resource.key, metadata.get("namespace", ""), metadata["name"]) is not None:
            raise already_exists(resource, metadata["name"])
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp(self.clock())}
        if resource.counts_generations:
            metadata["generation"] = 1
        if resource.kind == "Namespace":
            made["spec"] = {"finalizers": ["kubernetes"]}
            made["status"] = {"phase": "Active"}
        return copied(made if dry_run else self.objects.put(resource.key, made))

    def _name(self, metadata: dict[str, Any]) -> None:
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]

    def _require_namespace(self, resource: Resource, metadata: Mapping[str, Any]) -> None:
        if not resource.namespaced:
            return
        name = metadata["namespace"]
        found = self.objects.get(("", "namespaces"), "", name)
        if found is None:
            raise not_found(self.registry.resource("", "Namespace"), name)
        if "deletionTimestamp" in found["metadata"]:
            why = f"unable to create new content in namespace {name} because it is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated"}
            raise forbidden(resource, metadata["name"], why, [{**cause, "field": "metadata.namespace"}])

    def update(
        self, obj: Object, *, manager: str = CONTROLLERS, subresource: str = "", dry_run: bool = False
    ) -> Object:
        """Replace an object; with `subresource="status"` only its status."""
        resource = self.registry.of(obj)
        metadata = obj["metadata"]
        old = self._existing(resource, metadata.get("namespace", ""), metadata["name"])
        self._check(resource, old, metadata.get("uid"), metadata.get("resourceVersion"))
        new = self._merged(resource, old, obj, subresource)
        if new == old:
            return copied(old)
        if _wanted(new) != _wanted(old) and resource.counts_generations:
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if dry_run:
            return copied(new)
        return copied(self._kept(resource, new))

    def _existing(self, resource: Resource, namespace: str, name: str) -> Object:
        found = self.objects.get(resource.key, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def _check(self, resource: Resource, old: Object, uid: str | None, version: str | None) -> None:
        held = old["metadata"]
        if uid and uid != held["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {held['uid']}"
            raise conflict(resource, held["name"], why)
        if version and version != held["resourceVersion"]:
            raise modified(resource, held["name"])

    def _merged(self, resource: Resource, old: Object, given: Object, subresource: str) -> Object:
        """Return what the object becomes: a main write leaves the status, a status write everything else."""
        if subresource == "status":
            return {**copied(old), "status": copied(given.get("status", {}))}
        new = copied(given)
        kept = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
        for name in (*kept, "resourceVersion", "managedFields"):
            new["metadata"].pop(name, None)
            if name in old["metadata"]:
                new["metadata"][name] = copied(old["metadata"][name])
        if "status" in resource.subresources:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copied(old["status"])
        return new

    def _kept(self, resource: Resource, new: Object) -> Object:
        """Store a change, unless it was the last thing that a deletion waited for."""
        metadata = new["metadata"]
        waits = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        waits = waits or new.get("spec", {}).get("finalizers") if resource.kind == "Namespace" else waits
        if "deletionTimestamp" in metadata and not waits:
            return self.objects.remove(resource.key, new)
        return self.objects.put(resource.key, new)

    def patch_status(
        self,
        group: str,
        kind: str,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        *,
        manager: str = CONTROLLERS,
    ) -> Object | None:
        """Set these keys of the status, drop those that are None; return the object, or None where it is gone."""
        found = self.get(group, kind, namespace, name)
        if found is None:
            return None
        merged = {**found.get("status", {}), **status}
        found["status"] = {key: value for key, value in merged.items() if value is not None}
        return self.update(found, manager=manager, subresource="status")

    def delete(
        self, group: str, kind: str, namespace: str, name: str, options: Deletion = Deletion()
    ) -> tuple[Object, bool]:
        """Return the object as it was last seen, and whether it is gone already."""
        resource = self.registry.resource(group, kind)
        old = self._existing(resource, namespace, name)
        self._check_preconditions(resource, old, options)
        grace = self._grace(resource, old, options)
        new = copied(old)
        metadata = new["metadata"]
        if options.propagation in {"Foreground", "Orphan"}:
            finalizer = FOREGROUND if options.propagation == "Foreground" else ORPHAN
            if finalizer not in metadata.get("finalizers", []):
                metadata["finalizers"] = [*metadata.get("finalizers", []), finalizer]
        held = metadata.get("finalizers") or (resource.kind == "Namespace" and new["spec"].get("finalizers"))
        if not held and not grace:
            return copied(new if options.dry_run else self.objects.remove(resource.key, new)), True
        self._mark(metadata, grace)
        if resource.kind == "Namespace":
            new["status"] = {**new.get("status", {}), "phase": "Terminating"}
        if options.dry_run or new == old:
            return new, False
        return copied(self.objects.put(resource.key, new)), False

    def _check_preconditions(self, resource: Resource, old: Object, options: Deletion) -> None:
        held = old["metadata"]
        wanted = (("UID", "uid", options.uid), ("ResourceVersion", "resourceVersion", options.resource_version))
        for word, field, value in wanted:
            if value is not None and value != held[field]:
                why = f"{word} in precondition: {value}, {word} in object meta: {held[field]}"
                raise conflict(resource, held["name"], f"Precondition failed: {why}")

    def _grace(self, resource: Resource, old: Object, options: Deletion) -> int:
        """Seconds that a Pod on a node is given to end; whoever plays the node deletes it again with 0."""
        if resource.kind != "Pod" or not old.get("spec", {}).get("nodeName"):
            return 0
        if old.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            return 0
        if options.grace_period_s is not None:
            return options.grace_period_s
        return int(old["spec"].get("terminationGracePeriodSeconds", 30))

    def _mark(self, metadata: dict[str, Any], grace: int) -> None:
        if "deletionTimestamp" in metadata:
            if grace < metadata.get("deletionGracePeriodSeconds", 0):
                metadata["deletionGracePeriodSeconds"] = grace
            return
        metadata["deletionTimestamp"] = stamp(self.clock() + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if metadata.get("generation"):
            metadata["generation"] += 1

    def release(self, group: str, kind: str, namespace: str, name: str, finalizer: str) -> Object | None:
        """Drop one finalizer. Return the object, or None where there is none."""
        found = self.get(group, kind, namespace, name)
        if found is None:
            return None
        left = [word for word in found["metadata"].get("finalizers", []) if word != finalizer]
        found["metadata"].pop("finalizers", None)
        if left:
            found["metadata"]["finalizers"] = left
        return self.update(found)

    def finalize_namespace(self, name: str) -> None:
        """Let a terminating namespace go; the caller has seen that it is empty."""
        resource = self.registry.resource("", "Namespace")
        found = self.get("", "Namespace", "", name)
        if found is not None and "deletionTimestamp" in found["metadata"]:
            found["spec"] = {**found.get("spec", {}), "finalizers": []}
            self._kept(resource, found)

    def subscribe(self, kinds: Sequence[tuple[str, str]]) -> Subscription:
        return Subscription(self.objects, [self.registry.resource(*kind).key for kind in kinds])

    def close(self) -> None:
        self.objects.close()


def _wanted(obj: Object) -> Object:
    """Return what a generation counts: everything but metadata and status."""
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
