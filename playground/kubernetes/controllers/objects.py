"""Reading and shaping Kubernetes objects, which are plain JSON mappings here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, or a part of one."""

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: no vowels, so that no words arise (as the API server does)."""


def meta(obj: Mapping[str, Any]) -> Object:
    found: Object = obj["metadata"]
    return found


def name_of(obj: Mapping[str, Any]) -> str:
    return str(meta(obj)["name"])


def namespace_of(obj: Mapping[str, Any]) -> str:
    return str(meta(obj).get("namespace", ""))


def uid_of(obj: Mapping[str, Any]) -> str:
    return str(meta(obj).get("uid", ""))


def labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return meta(obj).get("labels") or {}


def annotations_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return meta(obj).get("annotations") or {}


def spec_of(obj: Mapping[str, Any]) -> Object:
    return obj.get("spec") or {}


def status_of(obj: Mapping[str, Any]) -> Object:
    return obj.get("status") or {}


def is_going(obj: Mapping[str, Any]) -> bool:
    """Say whether its deletion has been asked for."""
    return bool(meta(obj).get("deletionTimestamp"))


def group_of(obj: Mapping[str, Any]) -> str:
    """Return the API group; empty for the core one."""
    group, slash, _ = str(obj["apiVersion"]).partition("/")
    return group if slash else ""


def stamp(now: datetime) -> str:
    """Write a time as Kubernetes does: whole seconds of UTC."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


def owner_reference(owner: Object) -> Object:
    """Return the reference with which a controller marks what it made."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owners_of(obj: Mapping[str, Any]) -> Sequence[Object]:
    return meta(obj).get("ownerReferences") or []


def controller_of(obj: Mapping[str, Any]) -> Object | None:
    return next((owner for owner in owners_of(obj) if owner.get("controller")), None)


def controlled_by(owner: Object, objects: Iterable[Object]) -> list[Object]:
    uid = uid_of(owner)
    return [obj for obj in objects if (found := controller_of(obj)) and found["uid"] == uid]


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector matches. An empty one matches everything, none at all nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in expressions
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def condition(status: Mapping[str, Any], kind: str) -> Object | None:
    return next((found for found in status.get("conditions") or [] if found["type"] == kind), None)


def with_conditions(before: Mapping[str, Any], wanted: Sequence[Object], now: datetime) -> list[Object]:
    """Return the conditions of a status with `wanted` put in; a transition time moves only when the status does."""
    result = [dict(found) for found in before.get("conditions") or []]
    for new in wanted:
        old = next((found for found in result if found["type"] == new["type"]), None)
        kept = old["lastTransitionTime"] if old and old["status"] == new["status"] else stamp(now)
        entered = {"lastTransitionTime": kept, **new}
        if old is None:
            result.append(entered)
        else:
            result[result.index(old)] = entered
    return result


def without_zeros(status: Object) -> Object:
    """Leave out what Kubernetes leaves out of a status: zeros, empty texts, lists and mappings."""
    return {key: value for key, value in status.items() if value not in (0, "", None) and value not in ([], {})}


def short_hash(value: object, length: int = 10) -> str:
    """Return a hash of JSON in the alphabet of generated names."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "".join(NAME_ALPHABET[byte % len(NAME_ALPHABET)] for byte in digest[:length])
