"""Writes `playground/kubernetes/schema.txt` from a real API server's OpenAPI v3 documents.

`python -m tests.playground.kubernetes.schema_lines DIR` reads `DIR/*.json` (one document of `/openapi/v3/…` each) and
prints the file. A peer test compares the file with what a running kube-apiserver describes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from playground.kubernetes.registry import BUILT_IN

HEADER = """\
# The fields of the built-in kinds, from the OpenAPI v3 description of kube-apiserver v1.37.2.
# Written by `python -m tests.playground.kubernetes.schema_lines`; playground/kubernetes/schema.py says how to read it.
"""
ROOTS = {resource.kind for resource in BUILT_IN if not resource.virtual} | {"Scale"}
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intstr",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
}
FORMATS = {"int32": "int32", "int64": "int64", "double": "double", "byte": "bytes"}
Definitions = Mapping[str, Mapping[str, Any]]


def definitions(documents: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        found |= document["components"]["schemas"]
    return found


def lines(known: Definitions) -> list[str]:
    """Return one line for each definition that the kinds in use reach, by name."""
    names = sorted(_reached(known), key=_short)
    return [_line(known, name) for name in names]


def _reached(known: Definitions) -> set[str]:
    todo = [name for name in known if _is_root(name, known[name])]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen or name in SCALARS or known[name].get("type") != "object":
            continue
        seen.add(name)
        todo += _references(known[name].get("properties", {}))
    return seen


def _is_root(name: str, definition: Mapping[str, Any]) -> bool:
    kinds = definition.get("x-kubernetes-group-version-kind", [])
    return any(kind["kind"] in ROOTS and name.endswith("." + kind["kind"]) for kind in kinds)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref" and isinstance(item, str):
                yield _target(item)
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _target(reference: str) -> str:
    return reference.rpartition("/")[2]


def _short(name: str) -> str:
    """Return `Container`; the one name that two groups use is written with its group."""
    parts = name.split(".")
    return f"{parts[-3]}.{parts[-1]}" if name == "io.k8s.api.discovery.v1.EndpointPort" else parts[-1]


def _line(known: Definitions, name: str) -> str:
    definition = known[name]
    required = definition.get("required", ())
    fields = [
        field + ("*" if field in required else "") + ":" + _type(known, shape)
        for field, shape in sorted(definition.get("properties", {}).items())
    ]
    atomic = "@" if definition.get("x-kubernetes-map-type") == "atomic" else ""
    return f"{atomic}{_short(name)}: {' '.join(fields)}".rstrip()


def _type(known: Definitions, shape: Mapping[str, Any]) -> str:
    references = [shape["$ref"]] if "$ref" in shape else [part["$ref"] for part in shape.get("allOf", ())]
    if references:
        return _reference(known, _target(references[0]), always=shape.get("default") == {})
    if shape.get("type") == "array":
        return _list(known, shape)
    if shape.get("type") == "object":
        return _map(known, shape)
    return _scalar(shape)


def _reference(known: Definitions, name: str, *, always: bool) -> str:
    if name in SCALARS:
        return SCALARS[name]
    return _short(name) + ("!" if always else "") if known[name].get("type") == "object" else "any"


def _map(known: Definitions, shape: Mapping[str, Any]) -> str:
    element = shape.get("additionalProperties")
    atomic = "@" if shape.get("x-kubernetes-map-type") == "atomic" else ""
    return "{" + (_type(known, element).rstrip("!") if element else "any") + "}" + atomic


def _list(known: Definitions, shape: Mapping[str, Any]) -> str:
    element = _type(known, shape["items"]).rstrip("!")
    kind = shape.get("x-kubernetes-list-type", "atomic")
    keys = ",".join(shape.get("x-kubernetes-list-map-keys", ()))
    merges = {"map": f"|{keys}", "set": "|", "atomic": ""}[kind]
    strategy = shape.get("x-kubernetes-patch-strategy", "")
    if "merge" in strategy:
        merges += "~" + shape.get("x-kubernetes-patch-merge-key", "")
    return f"[{element}{merges}]"


def _scalar(shape: Mapping[str, Any]) -> str:
    kind = shape.get("type")
    if kind == "string":
        known = ",".join(word for word in shape.get("enum", ()) if word)
        default = f"={shape['default']}" if shape.get("default") == "TCP" else ""
        return FORMATS.get(shape.get("format", ""), "string") + (f"({known})" if known else "") + default
    if kind == "integer":
        return FORMATS.get(shape.get("format", ""), "int64")
    return {"boolean": "bool", "number": "double"}.get(str(kind), "any")


def written(documents: Iterable[Mapping[str, Any]]) -> str:
    return HEADER + "\n".join(lines(definitions(documents))) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written(json.loads(file.read_text()) for file in sorted(Path(sys.argv[1]).glob("*.json"))))
