"""Holds our models of kinds against the schemas of those who own the kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]
Resolve = Callable[[Schema], Schema]
_SAME = {"string": {"string"}, "integer": {"integer", "number"}, "boolean": {"boolean"}}


def differences(model: type[BaseModel], theirs: Schema, definitions: Mapping[str, Schema]) -> list[str]:
    """Return where our model allows what the real schema does not know, or leaves out what it demands."""
    ours = model.model_json_schema(by_alias=True, mode="validation")
    return list(_compared(ours, theirs, Sides(ours.get("$defs", {}), definitions), model.__name__))


class Sides:
    """Follows references on both sides."""

    def __init__(self, ours: Mapping[str, Schema], theirs: Mapping[str, Schema]) -> None:
        self._ours, self._theirs = ours, theirs

    def ours(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return self.ours(self._ours[schema["$ref"].rpartition("/")[2]])
        parts = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
        return self.ours(parts[0]) if len(parts) == 1 else schema

    def theirs(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return self.theirs(self._theirs[schema["$ref"].rpartition("/")[2]])
        if len(schema.get("allOf", ())) == 1 and "$ref" in schema["allOf"][0]:
            return self.theirs(schema["allOf"][0])
        return schema


def _compared(ours: Schema, theirs: Schema, sides: Sides, path: str) -> Iterator[str]:
    ours, theirs = sides.ours(ours), sides.theirs(theirs)
    if _any_number_or_text(theirs):
        yield from () if _kinds(ours, sides) <= {"string", "integer"} else (f"{path}: is a number or a text there",)
    elif "properties" in ours:
        yield from _maps(ours, theirs, sides, path)
    elif ours.get("type") == "object":
        yield from () if theirs.get("type") == "object" else (f"{path}: is no map there",)
        if isinstance(ours.get("additionalProperties"), Mapping) and isinstance(
            theirs.get("additionalProperties"), Mapping
        ):
            yield from _compared(ours["additionalProperties"], theirs["additionalProperties"], sides, f"{path}.*")
    elif ours.get("type") == "array":
        if theirs.get("type") != "array":
            yield f"{path}: is no list there"
            return
        yield from _compared(ours["items"], theirs["items"], sides, f"{path}[]")
    else:
        yield from _scalars(ours, theirs, sides, path)


def _maps(ours: Schema, theirs: Schema, sides: Sides, path: str) -> Iterator[str]:
    known = theirs.get("properties", {})
    for name, part in ours["properties"].items():
        if name in known:
            yield from _compared(part, known[name], sides, f"{path}.{name}")
        else:
            yield f"{path}.{name}: is not a field there"
    for name in theirs.get("required", ()):
        if name not in ours.get("required", ()):
            yield f"{path}.{name}: is needed there and not by us"


def _scalars(ours: Schema, theirs: Schema, sides: Sides, path: str) -> Iterator[str]:
    allowed = {wider for kind in _kinds(ours, sides) for wider in _SAME.get(kind, {kind})}
    if theirs.get("type") not in allowed:
        yield f"{path}: is {theirs.get('type')} there and {sorted(_kinds(ours, sides))} here"
    enum = theirs.get("enum")
    words = ours.get("enum", [ours["const"]] if "const" in ours else [])
    if enum is not None and words:
        yield from (f"{path}: `{word}` is not allowed there" for word in words if word not in enum)


def _kinds(ours: Schema, sides: Sides) -> set[str]:
    if "anyOf" in ours:
        return {kind for part in ours["anyOf"] for kind in _kinds(sides.ours(part), sides)} - {"null"}
    return {str(ours.get("type"))}


def _any_number_or_text(theirs: Schema) -> bool:
    return bool(
        theirs.get("x-kubernetes-int-or-string")
        or theirs.get("format") == "int-or-string"
        or {part.get("type") for part in theirs.get("oneOf", ())} == {"string", "number"}
    )
