"""The cluster as the application controller sees it: what belongs to whom, and what an apply would change."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from playground.kubernetes.controllers.objects import (
    Object,
    annotations_of,
    controller_of,
    group_of,
    meta,
    name_of,
    namespace_of,
    owners_of,
    uid_of,
)
from playground.kubernetes.decode import Undecodable
from playground.kubernetes.objects import Change, copied
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError, bad_request
from playground.kubernetes.store import Deletion, Propagation, Store

TRACKING = "argocd.argoproj.io/tracking-id"
MANAGER = "argocd-controller"
REMEMBERED = 10_000
"""How many comparisons are kept: most are asked again and again."""
OWNED: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("apps", "Deployment"): (("apps", "ReplicaSet"),),
    ("apps", "ReplicaSet"): (("", "Pod"),),
    ("batch", "CronJob"): (("batch", "Job"),),
    ("batch", "Job"): (("", "Pod"),),
    ("", "Service"): (("discovery.k8s.io", "EndpointSlice"),),
    ("postgresql.cnpg.io", "Cluster"): (("", "Secret"), ("", "Service")),
}
"""What the objects of a kind may bring forth."""
EMPTY: tuple[object, ...] = (None, {}, [], "")
"""What the cluster may leave out without anybody missing it."""
UNCOMPARED = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Names an object by group, kind, namespace and name, whatever its version."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}/{self.name}"


def key_of(obj: Object) -> Key:
    return Key(group_of(obj), str(obj["kind"]), namespace_of(obj), name_of(obj))


class Live:
    """Objects by the application that they are tracked to, kept up as the cluster changes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tracked: dict[str, set[Key]] = {}
        self._compared: OrderedDict[str, bool] = OrderedDict()

    def start(self, told: Callable[[str], None]) -> None:
        """Find what is tracked; from now on `told` hears the application of every such object that changes."""
        self._told = told
        for resource in self.store.registry.all():
            for obj in self.store.objects.all(resource.key):
                self._note(Change(0, "ADDED", resource.key, obj, None))
        self.store.objects.listen(self._note)

    def close(self) -> None:
        self.store.objects.unlisten(self._note)

    def _note(self, change: Change) -> None:
        now, before = tracked_to(change.object), tracked_to(change.previous) if change.previous else ""
        for application in {now, before} - {""}:
            known = self._tracked.setdefault(application, set())
            if change.what == "DELETED" or application != now:
                known.discard(key_of(change.object))
            else:
                known.add(key_of(change.object))
            self._told(application)
        if change.key == ("", "pods") and change.what != "MODIFIED":
            self._told(self._application_above(change.object))

    def _application_above(self, obj: Object) -> str:
        """Return the application of the topmost owner; nothing where there is none."""
        while owner := controller_of(obj):
            group, _, _ = owner["apiVersion"].rpartition("/")
            above = self.get(Key(group, owner["kind"], namespace_of(obj), owner["name"]))
            if above is None:
                return ""
            obj = above
        return tracked_to(obj)

    def resource(self, group: str, kind: str) -> Resource | None:
        return self.store.registry.find(group, kind)

    def get(self, key: Key) -> Object | None:
        """Return an object as the store has it: shared with all other readers, so copy it before changing it."""
        resource = self.resource(key.group, key.kind)
        return None if resource is None else self.store.objects.get(resource.key, key.namespace, key.name)

    def tracked(self, application: str) -> list[Object]:
        """Return what belongs to an application, but for what such an object has brought forth in turn."""
        found = [self.get(key) for key in sorted(self._tracked.get(application, ()))]
        return [obj for obj in found if obj is not None and not owners_of(obj)]

    def below(self, obj: Object) -> list[Object]:
        """Return what an object owns: pods of a ReplicaSet, slices of a service."""
        kinds = OWNED.get((group_of(obj), obj["kind"]), ())
        found = [one for group, kind in kinds for one in self.store.list(group, kind, namespace_of(obj))]
        return [one for one in found if any(owner["uid"] == uid_of(obj) for owner in owners_of(one))]

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Apply as Argo CD's controller does: server-side, and taking over what others own. Raise `ApiError`."""
        try:
            made, _ = self.store.apply(obj, manager=MANAGER, force=True, dry_run=dry_run)
        except Undecodable as error:
            version = str(obj["apiVersion"]).rpartition("/")[2]
            text = f'{obj["kind"]} in version "{version}" cannot be handled as a {obj["kind"]}: {error}'
            raise bad_request(text) from error
        return made

    def differs(self, target: Object, live: Object) -> bool:
        """Say whether applying the target would change anything, would be refused, or would leave some of it out."""
        wanted, held = comparable(target), comparable(live)
        asked = hashlib.sha256(json.dumps([wanted, held, meta(live).get("managedFields")]).encode()).hexdigest()
        known = self._compared.get(asked)
        if known is None:
            try:
                made = comparable(self.apply(target, dry_run=True))
                known = made != held or leaves_out(wanted, made)
            except ApiError:
                known = True
            self._compared[asked] = known
            if len(self._compared) > REMEMBERED:
                self._compared.popitem(last=False)
        return known

    def delete(self, key: Key, propagation: Propagation) -> None:
        """Deleting what is gone is success."""
        try:
            self.store.delete(key.group, key.kind, key.namespace, key.name, Deletion(propagation=propagation))
        except ApiError as error:
            if error.code != 404:
                raise

    def placed(self, obj: Object, application: str, namespace: str) -> Object:
        """Return a target with its namespace and with the annotation that tracks it."""
        result: Object = copied(obj)
        resource = self.resource(group_of(obj), obj["kind"])
        metadata = result.setdefault("metadata", {})
        if resource is not None and not resource.namespaced:
            metadata.pop("namespace", None)
        elif not metadata.get("namespace"):
            metadata["namespace"] = namespace
        tracking = tracking_id(application, result, namespace)
        metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: tracking}
        result.pop("status", None)
        return result


def tracking_id(application: str, obj: Object, namespace: str) -> str:
    """Return `orders-api-staging:apps/Deployment:orders-api-staging/orders-api`."""
    place = namespace_of(obj) or namespace
    return f"{application}:{group_of(obj)}/{obj['kind']}:{place}/{name_of(obj)}"


def tracked_to(obj: Object) -> str:
    """Return the application that an object is tracked to; nothing for a copy that carries another one's annotation."""
    value = annotations_of(obj).get(TRACKING, "")
    application, _, rest = value.partition(":")
    kind, _, place = rest.partition(":")
    own = kind == f"{group_of(obj)}/{obj['kind']}" and place.rpartition("/")[2] == name_of(obj)
    return application if own and namespace_of(obj) in {"", place.partition("/")[0]} else ""


def comparable(obj: Object) -> Object:
    metadata = {key: value for key, value in meta(obj).items() if key not in UNCOMPARED}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def leaves_out(wanted: Any, made: Any) -> bool:
    """Say whether something that is wanted is not there once made: a field that its kind does not have."""
    if isinstance(wanted, dict) and isinstance(made, dict):
        named = {key: value for key, value in wanted.items() if value not in EMPTY and key != "stringData"}
        return any(key not in made or leaves_out(value, made[key]) for key, value in named.items())
    if isinstance(wanted, list) and isinstance(made, list) and len(wanted) == len(made):
        return any(leaves_out(one, other) for one, other in zip(wanted, made, strict=True))
    return False


def images_of(pods: Iterable[Object]) -> list[str]:
    return sorted({one["image"] for pod in pods for one in (pod.get("spec") or {}).get("containers") or []})
