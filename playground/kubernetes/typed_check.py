"""Whether a configuration fits its kind's schema, as server-side apply finds out before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.kubernetes.schema import Anything, ListOf, Scalar, Struct, Type
from playground.kubernetes.typed import Path, element_of, inner_type, shown

NUMBERS = frozenset({"int32", "int64", "double"})
FREE = frozenset({"quantity", "intstr"})
"""Told apart only when Go reads them."""


def mistakes(shape: Type, value: Any, path: Path = (), tail: str = "") -> Iterator[str]:
    """Yield each mistake with its path, in the words of structured-merge-diff."""
    where = shown(path) + tail
    if value is None or isinstance(shape, Anything):
        return
    if isinstance(shape, Scalar):
        yield from (f"{where}: {text}" for text in _scalar(shape, value))
    elif isinstance(shape, ListOf):
        yield from _list(shape, value, path, where)
    elif not isinstance(value, dict):
        yield f"{where}: expected map, got &{{{go_text(value)}}}"
    else:
        unknown = [name for name in value if isinstance(shape, Struct) and shape.type_of(name) is None]
        for name, item in value.items():
            if name not in unknown:
                yield from mistakes(inner_type(shape, name)[0], item, (*path, f"f:{name}"), "")
        for name in unknown[:1]:  # the real server stops at the first one of an object
            yield f"{where}.{name}: field not declared in schema"


def _list(shape: ListOf, value: Any, path: Path, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: expected list, got &{{{go_text(value)}}}"
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        if shape.kind == "atomic":
            yield from mistakes(shape.element, item, path, f"[{index}]")
            continue
        if shape.kind == "map" and not isinstance(item, dict):
            yield f"{where}: element {index}: associative list with keys may not have non-map elements"
            continue
        element = element_of(shape, item)
        if element in seen:
            kind = "key" if shape.kind == "map" else "value"
            yield f"{where}: duplicate entries for {kind} {shown((element,))}"
        seen.add(element)
        yield from mistakes(shape.element, item, (*path, element), "")


def _scalar(shape: Scalar, value: Any) -> Iterator[str]:
    if shape.name in FREE:
        if isinstance(value, dict | list):
            yield f"expected scalar, got &{{{go_text(value)}}}"
    elif shape.name in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"expected numeric (int or float), got {_kind(value)}"
    elif shape.name == "bool":
        if not isinstance(value, bool):
            yield f"expected boolean, got &{{{go_text(value)}}}"
    elif not isinstance(value, str):
        yield f"expected string, got &value.valueUnstructured{{Value:{go_text(value)}}}"


def _kind(value: Any) -> str:
    kinds = {bool: "bool", str: "string", dict: "map", list: "list"}
    return kinds.get(type(value), type(value).__name__)


def go_text(value: Any) -> str:
    """Print a value as Go's `%v` does."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{go_text(value[name])}" for name in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    return "<nil>" if value is None else str(value)
