"""CustomResourceDefinitions: once one is stored, the kind that it names is served; with it, its objects go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import Cause, invalid_value, required

KEY = ("apiextensions.k8s.io", "customresourcedefinitions")


def resource_of(definition: Mapping[str, Any]) -> Resource:
    """Return the resource that a CustomResourceDefinition describes, its stored version first."""
    spec = definition["spec"]
    served = [version for version in spec["versions"] if version.get("served")]
    served.sort(key=lambda version: not version.get("storage"))
    names, first = spec["names"], served[0]
    return Resource(
        group=spec["group"],
        versions=tuple(version["name"] for version in served),
        kind=names["kind"],
        plural=names["plural"],
        namespaced=spec.get("scope") == "Namespaced",
        subresources=frozenset(first.get("subresources") or {}),
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        counts_generations=True,
        custom=True,
        schemas={version["name"]: version.get("schema", {}).get("openAPIV3Schema", {}) for version in served},
        scale=(first.get("subresources") or {}).get("scale", {}),
    )


def established(definition: Object, now: str) -> Object:
    """Return the status that the real server's controllers write within a second."""
    rows = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
        for kind, reason, message in rows
    ]
    stored = [version["name"] for version in definition["spec"]["versions"] if version.get("storage")]
    return {"conditions": conditions, "acceptedNames": definition["spec"]["names"], "storedVersions": stored}


def causes(definition: Mapping[str, Any]) -> Iterator[Cause]:
    """Yield what is wrong with a CustomResourceDefinition."""
    spec = definition.get("spec", {})
    names = spec.get("names", {})
    for name in ("plural", "kind"):
        if not names.get(name):
            yield required(f"spec.names.{name}")
    if definition["metadata"].get("name") != f"{names.get('plural')}.{spec.get('group')}":
        text = 'must be spec.names.plural+"."+spec.group'
        yield invalid_value("metadata.name", definition["metadata"].get("name"), text)
    versions: Sequence[Mapping[str, Any]] = spec.get("versions", ())
    if sum(bool(version.get("storage")) for version in versions) != 1:
        text = "must have exactly one version marked as storage version"
        yield invalid_value("spec.versions", [version.get("name") for version in versions], text)
    schemas = [version.get("schema", {}).get("openAPIV3Schema") for version in versions]
    for index, schema in enumerate(schemas):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        if schema and schemas.count(schema) == len(schemas):
            if index == 0:  # one schema for all versions stands above them
                yield from _structural(schema, "spec.validation.openAPIV3Schema")
        elif not schema:
            yield required(path)
        else:
            yield from _structural(schema, path)


def _structural(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """A structural schema says the type of everything that it names."""
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not schema.get("type") and not free:
        yield required(f"{path}.type", "must not be empty for specified object fields")
    for name, shape in schema.get("properties", {}).items():
        if isinstance(shape, dict):
            yield from _structural(shape, f"{path}.properties[{name}]")
    for word in ("items", "additionalProperties"):
        shape = schema.get(word)
        if isinstance(shape, dict):
            yield from _structural(shape, f"{path}.{word}")
