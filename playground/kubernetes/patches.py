"""JSON patch (RFC 6902), merge patch (RFC 7396) and Kubernetes' strategic merge patch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.kubernetes.objects import copied
from playground.kubernetes.schema import ListOf, MapOf, Struct, Type
from playground.kubernetes.status import ApiError, bad_request
from playground.kubernetes.typed import inner_type

NOT_APPLICABLE = "the server rejected our request due to an error in our request"
DIRECTIVE, ORDER, DELETE_VALUES, RETAIN = "$patch", "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys"


def merged(value: Any, patch: Any) -> Any:
    """Apply a merge patch: objects are merged, nulls delete, everything else replaces."""
    if not isinstance(patch, dict):
        return copied(patch)
    result = dict(value) if isinstance(value, dict) else {}
    for name, item in patch.items():
        if item is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), item)
    return result


def rejected() -> ApiError:
    return ApiError(422, "Invalid", NOT_APPLICABLE, {})


def json_patched(value: Any, operations: Any) -> Any:
    """Apply a JSON patch. Raise a 400 for what is none, a 422 where it does not fit the value."""
    if not isinstance(operations, list):
        kind = "object" if isinstance(operations, dict) else type(operations).__name__
        text = f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {text}")
    result = copied(value)
    for operation in operations:
        try:
            result = _operated(result, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise rejected() from error
    return result


def _operated(value: Any, operation: Mapping[str, Any]) -> Any:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "add":
            return _add(value, path, copied(operation["value"]))
        case "remove":
            return _remove(value, path)
        case "replace":
            _at(value, path)
            return _add(_remove(value, path), path, copied(operation["value"])) if path else operation["value"]
        case "move":
            source = _pointer(operation["from"])
            moved = _at(value, source)
            return _add(_remove(value, source), path, moved)
        case "copy":
            return _add(value, path, copied(_at(value, _pointer(operation["from"]))))
        case "test" if _at(value, path) == operation["value"]:
            return value
    raise ValueError("a test that failed, or an operation that is none")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError("a JSON pointer starts with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(value: Any, path: list[str]) -> Any:
    for part in path:
        value = value[_index(value, part)] if isinstance(value, list) else value[part]
    return value


def _index(items: list[Any], part: str) -> int:
    if not part.isdecimal() or int(part) >= len(items):
        raise IndexError(part)
    return int(part)


def _add(value: Any, path: list[str], item: Any) -> Any:
    if not path:
        return item
    parent = _at(value, path[:-1])
    if isinstance(parent, list):
        place = len(parent) if path[-1] == "-" else int(path[-1])
        if not 0 <= place <= len(parent):
            raise IndexError(path[-1])
        parent.insert(place, item)
    elif isinstance(parent, dict):
        parent[path[-1]] = item
    else:
        raise TypeError("nothing can be added to a scalar")
    return value


def _remove(value: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _at(value, path[:-1])
    if isinstance(parent, list):
        del parent[_index(parent, path[-1])]
    else:
        del parent[path[-1]]
    return value


def strategic(shape: Type, value: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: as a merge patch, but lists with a merge key are merged item by item."""
    if not isinstance(patch, dict) or not isinstance(value, dict):
        return _without_directives(patch)
    if patch.get(DIRECTIVE) == "replace":
        return _without_directives({name: item for name, item in patch.items() if name != DIRECTIVE})
    if patch.get(DIRECTIVE) == "delete":
        return {}
    kept = patch.get(RETAIN)
    result = {name: item for name, item in value.items() if kept is None or name in kept}
    for name, item in patch.items():
        if name in {DIRECTIVE, RETAIN} or name.startswith(ORDER):
            continue
        if name.startswith(DELETE_VALUES):
            field = name.removeprefix(DELETE_VALUES)
            result[field] = [one for one in result.get(field, []) if one not in item]
        elif item is None:
            result.pop(name, None)
        else:
            kind, _ = inner_type(shape, name)
            result[name] = _field(kind, result.get(name), item, patch.get(ORDER + name))
    return result


def _field(shape: Type, value: Any, patch: Any, order: list[Any] | None) -> Any:
    if isinstance(shape, ListOf):
        if not isinstance(patch, list):
            kind = {str: "string", dict: "map", int: "int64", bool: "bool", float: "float64"}.get(type(patch), "value")
            raise NotRestorable(f"cannot restore slice from {kind}")
        return _list(shape, value if isinstance(value, list) else [], patch, order)
    if isinstance(shape, Struct | MapOf) or isinstance(patch, dict):
        return strategic(shape, value if isinstance(value, dict) else {}, patch)
    return copied(patch)


class NotRestorable(Exception):
    """The patch has the wrong type somewhere; the text is what the real server says."""


def _list(shape: ListOf, value: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if shape.merge_key is None:
        return [_without_directives(item) for item in patch]
    if shape.merge_key == "":
        return [*value, *(item for item in patch if item not in value)]
    key = shape.merge_key
    if any(isinstance(item, dict) and item.get(DIRECTIVE) == "replace" for item in patch):
        return [_without_directives(item) for item in patch if item.get(DIRECTIVE) != "replace"]
    return _merged_list(shape, key, value, patch, order)


def _merged_list(shape: ListOf, key: str, value: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    before = {item.get(key): item for item in value}
    deleted, changed = set(), {}
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            text = " ".join(f"{name}:{part}" for name, part in sorted(item.items())) if isinstance(item, dict) else item
            raise ApiError(500, "", f"map: map[{text}] does not contain declared merge key: {key}")
        if item.get(DIRECTIVE) == "delete":
            deleted.add(item[key])
        else:
            changed[item[key]] = strategic(shape.element, before.get(item[key], {}), item)
    result = {name: item for name, item in before.items() if name not in deleted} | changed
    wanted = [item[key] for item in order] if order else list(changed)
    names = _in_order([name for name in wanted if name in result], list(before), list(result))
    return [result[name] for name in names]


def _in_order(first: list[Any], server: list[Any], names: list[Any]) -> list[Any]:
    """Put what the patch names in its order; what only the server has keeps its place among what both have."""
    rest = [name for name in names if name not in first]
    result: list[Any] = []
    while first and rest:
        both = first[0] in server and rest[0] in server
        ahead = not both or server.index(first[0]) < server.index(rest[0])
        result.append((first if ahead else rest).pop(0))
    return result + first + rest


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_directives(item)
            for name, item in value.items()
            if name not in {DIRECTIVE, RETAIN} and not name.startswith((ORDER, DELETE_VALUES)) and item is not None
        }
    if isinstance(value, list):
        return [_without_directives(item) for item in value]
    return value
