"""What server-side apply does with typed values: the set of their fields, comparing, merging, removing.

A field's path is a tuple of the elements that `fieldsV1` uses: `f:spec`, `k:{"name":"app"}`, `v:"value"`. The rules are
those of structured-merge-diff v6, which the real server uses (`sigs.k8s.io/structured-merge-diff`, typed and merge).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.kubernetes.schema import ANYTHING, ListOf, MapOf, Scalar, Struct, Type

Path = tuple[str, ...]
Fields = frozenset[Path]
MISSING: Any = object()
"""Not there; unlike None, which is a null that somebody wrote."""


def canonical(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def element_of(shape: ListOf, item: Any) -> str:
    """Return the path element of an item of a set or of a list that is a map. A missing key counts with its default."""
    if shape.kind == "set":
        return "v:" + canonical(item)
    inner = shape.element
    keys: dict[str, Any] = {}
    for key in shape.keys:
        described = inner.type_of(key) if isinstance(inner, Struct) else None
        default = described.default if isinstance(described, Scalar) else None
        value = item.get(key, default) if isinstance(item, dict) else None
        if value is not None:
            keys[key] = value
    return "k:" + canonical(keys)


def shown(path: Path) -> str:
    """Write a path as messages do: `.spec.containers[name="app"].image`."""
    return "".join(_shown(element) for element in path)


def _shown(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    return "[" + ",".join(f"{key}={canonical(value)}" for key, value in json.loads(rest).items()) + "]"


def inner_type(shape: Type, name: str) -> tuple[Type, bool]:
    """Return the type of a map's entry and whether it is a field that the schema names."""
    if isinstance(shape, Struct):
        found = shape.type_of(name)
        return (found if found is not None else ANYTHING), name in shape.fields
    return (shape.element if isinstance(shape, MapOf) else ANYTHING), False


def is_atomic(shape: Type, value: Any) -> bool:
    """Say whether a value is owned as one: scalars, atomic maps and lists."""
    if isinstance(value, dict):
        return isinstance(shape, Scalar | ListOf) or (isinstance(shape, Struct | MapOf) and shape.atomic)
    if isinstance(value, list):
        return not isinstance(shape, ListOf) or shape.kind == "atomic"
    return True


def _listed(shape: Type) -> ListOf:
    if not isinstance(shape, ListOf):
        raise TypeError("only lists that merge have elements")  # `is_atomic` has said otherwise
    return shape


def _is_leaf_type(shape: Type) -> bool:
    if isinstance(shape, Struct | MapOf):
        return shape.atomic
    return isinstance(shape, Scalar) or (isinstance(shape, ListOf) and shape.kind == "atomic")


def fields_of(shape: Type, value: Any) -> Fields:
    """Return every field that a configuration states."""
    return frozenset(_stated(shape, value, ()))


def _stated(shape: Type, value: Any, path: Path) -> Iterator[Path]:
    if is_atomic(shape, value):
        if path and not (value is None and not _is_leaf_type(shape)):
            yield path
    elif isinstance(value, list):
        listed = _listed(shape)
        for item in value:
            below = (*path, element_of(listed, item))
            yield below
            yield from _stated(listed.element, item, below)
    else:
        for name, item in value.items():
            below = (*path, f"f:{name}")
            kind, named = inner_type(shape, name)
            if item is None or item == {} or not named:
                yield below
            yield from _stated(kind, item, below)


@dataclass(slots=True)
class Comparison:
    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @property
    def is_same(self) -> bool:
        return not (self.added or self.modified or self.removed)


def compare(shape: Type, old: Any, new: Any) -> Comparison:
    """Return which fields were added, changed and removed between two values of one type."""
    found = Comparison()
    _compare(shape, old, new, (), found)
    return found


def _compare(shape: Type, old: Any, new: Any, path: Path, found: Comparison) -> None:
    kind = new if new is not MISSING and new is not None else old
    if (kind is MISSING or kind is None or is_atomic(shape, kind)) or _both_empty(old, new):
        _leaf(old, new, path, found)
        return
    if isinstance(kind, list):
        listed = _listed(shape)
        before, after = _by_element(listed, old), _by_element(listed, new)
        for element in dict.fromkeys([*before, *after]):
            _compare(listed.element, before.get(element, MISSING), after.get(element, MISSING), (*path, element), found)
    else:
        before, after = _entries(old), _entries(new)
        for name in dict.fromkeys([*before, *after]):
            inner, _ = inner_type(shape, name)
            _compare(inner, before.get(name, MISSING), after.get(name, MISSING), (*path, f"f:{name}"), found)
    if path and old is MISSING:
        found.added.add(path)
    if path and new is MISSING:
        found.removed.add(path)


