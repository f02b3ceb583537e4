"""Kubernetes objects as effects carry them: what names them, in which order they go, when two are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from bot.errors import Invalid, Mistake
from bot.model.annotations import KEPT, SYNC_OPTIONS
from bot.model.canonical import JSON
from bot.ports import Object, ObjectRef

INVENTORY = "causeway.io/inventory"
"""Label of everything that one delivery applies; what carries it and is not wanted any more is pruned."""
MARK = "causeway.io/operation"
"""Annotation: the operation that changed the object last."""

_FIRST = ("Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "Role", "RoleBinding", "Secret", "ConfigMap")
_THEN = ("PersistentVolumeClaim", "NetworkPolicy")
_LAST = ("Service", "StatefulSet", "Deployment", "CronJob", "Job", "HorizontalPodAutoscaler", "PodDisruptionBudget")
_AFTER = ("Ingress", "ServiceMonitor", "PrometheusRule")
_ORDER = {kind: place for place, kind in enumerate((*_FIRST, *_THEN, "*", *_LAST, *_AFTER))}
"""Custom resources such as databases stand at `*`: before what uses them."""

HOLDS_DATA = frozenset({"Namespace", "PersistentVolumeClaim", "Cluster", "RDSInstance"})
"""Kinds that are never pruned: with them would go what is stored in them."""

KINDS = (
    *(("apps/v1", kind) for kind in ("Deployment", "StatefulSet")),
    *(("batch/v1", kind) for kind in ("CronJob", "Job")),
    *(("v1", kind) for kind in ("Service", "ConfigMap", "ServiceAccount")),
    *(("networking.k8s.io/v1", kind) for kind in ("Ingress", "NetworkPolicy")),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("postgresql.cnpg.io/v1", "Pooler"),
    *(("monitoring.coreos.com/v1", kind) for kind in ("ServiceMonitor", "PrometheusRule")),
)
"""Where to look for what an earlier delivery has applied."""

INHABITANTS = (
    *(("apps/v1", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet")),
    *(("batch/v1", kind) for kind in ("CronJob", "Job")),
    ("v1", "PersistentVolumeClaim"),
)
"""What makes a namespace somebody's home."""

AUTOSCALED_BY = ("kube-controller-manager",)
"""The field manager as which a HorizontalPodAutoscaler sets `spec.replicas`."""

_LIVE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


def _sound(objects: tuple[dict[str, JSON], ...]) -> tuple[dict[str, JSON], ...]:
    mistakes: list[Mistake] = []
    seen: set[ObjectRef] = set()
    for index, obj in enumerate(objects):
        metadata = obj.get("metadata")
        named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
        if not named or not all(isinstance(obj.get(key), str) for key in ("apiVersion", "kind")):
            mistakes.append(Mistake(f"objects[{index}]", "needs apiVersion, kind and metadata.name"))
            continue
        if obj["kind"] == "Secret" and (obj.get("data") or obj.get("stringData")):
            mistakes.append(Mistake(f"objects[{index}]", "is a Secret with values, which no plan may hold"))
        if ref_of(obj) in seen:
            mistakes.append(Mistake(f"objects[{index}]", f"stands there twice: {ref_of(obj)}"))
        seen.add(ref_of(obj))
    if mistakes:
        raise Invalid("The objects cannot be applied.", mistakes)
    return objects


Objects = Annotated[tuple[dict[str, JSON], ...], AfterValidator(_sound)]
"""Objects to apply, each named in full. Raises `Invalid` for others, and for Secrets that hold values."""


def ref_of(obj: Object) -> ObjectRef:
    metadata: Any = obj["metadata"]
    return ObjectRef(str(obj["apiVersion"]), str(obj["kind"]), metadata["name"], metadata.get("namespace", ""))


