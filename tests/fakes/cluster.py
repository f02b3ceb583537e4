"""A Kubernetes cluster in memory, or in one JSON file so that it outlives its process. As strict as the real one where
effects care: kinds are known or not, a namespace must be there, fields have owners, a `uid` must be the one.

It has no controllers and no schemas: what those do, tests in `tests/peers/cluster` see on a real control plane.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.errors import Conflict, Invalid, Mistake, NotFound
from bot.ports import FIELD_MANAGER, Change, Object, ObjectRef
from tests.fakes import fields
from tests.fakes.cluster_watch import Scope, Watch, ref_of
from tests.fakes.faults import Faults, call

State = dict[str, Any]
BEGAN = "2026-06-01T09:00:00Z"

NAMESPACED = {
    "v1": (
        *("ConfigMap", "Event", "LimitRange", "PersistentVolumeClaim", "Pod"),
        *("ResourceQuota", "Secret", "Service", "ServiceAccount"),
    ),
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "policy/v1": ("PodDisruptionBudget",),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding"),
    "monitoring.coreos.com/v1": ("PrometheusRule", "ServiceMonitor"),
    "argoproj.io/v1alpha1": ("Application", "AppProject"),
    "postgresql.cnpg.io/v1": ("Backup", "Cluster", "Database", "Pooler", "ScheduledBackup"),
    "platform.company.io/v1": ("WebService",),
    "platform.acme.example/v1alpha1": ("CacheInstance",),
    "snapshot.storage.k8s.io/v1": ("VolumeSnapshot",),
    "externaldns.k8s.io/v1alpha1": ("DNSEndpoint",),
}
CLUSTER_WIDE = {
    "v1": ("Namespace", "Node", "PersistentVolume"),
    "snapshot.storage.k8s.io/v1": ("VolumeSnapshotContent",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding"),
    "apiextensions.k8s.io/v1": ("CustomResourceDefinition",),
    "database.aws.crossplane.io/v1beta1": ("RDSInstance",),
    "cache.aws.crossplane.io/v1beta1": ("ReplicationGroup",),
    "storage.k8s.io/v1": ("StorageClass",),
    "platform.acme.example/v1alpha1": ("XCacheInstance",),
}


class FakeCluster:
    """Implements `bot.ports.Cluster`. `namespaces` are there from the start."""

    def __init__(self, name: str = "default", file: Path | None = None, *, namespaces: Iterable[str] = ()) -> None:
        self.faults = Faults()
        self.denied: set[tuple[str, str]] = set()
        """What `may` says no to: verb and resource."""
        self.logs: dict[tuple[str, str], Sequence[str]] = {}
        """Lines by namespace and pod."""
        self.held: set[ObjectRef] = set()
        """What a deletion only marks, as finalizers would, until `release`."""
        self._name = name
        self._file = file
        self._state: State = {"next": 1, "objects": {}}
        self._watches: list[Watch] = []
        self._problem = ""
        for namespace in namespaces:
            if self.find(_namespace(namespace)) is None:
                self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    def refuse(self, method: str, error: Exception, *, times: int = 1, skip: int = 0) -> None:
        self.faults.refuse(method, error, times=times, skip=skip)

    def lose_call_before(self, method: str, *, times: int = 1, skip: int = 0) -> None:
        self.faults.lose_call_before(method, times=times, skip=skip)

    def lose_answer_after(self, method: str, *, times: int = 1, skip: int = 0) -> None:
        self.faults.lose_answer_after(method, times=times, skip=skip)

    @property
    def calls(self) -> list[str]:
        return self.faults.calls

    @property
    def name(self) -> str:
        return self._name

    # --- what tests look at and do behind the bot's back

    @property
    def namespaces(self) -> set[str]:
        return {ref.name for ref in self.refs() if ref.kind == "Namespace"}

    def refs(self) -> list[ObjectRef]:
        return sorted(ref_of(one["object"]) for one in self._load()["objects"].values())

    def find(self, ref: ObjectRef) -> Any:
        """Return the object as it is, or None."""
        found = self._load()["objects"].get(_key(ref))
        return None if found is None else _told(found)

    def world(self) -> State:
        """Return everything that a person could see, without ids and versions, for comparing before and after."""
        told = {str(ref_of(one["object"])): _told(one) for one in self._load()["objects"].values()}
        for obj in told.values():
            for field in ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"):
                obj["metadata"].pop(field, None)
        return told

    def put(self, obj: Object, *, manager: str = "somebody") -> Any:
        """Create or change as somebody else would: their fields win, and `status` is taken as well."""
        state = self._load()
        self._write(state, json.loads(json.dumps(obj)), manager, forced=True)
        self._save(state)
        return self.find(ref_of(obj))

    def remove(self, ref: ObjectRef) -> None:
        """Delete as somebody else would."""
        state = self._load()
        self._delete(state, ref)
        self._save(state)

    def release(self, ref: ObjectRef) -> None:
        """Let go what a deletion has only marked."""
        self.held.discard(ref)
        found = self.find(ref)
        if found is not None and "deletionTimestamp" in found["metadata"]:
            self.remove(ref)

    def lose_watches(self, problem: str = "The cluster `default` cannot be reached.") -> None:
        self._problem = problem
        for watch in self._watches:
            watch.tell(Change("lost", problem=problem))

    def mend_watches(self) -> None:
        """Let watches see again: everything that is there is told once more, and what has gone meanwhile."""
        self._problem = ""
        for watch in self._watches:
            watch.begin(self._all())

    # --- the port

    @call
    async def get(self, ref: ObjectRef) -> Object | None:
        _known(ref.api_version, ref.kind)
        found: Object | None = self.find(ref)
        return found

    @call
    async def exists(self, ref: ObjectRef) -> bool:
        _known(ref.api_version, ref.kind)
        return self.find(ref) is not None

    @call
    async def list(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        _known(api_version, kind)
        scope = Scope(api_version, kind, namespace, dict(labels or {}))
        return [obj for obj in self._all() if scope.holds(obj)]

    async def scan(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> AsyncIterator[Object]:
        for obj in await self.list(api_version, kind, namespace=namespace, labels=labels):
            yield {key: obj[key] for key in ("apiVersion", "kind", "metadata")}

    @call
    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        state = json.loads(json.dumps(self._load()))
        wanted = {key: part for key, part in json.loads(json.dumps(obj)).items() if key != "status"}
        changed = self._write(state, wanted, FIELD_MANAGER, over=over)
        if changed and not dry_run:
            self._save(state)
        became: Object = _told(state["objects"][_key(ref_of(obj))])
        return became

    @call
    async def delete(self, ref: ObjectRef, *, uid: str | None = None) -> bool:
        _known(ref.api_version, ref.kind)
        found = self.find(ref)
        if found is None:
            return False
        if uid is not None and found["metadata"]["uid"] != uid:
            raise Conflict(f"{ref} is another object now than the one that was meant.")
        self.remove(ref)
        return True

    async def watch(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        name: str = "",
    ) -> AsyncIterator[Change]:
        watch = Watch(Scope(api_version, kind, namespace, dict(labels or {}), name))
        if self._problem:
            watch.tell(Change("lost", problem=self._problem))
        else:
            watch.begin(self._all())
        self._watches.append(watch)
        try:
            while True:
                yield await watch.changes.get()
        finally:
            self._watches.remove(watch)

    @call
    async def log_tail(
        self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False
    ) -> tuple[str, ...]:
        if self.find(ObjectRef("v1", "Pod", pod, namespace)) is None:
            raise NotFound(f"The cluster `{self._name}` has no Pod {pod} in {namespace}.")
        return tuple(self.logs.get((namespace, pod), ()))[-lines:]

    @call
    async def may(self, verb: str, api_version: str, resource: str, *, namespace: str = "") -> bool:
        return (verb, resource) not in self.denied

    @call
    async def version(self) -> str:
        return "v1.37.2"

    # --- server-side apply and deletion

    def _write(self, state: State, obj: Any, manager: str, *, forced: bool = False, over: Collection[str] = ()) -> bool:
        """Let `manager` own what `obj` says; say whether anything changed."""
        ref = ref_of(obj)
        self._admit(state, ref)
        stored = state["objects"].get(_key(ref))
        if stored is None:
            stored = state["objects"][_key(ref)] = {"object": _newborn(state, ref), "owners": {}}
        before = json.dumps(stored, sort_keys=True)
        old, wanted = fields.owned(stored["object"]), fields.owned(obj)
        owners = {who: {_path(path) for path in paths} for who, paths in stored["owners"].items()}
        _settle(ref, old, wanted, owners, manager, forced=forced, over=over)
        content = fields.build(old) if old else {}
        status = obj.get("status", stored["object"].get("status"))
        stored["object"] = _whole(stored["object"], content, status)
        stored["owners"] = {who: sorted(map(list, paths), key=repr) for who, paths in sorted(owners.items()) if paths}
        if json.dumps(json.loads(json.dumps(stored)), sort_keys=True) == before:
            return False
        stored["object"]["metadata"]["resourceVersion"] = _number(state)
        return True

    def _admit(self, state: State, ref: ObjectRef) -> None:
        namespaced = _known(ref.api_version, ref.kind)
        if namespaced != bool(ref.namespace):
            wrong = "is missing" if namespaced else f"{ref.kind} stands in no namespace"
            raise Invalid(f"{ref} is not named in full.", [Mistake("metadata.namespace", wrong)])
        home = state["objects"].get(_key(_namespace(ref.namespace)))
        if namespaced and home is None:
            raise NotFound(f"The cluster `{self._name}` has no namespace `{ref.namespace}`.")
        is_new = _key(ref) not in state["objects"]
        if namespaced and is_new and "deletionTimestamp" in home["object"]["metadata"]:
            raise Conflict(f"The namespace `{ref.namespace}` of the cluster `{self._name}` is being deleted.")

    def _delete(self, state: State, ref: ObjectRef) -> None:
        stored = state["objects"].get(_key(ref))
        if stored is None:
            return
        if ref.kind == "Namespace" and ref not in self.held:
            self._empty(state, ref.name)
            if _key(ref) not in state["objects"]:
                return  # it went with the last of what was in it
        if self._is_held(state, ref, stored):
            stored["object"]["metadata"].update(deletionTimestamp=BEGAN, resourceVersion=_number(state))
            return
        del state["objects"][_key(ref)]
        uid = stored["object"]["metadata"]["uid"]
        for one in list(state["objects"].values()):
            metadata = one["object"]["metadata"]
            if any(owner["uid"] == uid for owner in metadata.get("ownerReferences", [])):
                self._delete(state, ref_of(one["object"]))
        home = state["objects"].get(_key(_namespace(ref.namespace)))
        if ref.namespace and home is not None and "deletionTimestamp" in home["object"]["metadata"]:
            self._delete(state, _namespace(ref.namespace))  # perhaps this was what held it

    def _is_held(self, state: State, ref: ObjectRef, stored: Any) -> bool:
        inhabited = ref.kind == "Namespace" and self._inhabitants(state, ref.name)
        return bool(ref in self.held or stored["object"]["metadata"].get("finalizers") or inhabited)

    def _empty(self, state: State, namespace: str) -> None:
        home = state["objects"][_key(_namespace(namespace))]["object"]["metadata"]
        if "deletionTimestamp" in home:
            return  # everything in it is marked already
        home["deletionTimestamp"] = BEGAN
        for one in self._inhabitants(state, namespace):
            self._delete(state, ref_of(one["object"]))

    def _inhabitants(self, state: State, namespace: str) -> Sequence[Any]:
        return [one for one in state["objects"].values() if one["object"]["metadata"].get("namespace") == namespace]

    # --- storage and watches

    def _all(self) -> Sequence[Any]:
        return [_told(one) for _, one in sorted(self._load()["objects"].items())]

    def _load(self) -> State:
        if self._file and self._file.exists():
            self._state = json.loads(self._file.read_text())
        return self._state

    def _save(self, state: State) -> None:
        self._state = state
        if self._file:
            # Renamed into place: a process that is killed while writing leaves the old world or the new one.
            beside = self._file.with_suffix(".new")
            beside.write_text(json.dumps(state))
            beside.replace(self._file)
        if not self._problem:
            for watch in self._watches:
                watch.see(self._all())


def _settle(
    ref: ObjectRef,
    content: fields.Fields,
    wanted: fields.Fields,
    owners: dict[str, set[fields.Path]],
    manager: str,
    *,
    forced: bool,
    over: Collection[str] = (),
) -> None:
    """Bring `content` and `owners` to what they are once `manager` has applied `wanted`. Raise `Conflict`."""
    theirs: dict[str, list[fields.Path]] = {}
    for path, leaf in wanted.items():
        for who in sorted(owners):
            if who != manager and path in owners[who] and content.get(path) != leaf:
                theirs.setdefault(who, []).append(path)
    if not forced and not set(theirs) <= set(over):
        whose = "; ".join(f"`{who}` owns {', '.join(map(fields.told, paths))}" for who, paths in theirs.items())
        raise Conflict(f"Others own fields of {ref}: {whose}.")
    for who, paths in theirs.items():
        owners[who] -= set(paths)
    others = set().union(*(paths for who, paths in owners.items() if who != manager))
    if not forced:
        for path in owners.get(manager, set()) - set(wanted) - others:
            content.pop(path, None)
    content.update(wanted)
    owners[manager] = set(wanted) | (owners.get(manager, set()) if forced else set())


def _known(api_version: str, kind: str) -> bool:
    """Say whether objects of the kind stand in a namespace. Raise `NotFound` for an unknown one."""
    if kind in NAMESPACED.get(api_version, ()):
        return True
    if kind in CLUSTER_WIDE.get(api_version, ()):
        return False
    raise NotFound(f"The cluster does not know the kind {kind} ({api_version}).")


def _newborn(state: State, ref: ObjectRef) -> Any:
    metadata: State = {"name": ref.name, **({"namespace": ref.namespace} if ref.namespace else {})}
    metadata |= {"uid": f"uid-{_number(state)}", "creationTimestamp": BEGAN, "resourceVersion": "0", "generation": 0}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}


def _whole(stored: Any, content: Any, status: Any) -> Any:
    """Return the object with this content; a new `spec` makes a new generation."""
    kept = {key: part for key, part in stored["metadata"].items() if key in fields.UNOWNED_METADATA}
    metadata = {**kept, **content.pop("metadata", {})}
    if content.get("spec") != stored.get("spec") or not metadata["generation"]:
        metadata["generation"] += 1
    whole = {"apiVersion": stored["apiVersion"], "kind": stored["kind"], "metadata": metadata, **content}
    return {**whole, "status": status} if status is not None else whole


def _told(stored: Any) -> Any:
    obj = json.loads(json.dumps(stored["object"]))
    obj["metadata"]["managedFields"] = [{"manager": who, "operation": "Apply"} for who in stored["owners"]]
    return obj


def _path(steps: Sequence[Any]) -> fields.Path:
    """Return a path as it was before it was stored as JSON."""
    return tuple(step if isinstance(step, str) else (step[0], step[1]) for step in steps)


def _number(state: State) -> str:
    state["next"] += 1
    return str(state["next"] - 1)


def _key(ref: ObjectRef) -> str:
    """The version of an API is not part of a thing's identity, its group is."""
    group = ref.api_version.rpartition("/")[0]
    return f"{group}/{ref.kind}/{ref.namespace}/{ref.name}"


def _namespace(name: str) -> ObjectRef:
    return ObjectRef("v1", "Namespace", name)
