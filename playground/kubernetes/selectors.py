"""Label and field selectors, as lists and watches take them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError, bad_request

Filter = Callable[[Object], bool]
_SET = re.compile(r"\s*([^\s,=!()]+)\s+(in|notin)\s*\(([^()]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s,=!()]+)\s*(==|=|!=)\s*([^\s,=!()]*)\s*")
_PRESENT = re.compile(r"\s*(!?)\s*([^\s,=!()]+)\s*")

FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
        "status.podIP", "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "Job": ("status.successful",),
    "ReplicaSet": ("status.replicas",),
}  # fmt: skip
"""Kind → the fields that one may select by, beside `metadata.name` and `metadata.namespace`."""


def label_filter(text: str) -> Filter:
    """Read `app=a,tier in (x,y),!legacy`. Raise a 400 for what cannot be read."""
    tests: list[Callable[[Mapping[str, str]], bool]] = []
    rest = text
    while rest.strip():
        test, rest = _requirement(rest, text)
        tests.append(test)
        if rest and not rest.startswith(","):
            raise _unreadable(text)
        rest = rest[1:]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def _requirement(rest: str, whole: str) -> tuple[Callable[[Mapping[str, str]], bool], str]:
    if match := _SET.match(rest):
        key, operator, words = match.groups()
        values = frozenset(word.strip() for word in words.split(","))
        return (lambda labels: (labels.get(key) in values) == (operator == "in")), rest[match.end() :]
    if match := _EQUAL.match(rest):
        key, operator, value = match.groups()
        if operator == "!=":
            return (lambda labels: labels.get(key) != value), rest[match.end() :]
        return (lambda labels: labels.get(key) == value), rest[match.end() :]
    if match := _PRESENT.match(rest):
        absent, key = match.groups()
        return (lambda labels: (key in labels) != bool(absent)), rest[match.end() :]
    raise _unreadable(whole)


def _unreadable(text: str) -> ApiError:
    return bad_request(f"unable to parse requirement: found '{text}', expected: identifier")


def field_filter(resource: Resource, text: str) -> Filter:
    """Read `metadata.name=a,status.phase!=Running`. Raise a 400 for a field that the kind does not offer."""
    tests: list[tuple[str, bool, str]] = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
        if match is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        field, operator, value = match.groups()
        if field not in _offered(resource):
            raise bad_request(f"field label not supported: {field}")
        tests.append((field, operator != "!=", value))
    return lambda obj: all((_field(obj, field) == value) == wanted for field, wanted, value in tests)


def _offered(resource: Resource) -> tuple[str, ...]:
    scope = ("metadata.namespace",) if resource.namespaced else ()
    return ("metadata.name", *scope, *FIELDS.get(resource.kind, ()))


def _field(obj: Object, path: str) -> str:
    if path == "source":
        return str(obj.get("source", {}).get("component", ""))
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def matches_selector(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether an object's `matchLabels` and `matchExpressions` choose these labels."""
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    return all(_expression(part, labels) for part in selector.get("matchExpressions") or ())


def _expression(part: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = part.get("key", ""), part.get("values") or ()
    match part.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