def owners_of(obj: Object) -> list[ObjectRef]:
    """Return what an object belongs to: it is deleted after that."""
    metadata: Any = obj["metadata"]
    return [
        ObjectRef(str(one["apiVersion"]), str(one["kind"]), str(one["name"]), metadata.get("namespace", ""))
        for one in metadata.get("ownerReferences") or ()
    ]


def identity(ref: ObjectRef) -> tuple[str, str, str, str]:
    """Return what tells an object from others, whatever the version of its API."""
    return ref.api_version.rpartition("/")[0], ref.kind, ref.namespace, ref.name


def in_order(objects: Iterable[dict[str, JSON]]) -> list[dict[str, JSON]]:
    """Return them in the order in which they are applied; of one kind by name."""
    return sorted(objects, key=lambda obj: (_ORDER.get(str(obj["kind"]), _ORDER["*"]), str(ref_of(obj))))


def with_label(obj: Mapping[str, JSON], label: str, value: str) -> dict[str, JSON]:
    return _with(obj, "labels", label, value)


def with_mark(obj: Mapping[str, JSON], operation: str) -> dict[str, JSON]:
    """Return it with the annotation that names the operation; without any where that is empty."""
    return _with(obj, "annotations", MARK, operation) if operation else dict(obj)


def mark_of(live: Object) -> str:
    return _told(live, "annotations", MARK)


def inventory_of(live: Object) -> str:
    return _told(live, "labels", INVENTORY)


def is_kept(obj: Object) -> bool:
    """Return whether an object stays although nothing asks for it any more."""
    return obj.get("kind") in HOLDS_DATA or is_never_pruned(obj)


def is_never_pruned(obj: Object) -> bool:
    """Return whether an object says itself that it stays."""
    return KEPT in _told(obj, "annotations", SYNC_OPTIONS).split(",")


def scaled_by(obj: Object) -> tuple[str, str] | None:
    """Return kind and name of what an object lets grow and shrink by itself; None where it is no autoscaler."""
    spec: Any = obj.get("spec")
    if obj.get("kind") != "HorizontalPodAutoscaler" or not isinstance(spec, dict):
        return None
    target: Any = spec.get("scaleTargetRef") or {}
    return str(target.get("kind")), str(target.get("name"))


def uid_of(live: Object) -> str:
    metadata: Any = live["metadata"]
    return str(metadata.get("uid", ""))


def is_leaving(live: Object) -> bool:
    """Return whether it is being deleted."""
    metadata: Any = live["metadata"]
    return bool(metadata.get("deletionTimestamp"))


def same(one: Object, other: Object) -> bool:
    """Return whether two states of an object differ in nothing that anybody asked for."""
    return _asked_for(one) == _asked_for(other)


def commands(cluster: str, refs: Sequence[ObjectRef], verb: str) -> str:
    """Return what a person runs for these objects: `kubectl --context c --namespace n delete deployment/x`."""
    lines = []
    for ref in refs:
        group = ref.api_version.rpartition("/")[0]
        kind = f"{ref.kind.lower()}.{group}" if group and "." in group else ref.kind.lower()
        where = f" --namespace {ref.namespace}" if ref.namespace else ""
        lines.append(f"kubectl --context {cluster}{where} {verb} {kind}/{ref.name}")
    return "; ".join(lines)


def _with(obj: Mapping[str, JSON], part: str, key: str, value: str) -> dict[str, JSON]:
    metadata = obj.get("metadata")
    held: dict[str, JSON] = dict(metadata) if isinstance(metadata, dict) else {}
    before = held.get(part)
    held[part] = {**(before if isinstance(before, dict) else {}), key: value}
    return {**obj, "metadata": held}


def _told(live: Object, part: str, key: str) -> str:
    metadata: Any = live.get("metadata") or {}
    return str((metadata.get(part) or {}).get(key) or "")


def _asked_for(obj: Object) -> dict[str, Any]:
    metadata: Any = obj.get("metadata") or {}
    kept = {key: value for key, value in metadata.items() if key not in _LIVE}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": kept}
