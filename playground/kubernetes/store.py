"""The simulated cluster's objects with the rules of an API server: what the HTTP door and the controllers share.

Contract for in-process controllers (one event loop, no locks):

    store.get("apps", "Deployment", namespace, name)    a copy, or None
    store.list("", "Pod", namespace, labels={…})        copies, by namespace and name; all namespaces with ""
    store.create(obj, manager=…)                        `apiVersion`, `kind` and `metadata` name the place
    store.update(obj, manager=…)                        the whole object, as PUT does; a stale resourceVersion is 409
    store.apply(obj, manager=…, force=…)                server-side apply
    store.patch_status(group, kind, namespace, name, {…})   sets these keys of `.status`; no change, no event
    store.delete(group, kind, namespace, name)          as DELETE: finalizers and a Pod's grace period hold it
    store.release(group, kind, namespace, name, finalizer)  drops one finalizer; what waited only for it goes
    store.finalize_namespace(name)                      once a terminating namespace is empty
    store.subscribe([("apps", "Deployment"), …])        `async for what, obj in …`: first ADDED for all that is there

Kinds and plurals serve alike. Refusals are `ApiError`s with the real server's words (`status.py`); a value of the wrong
type is `Undecodable`. What `get`, `list`, `create` and `update` return belongs to the caller; what a subscription
yields is shared: copy it before changing it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from playground.kubernetes import definitions, managed_fields, strategy
from playground.kubernetes.deletion import (
    FOREGROUND,
    ORPHAN,
    Deletion,
    Propagation,
    mark,
    must_wait,
    refuse_others,
    stamp,
)
from playground.kubernetes.objects import Change, Object, Objects, copied
from playground.kubernetes.registry import Registry, Resource, playground_registry
from playground.kubernetes.status import (
    already_exists,
    forbidden,
    invalid,
    invalid_value,
    modified,
    not_found,
    uid_changed,
    uid_of_nobody,
)
from playground.kubernetes.subscription import Subscription

__all__ = ["FOREGROUND", "ORPHAN", "Deletion", "Propagation", "Store", "Subscription", "stamp"]

CONTROLLERS = "kube-controller-manager"
"""Field manager of what happens inside the cluster."""
HISTORY = 10_000
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
PLAINLY = Deletion()
KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields")
"""Metadata that no writer changes."""


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
        for definition in self.objects.all(definitions.KEY):
            self.registry.add(definitions.resource_of(definition))
        self.objects.listen(self._hear_of_definitions)
        for name in NAMESPACES:
            if self.objects.get(("", "namespaces"), "", name) is None:
                self.create(
                    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="kube-apiserver"
                )

    def _hear_of_definitions(self, change: Change) -> None:
        """Serve what a new CustomResourceDefinition names; with an old one, its objects go."""
        if change.key != definitions.KEY:
            return
        resource = definitions.resource_of(change.object)
        if change.what != "DELETED":
            self.registry.add(resource)
            return
        for obj in self.objects.all(resource.key):
            self.objects.remove(resource.key, obj)
        self.registry.remove(resource)

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
        new = strategy.defaulted(resource, strategy.decoded(resource, obj)[0])
        write = self._write(resource, manager, managed_fields.UPDATE)
        owners = managed_fields.owners_of(managed_fields.updated(write, strategy.nothing(resource), new))
        self._prepare_new(resource, new)
        return self._created(resource, managed_fields.with_owners(new, owners), dry_run=dry_run)

    def _prepare_new(self, resource: Resource, new: Object) -> None:
        """Make a new object what it becomes, in place. Raise what the real server refuses, in its order."""
        metadata = new["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = strategy.generated_name(metadata["generateName"])
        self._require_namespace(resource, metadata)
        for name in (*KEPT, "resourceVersion", "selfLink"):
            metadata.pop(name, None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp(self.clock())}
        if resource.counts_generations:
            metadata["generation"] = 1
        strategy.defaulted(resource, new)
        strategy.prepare_new(resource, new, lambda: self.objects.all(resource.key))
        strategy.refuse_mistakes(resource, new)
        there = self.objects.get(resource.key, metadata.get("namespace", ""), metadata["name"])
        if there is not None:
            raise already_exists(resource, metadata["name"], going="deletionTimestamp" in there["metadata"])

    def _created(self, resource: Resource, new: Object, *, dry_run: bool) -> Object:
        if dry_run:
            return new
        stored = self.objects.put(resource.key, new)
        if resource.key == definitions.KEY:
            status = definitions.established(new, stamp(self.clock()))
            self.objects.put(resource.key, {**stored, "status": status})
        return copied(stored)

    def _write(self, resource: Resource, name: str, operation: str, subresource: str = "") -> managed_fields.Write:
        version = resource.api_version
        return managed_fields.Write(
            shape=strategy.shape_of(resource),
            owner=managed_fields.manager(name, operation, version, subresource),
            api_version=version,
            now=None if subresource == "scale" else stamp(self.clock()),
            ignored=strategy.ignored(resource, subresource),
        )

    def _require_namespace(self, resource: Resource, metadata: Mapping[str, Any]) -> None:
        name = metadata.get("namespace")
        if not resource.namespaced or not name:
            return
        found = self.objects.get(("", "namespaces"), "", name)
        if found is None:
            raise not_found(self.registry.resource("", "Namespace"), name)
        if "deletionTimestamp" in found["metadata"]:
            why = f"unable to create new content in namespace {name} because it is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated"}
            raise forbidden(resource, metadata.get("name", ""), why, [{**cause, "field": "metadata.namespace"}])

    def update(
        self,
        obj: Object,
        *,
        manager: str = CONTROLLERS,
        subresource: str = "",
        dry_run: bool = False,
        inside: bool = True,
    ) -> Object:
        """Replace an object; with `subresource="status"` only its status.

        `inside` is a part of the cluster at work: the scheduler, which alone may bind a Pod to its node.
        """
        resource = self.registry.of(obj)
        given, _ = strategy.decoded(resource, obj)
        metadata = given["metadata"]
        old = self._existing(resource, metadata.get("namespace", ""), metadata.get("name", ""))
        if not inside and not subresource and not metadata.get("resourceVersion") and strategy.needs_version(resource):
            cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(resource, metadata["name"], [cause], kind=resource.plural)
        if metadata.get("uid") and metadata["uid"] != old["metadata"]["uid"]:
            raise uid_changed(resource, old, metadata["uid"])
        new = self._changed(resource, old, given, subresource, inside=inside)
        write = self._write(resource, manager, managed_fields.UPDATE, subresource)
        return self._updated(resource, old, managed_fields.updated(write, old, new), dry_run=dry_run)

    def patch(
        self,
        resource: Resource,
        old: Object,
        new: Object,
        *,
        manager: str,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Store what a patch has made of `old`; unlike a replacement it cannot name another uid."""
        given, _ = strategy.decoded(resource, new)
        changed = self._changed(resource, old, given, subresource, inside=False)
        write = self._write(resource, manager, managed_fields.UPDATE, subresource)
        return self._updated(resource, old, managed_fields.updated(write, old, changed), dry_run=dry_run)

    def _changed(self, resource: Resource, old: Object, given: Object, subresource: str, *, inside: bool) -> Object:
        """Return what the object becomes. Raise what the real server refuses, in its order."""
        version = given["metadata"].get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise modified(resource, old["metadata"]["name"])
        if subresource == "status":
            new = {**copied(old), "status": copied(given.get("status", {}))}
            if "status" not in given and resource.custom:
                new.pop("status")
            strategy.refuse_mistakes(resource, new)
            return new
        new = self._main(resource, old, given)
        strategy.defaulted(resource, new)
        strategy.prepare_change(resource, old, new)
        before = old
        if inside and resource.kind == "Pod" and "nodeName" not in old["spec"] and "nodeName" in new["spec"]:
            before = {**old, "spec": {**old["spec"], "nodeName": new["spec"]["nodeName"]}}
        strategy.refuse_mistakes(resource, new, before)
        return new

    def _main(self, resource: Resource, old: Object, given: Object) -> Object:
        """A write through the main door leaves the status, and metadata that the server keeps itself."""
        new = copied(given)
        for name in (*KEPT, "resourceVersion"):
            if name == "uid" and new["metadata"].get("uid"):
                continue  # another one is refused
            new["metadata"].pop(name, None)
            if name in old["metadata"]:
                new["metadata"][name] = copied(old["metadata"][name])
        if "status" in resource.subresources:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copied(old["status"])
        if resource.kind == "Namespace":
            new["spec"] = copied(old["spec"])
        return new

    def _updated(self, resource: Resource, old: Object, new: Object, *, dry_run: bool) -> Object:
        if _without_times(new) == _without_times(old):
            return copied(old)
        if resource.counts_generations and _wanted(new) != _wanted(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if dry_run:
            return copied(new)
        return copied(self._kept(resource, new))

    def apply(
        self, obj: Object, *, manager: str, force: bool = False, subresource: str = "", dry_run: bool = False
    ) -> tuple[Object, bool]:
        """Server-side apply. Return what became of the object, and whether it is new."""
        resource = self.registry.of(obj)
        metadata = obj.get("metadata") or {}
        old = self.objects.get(resource.key, metadata.get("namespace", ""), metadata.get("name", ""))
        write = self._write(resource, manager, managed_fields.APPLY, subresource)
        if old is None:
            self._require_namespace(resource, metadata)
            merged = managed_fields.applied(write, None, obj, force=force)
            owners = managed_fields.owners_of(merged)
            new, _ = strategy.decoded(resource, managed_fields.without_managed_fields(merged))
            if metadata.get("uid"):
                raise uid_of_nobody(resource, metadata["name"], metadata["uid"])
            self._prepare_new(resource, new)
            return self._created(resource, managed_fields.with_owners(new, owners), dry_run=dry_run), True
        merged = managed_fields.applied(write, old, obj, force=force)
        owners = managed_fields.owners_of(merged)
        new, _ = strategy.decoded(resource, managed_fields.without_managed_fields(merged))
        changed = self._changed(resource, old, new, subresource, inside=False)
        return self._updated(resource, old, managed_fields.with_owners(changed, owners), dry_run=dry_run), False

    def _existing(self, resource: Resource, namespace: str, name: str) -> Object:
        found = self.objects.get(resource.key, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def _kept(self, resource: Resource, new: Object) -> Object:
        """Store a change, unless it was the last thing that a deletion waited for."""
        if "deletionTimestamp" in new["metadata"] and not must_wait(resource, new):
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
        self, group: str, kind: str, namespace: str, name: str, options: Deletion = PLAINLY
    ) -> tuple[Object, bool]:
        """Return the object as it was last seen, and whether it is gone already."""
        resource = self.registry.resource(group, kind)
        old = self._existing(resource, namespace, name)
        refuse_others(resource, old, options)
        new = mark(resource, old, options, self.clock())
        if not must_wait(resource, new):
            return copied(new if options.dry_run else self.objects.remove(resource.key, new)), True
        if options.dry_run or new == old:
            return new, False
        return copied(self.objects.put(resource.key, new)), False

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

    def finalize_namespace(self, name: str, finalizers: Sequence[str] = ()) -> Object | None:
        """Let a terminating namespace go; the caller has seen that it is empty."""
        resource = self.registry.resource("", "Namespace")
        found = self.get("", "Namespace", "", name)
        if found is None:
            return None
        found["spec"] = {**found.get("spec", {}), "finalizers": [*finalizers]}
        return copied(self._kept(resource, found))

    def subscribe(self, kinds: Sequence[tuple[str, str]]) -> Subscription:
        return Subscription(self.objects, [self.registry.resource(*kind).key for kind in kinds])

    def close(self) -> None:
        self.objects.close()


def _wanted(obj: Object) -> Object:
    """Return what a generation counts: everything but metadata and status."""
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}}


def _without_times(obj: Object) -> Object:
    """Leave out when somebody came to own what: that alone is no change."""
    entries = obj["metadata"].get("managedFields", ())
    bare = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return {**obj, "metadata": {**obj["metadata"], "managedFields": sorted(bare, key=str)}}