def _both_empty(old: Any, new: Any) -> bool:
    """Two empty or missing containers are compared as leaves, so that `{}` and nothing stay apart."""
    return all(value is MISSING or value is None or value in ({}, []) for value in (old, new))


def _leaf(old: Any, new: Any, path: Path, found: Comparison) -> None:
    if old is MISSING and new is MISSING:
        return
    if old is MISSING:
        found.added.add(path)
    elif new is MISSING:
        found.removed.add(path)
    elif old != new:
        found.modified.add(path)


def _entries(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_element(shape: ListOf, value: Any) -> dict[str, Any]:
    items = value if isinstance(value, list) else []
    return {element_of(shape, item): item for item in items}


def merge(shape: Type, live: Any, wanted: Any) -> Any:
    """Lay a configuration over the live value. What the configuration does not state stays."""
    if wanted is MISSING:
        return live
    if live is MISSING or live is None or wanted is None or is_atomic(shape, wanted) or is_atomic(shape, live):
        return wanted
    if isinstance(wanted, list) and isinstance(live, list) and isinstance(shape, ListOf):
        return _merge_lists(shape, live, wanted)
    if isinstance(wanted, dict) and isinstance(live, dict):
        names = dict.fromkeys([*live, *wanted])
        return {
            name: merge(inner_type(shape, name)[0], live.get(name, MISSING), wanted.get(name, MISSING))
            for name in names
        }
    return wanted


def _merge_lists(shape: ListOf, live: list[Any], wanted: list[Any]) -> list[Any]:
    """Merge item by item. The configuration's order rules; what only lives goes before the shared item behind it."""
    ours, theirs = _by_element(shape, wanted), _by_element(shape, live)
    shared = [element for element in ours if element in theirs]
    pending = list(theirs)
    result: list[Any] = []
    for element, item in ours.items():
        while pending and (not shared or pending[0] != shared[0]):
            head = pending.pop(0)
            if head not in ours:
                result.append(theirs[head])
        result.append(merge(shape.element, theirs.get(element, MISSING), item))
        if shared and shared[0] == element:
            shared.pop(0)
            if pending and pending[0] == element:
                pending.pop(0)
    return result + [theirs[element] for element in pending if element not in ours]


def remove(shape: Type, value: Any, fields: Iterable[Path]) -> Any:
    """Return the value without these fields; containers that become empty go as well."""
    tree: dict[str, Any] = {}
    for path in fields:
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node[""] = True  # the field itself, not only something below it
    return _remove(shape, value, tree)


def _remove(shape: Type, value: Any, tree: dict[str, Any]) -> Any:
    if not tree or is_atomic(shape, value):
        return value
    if isinstance(value, list):
        listed = _listed(shape)
        kept = []
        for item in value:
            below = tree.get(element_of(listed, item), {})
            if "" not in below:
                kept.append(_remove(listed.element, item, below))
        return kept or None
    left = {}
    for name, item in value.items():
        below = tree.get(f"f:{name}", {})
        if "" not in below:
            left[name] = _remove(inner_type(shape, name)[0], item, below)
    return left or None


def with_named(shape: Type, fields: Fields) -> Fields:
    """Add the containers that the schema names: who owns `.spec.replicas` is taken to hold `.spec` as well."""
    found = set(fields)
    for path in fields:
        inner: Type = shape
        for depth, element in enumerate(path[:-1], start=1):
            named = False
            if element.startswith("f:"):
                inner, named = inner_type(inner, element[2:])
            else:
                inner = inner.element if isinstance(inner, ListOf) else ANYTHING
            if named:
                found.add(path[:depth])
    return frozenset(found)


def to_fields_v1(fields: Iterable[Path]) -> dict[str, Any]:
    """Write a set of fields as `fieldsV1`: nested, `.` where a container itself is meant beside what is in it."""
    paths = set(fields)
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
    for path in paths:
        node = tree
        for element in path:
            node = node[element]
        if node:
            node["."] = {}
    return _sorted(tree)


def _sorted(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: _sorted(tree[name]) for name in sorted(tree)}


def from_fields_v1(tree: dict[str, Any]) -> Fields:
    return frozenset(_paths(tree, ()))


def _paths(tree: dict[str, Any], path: Path) -> Iterator[Path]:
    for element, below in tree.items():
        if element == ".":
            yield path
        elif not below:
            yield (*path, element)
        else:
            yield from _paths(below, (*path, element))
