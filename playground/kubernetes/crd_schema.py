"""What a CustomResourceDefinition's schema says about values: defaults, and mistakes in the API server's words.

Covered are the types and limits of structural schemas. CEL rules (`x-kubernetes-validations`) are not evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from playground.kubernetes.objects import copied
from playground.kubernetes.status import Cause, not_supported, required
from playground.kubernetes.typed import canonical

Schema = Mapping[str, Any]
TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def with_defaults(schema: Schema, value: Any) -> Any:
    """Fill in the schema's defaults, in place; a null that is not allowed gives way to its default."""
    if isinstance(value, dict):
        for name, shape in schema.get("properties", {}).items():
            if "default" in shape and (name not in value or (value[name] is None and not shape.get("nullable"))):
                value[name] = copied(shape["default"])
            elif name in value and value[name] is None and not shape.get("nullable") and "default" not in shape:
                continue
            if name in value:
                with_defaults(shape, value[name])
        element = schema.get("additionalProperties")
        if isinstance(element, dict):
            for item in value.values():
                with_defaults(element, item)
    elif isinstance(value, list):
        for item in value:
            with_defaults(schema.get("items", {}), item)
    return value


def mistakes(schema: Schema, value: Any, path: str = "") -> Iterator[Cause]:
    """Yield every mistake of a value; `path` is where it stands."""
    if value is None and schema.get("nullable"):
        return
    wrong = _type_mistake(schema, value, path)
    if wrong:
        yield wrong
        return
    if "enum" in schema and value not in schema["enum"]:
        yield _unsupported(schema, value, path)
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, str):
        yield from _text(schema, value, path)
    elif not isinstance(value, bool):
        yield from _number(schema, value, path)


def _unsupported(schema: Schema, value: Any, path: str) -> Cause:
    cause = not_supported(path, value, ())
    cause["message"] += ", ".join(canonical(word) for word in schema["enum"])
    return cause


def _type_mistake(schema: Schema, value: Any, path: str) -> Cause | None:
    if schema.get("x-kubernetes-int-or-string"):
        fits, wanted = isinstance(value, int | str) and not isinstance(value, bool), "integer,string"
    else:
        wanted = schema.get("type", "")
        kinds = TYPES.get(wanted)
        fits = kinds is None or (isinstance(value, kinds) and isinstance(value, bool) == (wanted == "boolean"))
    if fits:
        return None
    given = NAMES.get(type(value), "null") if not isinstance(value, dict | list) else NAMES[dict]
    given = "array" if isinstance(value, list) else given
    text = f'Invalid value: "{given}": {path} in body must be of type {wanted}: "{given}"'
    return Cause("FieldValueTypeInvalid", text, path)


def _object(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for name in schema.get("required", ()):
        if name not in value:
            yield required(_below(path, name))
    properties = schema.get("properties", {})
    element = schema.get("additionalProperties")
    for name, item in value.items():
        if not path and name in {"apiVersion", "kind", "metadata"}:
            continue
        shape = properties.get(name, element)
        if isinstance(shape, dict):
            yield from mistakes(shape, item, _below(path, name))
    if len(value) > schema.get("maxProperties", len(value)):
        most = schema["maxProperties"]
        yield Cause("FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items", path)


def _list(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxItems", len(value)):
        most = schema["maxItems"]
        yield Cause("FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items", path)
    if len(value) < schema.get("minItems", 0):
        yield _invalid(path, value, f"{path} in body should have at least {schema['minItems']} items")
    for index, item in enumerate(value):
        yield from mistakes(schema.get("items", {}), item, f"{path}[{index}]")
    yield from _doubles(schema, value, path)


def _doubles(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in {"map", "set"}:
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        keys = schema.get("x-kubernetes-list-map-keys", ())
        shown = canonical({key: item.get(key) for key in keys} if kind == "map" and isinstance(item, dict) else item)
        if shown in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", f"{path}[{index}]")
        seen.add(shown)


def _text(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxLength", len(value)):
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {schema['maxLength']} bytes", path)
    if len(value) < schema.get("minLength", 0):
        yield _invalid(path, value, f"{path} in body should be at least {schema['minLength']} chars long")
    pattern = schema.get("pattern")
    if pattern and not re.search(pattern, value):
        yield _invalid(path, value, f"{path} in body should match '{pattern}'")
    if schema.get("format") == "date-time" and not _is_moment(value):
        yield _invalid(path, value, f'{path} in body must be of type date-time: "{value}"')


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _number(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    if "minimum" in schema and value < schema["minimum"]:
        yield _invalid(path, value, f"{path} in body should be greater than or equal to {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        yield _invalid(path, value, f"{path} in body should be less than or equal to {schema['maximum']}")


def _invalid(path: str, value: Any, text: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {canonical(value)}: {text}", path)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
