"""Who owns which field of a Kubernetes object: server-side apply, small. Lists of named things merge by name, others
are one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Step = str | tuple[str, str]
"""A key of a map, or `("name", x)`: the element of a list that has that name."""
Path = tuple[Step, ...]
Fields = dict[Path, Any]

UNOWNED = ("apiVersion", "kind", "status")
UNOWNED_METADATA = (
    *("name", "namespace", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp", "managedFields"),
)


def flatten(value: Any, path: Path = ()) -> Fields:
    """Return every leaf of a document by its path. What is empty is a leaf."""
    if isinstance(value, Mapping) and value:
        parts: list[tuple[Step, Any]] = [(str(key), part) for key, part in value.items()]
    elif (names := _names(value)) is not None:
        parts = [(("name", name), part) for name, part in zip(names, value, strict=True)]
    else:
        return {path: value}
    return {found: leaf for step, part in parts for found, leaf in flatten(part, (*path, step)).items()}


def build(fields: Fields) -> Any:
    """Return the document that has these leaves."""
    tree: dict[Step, Any] = {}
    for path, leaf in fields.items():
        if not path:
            return leaf
        node = tree
        for step in path[:-1]:
            node = node.setdefault(step, _Node())
        node[path[-1]] = leaf
    return _document(tree)


def owned(obj: Mapping[str, Any]) -> Fields:
    """Return the fields that one who applies this object owns."""
    kept = {key: part for key, part in obj.items() if key not in UNOWNED}
    kept["metadata"] = {key: part for key, part in obj.get("metadata", {}).items() if key not in UNOWNED_METADATA}
    return {path: leaf for path, leaf in flatten(kept).items() if path != ("metadata",)}


def told(path: Path) -> str:
    """`.spec.template.spec.containers[name="web"].image`, as the server writes it."""
    return "".join(f".{step}" if isinstance(step, str) else f'[name="{step[1]}"]' for step in path)


class _Node(dict[Step, Any]):
    """An inner node: tells a map that is built from one that is a leaf."""


def _names(value: Any) -> list[str] | None:
    if not isinstance(value, list) or not value:
        return None
    names = [one.get("name") if isinstance(one, Mapping) else None for one in value]
    unique = len(set(map(str, names))) == len(names)
    return [str(name) for name in names] if unique and all(isinstance(name, str) for name in names) else None


def _document(node: dict[Step, Any]) -> Any:
    parts = {step: _document(part) if isinstance(part, _Node) else part for step, part in node.items()}
    if parts and all(isinstance(step, tuple) for step in parts):
        return list(parts.values())
    return {str(step): part for step, part in parts.items()}
