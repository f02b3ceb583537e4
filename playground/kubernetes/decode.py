"""From JSON to the object that the API server holds: types checked, unknown fields found, Go's habits followed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from playground.kubernetes import quantity
from playground.kubernetes.schema import Anything, ListOf, MapOf, Scalar, Struct, Type

GO_TYPES = {"bool": "bool", "int32": "int32", "int64": "int64", "double": "float64"}
RANGES = {"int32": 2**31, "int64": 2**63}


class Undecodable(Exception):
    """The JSON has the wrong type somewhere; the text is what Go's decoder says."""


class Members(dict[str, Any]):
    """A JSON object that remembers which of its members came more than once."""

    duplicates: tuple[str, ...] = ()


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Serve as `object_pairs_hook` of `json.loads`."""
    found = Members(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        found.duplicates = tuple(dict.fromkeys(name for name in names if names.count(name) > 1))
    return found


@dataclass(slots=True)
class Decoder:
    """Reads one object. `complaints` are what strict field validation refuses, in the order of the document."""

    custom: bool = False
    package: str = "v1"
    complaints: list[str] = field(default_factory=list)

    def read(self, shape: Struct, given: dict[str, Any]) -> dict[str, Any]:
        return self._struct(shape, given, "", "")

    def _struct(self, shape: Struct, given: dict[str, Any], path: str, go_path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name in getattr(given, "duplicates", ()):
            self.complaints.append(f'duplicate field "{_joined(path, name)}"')
        for name, value in given.items():
            kind = shape.type_of(name)
            if kind is None:
                self.complaints.append(f'unknown field "{_joined(path, name)}"')
                continue
            if value is None and not (self.custom and go_path.partition(".")[0] != "metadata"):
                continue
            found = self._value(kind, value, _joined(path, name), f"{shape.name}.{_joined(go_path, name)}")
            if self.custom or not _is_nothing(kind, found):
                result[name] = found
        if not self.custom or path == "metadata":
            _fill(shape, result)
        return result

    def _value(self, kind: Type, value: Any, path: str, where: str) -> Any:
        go_path = where.partition(".")[2]
        if isinstance(kind, Anything) or value is None:
            return value
        if isinstance(kind, Scalar):
            return value if self.custom and not path.startswith("metadata") else self._scalar(kind, value, where)
        if self._is_mistyped(kind, value, path, where):
            return value
        if isinstance(kind, Struct):
            return self._struct(kind, value, path, go_path)
        if isinstance(kind, MapOf):
            return {key: self._value(kind.element, item, _joined(path, key), where) for key, item in value.items()}
        return [self._item(kind.element, item, f"{path}[{index}]", where) for index, item in enumerate(value)]

    def _item(self, kind: Type, item: Any, path: str, where: str) -> Any:
        if isinstance(kind, Struct) and item is None:
            return self._struct(kind, {}, path, where.partition(".")[2])
        return self._value(kind, item, path, where)

    def _is_mistyped(self, kind: Type, value: Any, path: str, where: str) -> bool:
        """Refuse a value that is no object or list; those of custom resources are left to their own schema."""
        if isinstance(value, list if isinstance(kind, ListOf) else dict):
            return False
        if self.custom and not path.startswith("metadata"):
            return True
        raise mismatch(value, where, self.go_type(kind))

    def _scalar(self, kind: Scalar, value: Any, where: str) -> Any:
        match kind.name:
            case "quantity":
                return _quantity(value)
            case "intstr":
                return _int_or_string(value)
            case "time" | "microtime":
                return _time(value, where)
            case "bytes":
                return _base64(value, where)
            case "string":
                fits = isinstance(value, str)
            case "bool":
                fits = isinstance(value, bool)
            case "double":
                fits = isinstance(value, int | float) and not isinstance(value, bool)
            case _:
                fits = isinstance(value, int) and not isinstance(value, bool) and _in_range(kind.name, value)
        if not fits:
            raise mismatch(value, where, GO_TYPES.get(kind.name, "string"))
        return value

    def go_type(self, kind: Type) -> str:
        if isinstance(kind, ListOf):
            return "[]" + self.go_type(kind.element)
        if isinstance(kind, MapOf):
            return "map[string]" + self.go_type(kind.element)
        if isinstance(kind, Struct):
            return f"{self.package}.{kind.name}"
        return GO_TYPES.get(kind.name, "string") if isinstance(kind, Scalar) else "interface {}"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fill(shape: Struct, result: dict[str, Any]) -> None:
    """Put in what Go always has: structures that are no pointers."""
    for name, described in shape.fields.items():
        if described.always and isinstance(described.type, Struct) and name not in result:
            result[name] = {}
            _fill(described.type, result[name])


def _is_nothing(kind: Type, value: Any) -> bool:
    """Say whether Go leaves an empty map, list or text away."""
    return isinstance(kind, MapOf | ListOf) and not value


def _in_range(name: str, value: int) -> bool:
    limit = RANGES.get(name, 2**63)
    return -limit <= value < limit


def mismatch(value: Any, where: str, wanted: str) -> Undecodable:
    return Undecodable(f"json: cannot unmarshal {_kind(value)} into Go struct field {where} of type {wanted}")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return f"number {value}"
    if isinstance(value, int):
        return f"number {value}" if not _in_range("int32", value) else "number"
    if isinstance(value, dict):
        return "object"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "null"


def _quantity(value: Any) -> str:
    try:
        return quantity.canonical(value)
    except ValueError as error:
        raise Undecodable(str(error)) from error


def _int_or_string(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Undecodable(f"json: cannot unmarshal {_kind(value)} into Go value of type int32")
    return value


def _time(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise mismatch(value, where, "string")
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise Undecodable(
            f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        ) from error
    return value


def _base64(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise mismatch(value, where, "[]uint8")
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as error:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
        place = next((index for index, letter in enumerate(value) if letter not in alphabet), len(value))
        raise Undecodable(f"illegal base64 data at input byte {place}") from error
    return value
