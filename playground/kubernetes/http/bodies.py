"""Bodies of requests: JSON or YAML, and what is said about those that are neither."""

from __future__ import annotations

import json
from typing import Any

import yaml

from playground.kubernetes.decode import members
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError, bad_request

JSON, YAML = "application/json", "application/yaml"
ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
UNKNOWN_FORMAT = "the body of the request was in an unknown format - accepted media types include: "


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: a time stays a text."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:timestamp"]
    for letter, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def from_json(raw: bytes) -> Any:
    return json.loads(raw, object_pairs_hook=members)


def from_yaml(raw: bytes) -> Any:
    """Read the first document; JSON is YAML too, and read faster as what it is."""
    try:
        return from_json(raw)
    except ValueError:
        return next(yaml.load_all(raw, Loader=_Loader), None)


def unsupported(accepted: str = ACCEPTED) -> ApiError:
    return ApiError(415, "UnsupportedMediaType", UNKNOWN_FORMAT + accepted)


def read_object(raw: bytes, content_type: str, resource: Resource) -> dict[str, Any]:
    """Read what a POST or PUT carries. Raise a 400 or 415 in the API server's words."""
    if content_type not in {JSON, YAML, ""}:
        raise unsupported()
    try:
        given = from_yaml(raw) if content_type == YAML else from_json(raw)
    except (ValueError, yaml.YAMLError):
        shown = raw.decode(errors="replace") or "<empty>"
        why = "json parse error: unexpected end of JSON input" if not content_type.endswith("yaml") else "yaml error"
        text = f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
        raise bad_request(f"{text}{why} ({shown[:100]})") from None
    if not isinstance(given, dict):
        text = f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
        text += "json parse error: json: cannot unmarshal into Go value of type struct"
        raise bad_request(text)
    return given
