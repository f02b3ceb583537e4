"""Refusals in the API server's own words and shape: `Status` objects (`k8s.io/apimachinery/pkg/api/errors`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playground.kubernetes.registry import Resource

if TYPE_CHECKING:
    from playground.kubernetes.rbac import Attempt


class ApiError(Exception):
    """Becomes a `Status` of kind `Failure` with this HTTP status."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        self.metadata: dict[str, Any] = {}

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = dict(self.details)
        return {**body, "code": self.code}


class Cause(dict[str, Any]):
    """One mistake of an invalid object: machine reason, sentence, path of the field."""

    def __init__(self, reason: str, message: str, field: str) -> None:
        super().__init__(reason=reason, message=message, field=field)


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", "Required value" + (f": {detail}" if detail else ""), field)


def invalid_value(field: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {_shown(value)}: {detail}", field)


def not_supported(field: str, value: Any, supported: Sequence[str]) -> Cause:
    known = ", ".join(f'"{word}"' for word in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {_shown(value)}: supported values: {known}", field)


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", field)


def forbidden_value(field: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", field)


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def details(resource: Resource, name: str, *, kind: bool = False) -> dict[str, Any]:
    """Return what `details` names: group, resource (or kind) and object."""
    found: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        found["group"] = resource.group
    return {**found, "kind": resource.kind if kind else resource.plural}


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', details(resource, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str, *, going: bool) -> ApiError:
    """Refuse a name that is taken; `going`: by an object whose deletion still waits for something."""
    before = "object is being deleted: " if going else ""
    text = f'{before}{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", text, details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    text = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", text, details(resource, name))


def modified(resource: Resource, name: str) -> ApiError:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def uid_changed(resource: Resource, old: Mapping[str, Any], uid: str) -> ApiError:
    """Refuse the replacement of another object, as the storage below the real server words it."""
    held = old["metadata"]
    place = "/".join(filter(None, (resource.plural, held.get("namespace"), held["name"])))
    why = f"StorageError: invalid object, Code: 4, Key: /registry/{place}, ResourceVersion: 0, AdditionalErrorMsg: "
    why += f"Precondition failed: UID in precondition: {uid}, UID in object meta: {held['uid']}"
    return conflict(resource, held["name"], why)


def uid_of_nobody(resource: Resource, name: str, uid: str) -> ApiError:
    """Refuse to make an object that is to be one that was there before."""
    return conflict(
        resource, name, f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
    )


def invalid(resource: Resource, name: str, causes: Sequence[Mapping[str, Any]], *, kind: str | None = None) -> ApiError:
    """Return a 422 with every mistake in its message and its details. `kind` is shown where it is not the kind."""
    shown = kind or resource.kind
    kind = f"{shown}.{resource.group}" if resource.group else shown
    lines = [f"{cause['field']}: {cause['message']}" for cause in causes]
    text = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    found = {**details(resource, name, kind=True), "kind": shown, "causes": [dict(cause) for cause in causes]}
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {text}', found)


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Mapping[str, Any]] = ()) -> ApiError:
    found = details(resource, name) | ({"causes": [dict(cause) for cause in causes]} if causes else {})
    shown = f'{resource.qualified} "{name}"' if name else resource.qualified
    return ApiError(403, "Forbidden", f"{shown} is forbidden: {why}", found)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def method_not_supported() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden_attempt(user: str, attempt: Attempt, reason: str) -> ApiError:
    """Refuse what RBAC does not grant."""
    plural, name = attempt.resource.partition("/")[0], attempt.name
    qualified = f"{plural}.{attempt.group}" if attempt.group else plural
    shown = f'{qualified} "{name}"' if name else qualified
    text = f'{shown} is forbidden: User "{user}" {attempt}' + (f": {reason}" if reason else "")
    found = ({"name": name} if name else {}) | ({"group": attempt.group} if attempt.group else {})
    return ApiError(403, "Forbidden", text, {**found, "kind": plural})


def forbidden_path(user: str, verb: str, path: str) -> ApiError:
    return ApiError(403, "Forbidden", f'forbidden: User "{user}" cannot {verb} path "{path}"', {})
