"""What happens to an object on its way into the store: decoding, defaults, what the server adds, what it refuses."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playground.kubernetes import allocation, crd_schema, defaults, definitions, names, rules
from playground.kubernetes.decode import Decoder
from playground.kubernetes.managed_fields import Ignored
from playground.kubernetes.objects import Object
from playground.kubernetes.registry import Resource
from playground.kubernetes.schema import ListOf, Struct, built_in, custom, loose
from playground.kubernetes.status import Cause, forbidden_value, invalid, invalid_value, required
from playground.kubernetes.typed import Path

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: no vowels, so that no words arise."""
NEEDS_VERSION = frozenset({"CustomResourceDefinition", "Lease", "PodDisruptionBudget"})
"""Kinds, beside custom ones, that cannot be replaced without the version that was read."""
NO_STATUS_ON_CREATE = frozenset({"Node"})
_shapes: dict[int, tuple[Mapping[str, Any], Struct]] = {}
"""Shapes of custom schemas by identity; the schema is held along, so that its identity stays its own."""


def shape_of(resource: Resource, version: str = "") -> Struct:
    """Return the shape of a kind: its fields and how they merge."""
    if not resource.custom:
        return built_in().get(resource.kind) or loose(resource.kind)
    schema = resource.schemas.get(version or resource.version)
    if not schema:
        return loose(resource.kind)
    if id(schema) not in _shapes:
        _shapes[id(schema)] = schema, custom(resource.kind, schema)
    return _shapes[id(schema)][1]


def decoded(resource: Resource, given: Mapping[str, Any]) -> tuple[Object, list[str]]:
    """Return the object as the server holds it, and what strict field validation would refuse.

    Raise `Undecodable` for a value of the wrong type.
    """
    decoder = Decoder(custom=resource.custom, package=resource.version)
    shape = shape_of(resource)
    obj = decoder.read(shape, dict(given))
    obj.setdefault("metadata", {})
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    ordered = {"kind": obj.pop("kind"), "apiVersion": obj.pop("apiVersion"), "metadata": obj.pop("metadata")}
    return {**ordered, **obj}, decoder.complaints


def defaulted(resource: Resource, obj: Object) -> Object:
    if not resource.custom:
        return defaults.with_defaults(obj)
    schema = resource.schemas.get(resource.version)
    if schema:
        crd_schema.with_defaults(schema, obj)
    return obj


def nothing(resource: Resource) -> Object:
    """Return what the first write is compared with: Go's structures that are no pointers are always there."""
    if resource.custom:
        return {}
    found, _ = decoded(resource, {})
    _fill_lists(shape_of(resource), found)
    return found


def _fill_lists(shape: Struct, value: Object) -> None:
    """Put in the lists that Go writes even where nobody gave them one: as null."""
    for name, described in shape.fields.items():
        if isinstance(described.type, ListOf) and described.required:
            value.setdefault(name, None)
        elif isinstance(described.type, Struct) and isinstance(value.get(name), dict):
            _fill_lists(described.type, value[name])


def generated_name(prefix: str) -> str:
    return prefix[:58] + "".join(secrets.choice(SUFFIX) for _ in range(5))


def prepare_new(resource: Resource, obj: Object, others: Callable[[], Iterable[Object]]) -> None:
    """Add what the server gives a new object, in place. `others` are the kind's objects so far."""
    if "status" in resource.subresources and resource.kind not in NO_STATUS_ON_CREATE:
        _clear_status(resource, obj)
    match resource.kind if not resource.custom else "":
        case "Namespace":
            obj["spec"] = {"finalizers": ["kubernetes"]}
            obj["status"] = {"phase": "Active"}
        case "PersistentVolumeClaim" | "PersistentVolume":
            allocation.protect(obj)
        case "Pod":
            allocation.admit_pod(obj)
        case "Job":
            allocation.mark_job(obj)
        case "Service" if not any(rules.causes(resource, shape_of(resource), obj)):
            allocation.give_address(resource, obj, others())


def _clear_status(resource: Resource, obj: Object) -> None:
    bare = {name: value for name, value in obj.items() if name != "status"}
    fresh = defaulted(resource, decoded(resource, bare)[0])
    obj.pop("status", None)
    if "status" in fresh:
        obj["status"] = fresh["status"]


def prepare_change(resource: Resource, old: Object, new: Object) -> None:
    if resource.kind == "Service" and not resource.custom:
        allocation.keep_address(old, new)
    if resource.kind == "Job" and not resource.custom and not new["spec"].get("selector"):
        allocation.mark_job(new)


def refuse_mistakes(resource: Resource, new: Object, old: Object | None = None) -> None:
    """Raise a 422 that names every mistake of an object and, where there was one before, of the change."""
    found = [
        *names.metadata_causes(resource.kind, new["metadata"], custom=resource.custom),
        *_scope_causes(resource, new),
    ]
    if old is not None:
        found += _metadata_change(old["metadata"], new["metadata"])
    if not found or not resource.custom:  # the real server looks at a custom resource's fields only then
        found += _own_causes(resource, new, old)
    if found:
        raise invalid(resource, new["metadata"].get("name", ""), found)


def _own_causes(resource: Resource, new: Object, old: Object | None) -> list[Cause]:
    if resource.custom:
        schema = resource.schemas.get(resource.version)
        return list(crd_schema.mistakes(schema, new)) if schema else []
    found = rules.causes(resource, shape_of(resource), new, old)
    return [*found, *definitions.causes(new)] if resource.key == definitions.KEY else found


def _scope_causes(resource: Resource, obj: Object) -> Iterable[Cause]:
    namespace = obj["metadata"].get("namespace")
    if namespace and not resource.namespaced:
        yield forbidden_value("metadata.namespace", "not allowed on this type")
    if not namespace and resource.namespaced:
        yield required("metadata.namespace")


def _metadata_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Cause]:
    for name in ("uid", "creationTimestamp"):
        if new.get(name, old.get(name)) != old.get(name):
            yield invalid_value(f"metadata.{name}", new[name], "field is immutable")
    if "deletionTimestamp" in old:
        added = [word for word in new.get("finalizers", ()) if word not in old.get("finalizers", ())]
        if added:
            shown = ", ".join(f'"{word}"' for word in added)
            text = "no new finalizers can be added if the object is being deleted, found new finalizers "
            yield forbidden_value("metadata.finalizers", text + "[]string{" + shown + "}")


def needs_version(resource: Resource) -> bool:
    return resource.custom or resource.kind in NEEDS_VERSION


def ignored(resource: Resource, subresource: str) -> Ignored:
    """Say which fields a write through this door leaves alone."""
    if subresource == "status":
        return _is_beside_status
    return _is_status if "status" in resource.subresources else _is_never


def _is_status(path: Path) -> bool:
    return path[0] == "f:status"


def _is_beside_status(path: Path) -> bool:
    return path[0] != "f:status"


def _is_never(_: Path) -> bool:
    return False
