"""The shape of each kind: its fields, their types, and how server-side apply merges them.

`schema.txt` has one line for each definition of the API server's OpenAPI description:

    Name: field:type field:type …      `@Name`: the object is one value to server-side apply (atomic)
    field*:type                        required        `field:Name!`: there even when nobody sent it (no pointer in Go)
    {type}  {type}@                    map, atomic map
    [type]                             list that is one value (atomic)
    [type|]  [type|key,key]            set; list that is a map by these keys
    [type~key]                         strategic merge patch merges it by this key; by value where the key is empty
    string(A,B)=C                      words that are allowed, default of a list's key
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("schema.txt")


@dataclass(frozen=True, slots=True)
class Scalar:
    """`string`, `int32`, `int64`, `double`, `bool`, `bytes`, `quantity`, `intstr`, `time`, `microtime`."""

    name: str
    words: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Anything:
    """JSON without a description: objects are merged key by key, lists are one value."""


@dataclass(frozen=True, slots=True)
class MapOf:
    element: Type
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    element: Type
    kind: str = "atomic"
    """`atomic`, `set` or `map`."""
    keys: tuple[str, ...] = ()
    merge_key: str | None = None
    """How a strategic merge patch merges: None replaces, `` merges values, else by this key."""


@dataclass(frozen=True, slots=True)
class Field:
    type: Type
    required: bool = False
    always: bool = False


@dataclass(slots=True)
class Struct:
    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    extra: Type | None = None
    """Type of fields that are not described; None refuses (or drops) them."""
    atomic: bool = False

    def type_of(self, name: str) -> Type | None:
        found = self.fields.get(name)
        return found.type if found else self.extra


Type = Scalar | Anything | MapOf | ListOf | Struct
ANYTHING = Anything()


@cache
def built_in() -> Mapping[str, Struct]:
    """Return every definition of `schema.txt` by name. A kind's name is its definition's."""
    rows = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    found: dict[str, Struct] = {}
    for row in rows:
        name = row.partition(": ")[0].rstrip(":")
        found[name.removeprefix("@")] = Struct(name.removeprefix("@"), atomic=name.startswith("@"))
    for row in rows:
        name, _, fields = row.partition(": ")
        struct = found[name.rstrip(":").removeprefix("@")]
        for word in fields.split():
            label, _, text = word.partition(":")
            struct.fields[label.rstrip("*")] = Field(
                _type(text.rstrip("!"), found), required=label.endswith("*"), always=text.endswith("!")
            )
    return found


def _type(text: str, known: Mapping[str, Struct]) -> Type:
    if text.startswith("["):
        return _list(text[1:-1], known)
    if text.startswith("{"):
        return MapOf(_type(text.rstrip("@")[1:-1], known), atomic=text.endswith("@"))
    if text == "any":
        return ANYTHING
    match = re.fullmatch(r"([a-z0-9]+)(?:\(([^)]*)\))?(?:=(.*))?", text)
    if match:
        return Scalar(match[1], tuple(match[2].split(",")) if match[2] else (), match[3])
    return known[text]


def _list(inner: str, known: Mapping[str, Struct]) -> ListOf:
    before, tilde, merge_key = inner.rpartition("~") if "~" in inner else (inner, "", "")
    element, bar, keys = before.rpartition("|") if "|" in before else (before, "", "")
    kind = "atomic" if not bar else "map" if keys else "set"
    merges = merge_key if tilde else None
    return ListOf(_type(element, known), kind, tuple(filter(None, keys.split(","))), merges)


def loose(kind: str) -> Struct:
    """Return the shape of a custom resource that nobody described: metadata, and whatever stands beside it."""
    return Struct(kind, dict(_head()), extra=ANYTHING)


def _head() -> dict[str, Field]:
    return {
        "apiVersion": Field(Scalar("string")),
        "kind": Field(Scalar("string")),
        "metadata": Field(built_in()["ObjectMeta"], always=True),
    }


def custom(kind: str, described: Mapping[str, Any]) -> Struct:
    """Return the shape that a CustomResourceDefinition's `openAPIV3Schema` describes."""
    found = _custom_type(described, kind)
    if not isinstance(found, Struct):
        found = Struct(kind, extra=ANYTHING)
    found.fields |= _head()
    return found


def _custom_type(described: Mapping[str, Any], name: str) -> Type:
    if described.get("x-kubernetes-int-or-string"):
        return Scalar("intstr")
    match described.get("type"):
        case "object":
            return _custom_object(described, name)
        case "array":
            return _custom_list(described, name)
        case "string":
            return Scalar("string")  # its words are checked with the rest of the CRD's schema
        case "integer":
            return Scalar("int64")
        case "number":
            return Scalar("double")
        case "boolean":
            return Scalar("bool")
    return ANYTHING


def _custom_object(described: Mapping[str, Any], name: str) -> Type:
    atomic = described.get("x-kubernetes-map-type") == "atomic"
    if described.get("x-kubernetes-embedded-resource") and "properties" not in described:
        return loose(name)
    element = described.get("additionalProperties")
    if element and "properties" not in described:
        return MapOf(_custom_type(element, name) if isinstance(element, dict) else ANYTHING, atomic=atomic)
    keeps = described.get("x-kubernetes-preserve-unknown-fields")
    properties = described.get("properties", {})
    fields = {key: Field(_custom_type(shape, key)) for key, shape in properties.items()}
    return Struct(name, fields, extra=ANYTHING if keeps else None, atomic=atomic)


def _custom_list(described: Mapping[str, Any], name: str) -> ListOf:
    element = _custom_type(described.get("items", {}), name)
    kind = described.get("x-kubernetes-list-type", "atomic")
    return ListOf(element, kind, tuple(described.get("x-kubernetes-list-map-keys", ())))
