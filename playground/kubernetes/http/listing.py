"""Lists: selectors, pages that stay consistent, and resource versions."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from playground.kubernetes.http.parameters import Query, options_invalid, whole_number
from playground.kubernetes.objects import Object, Objects
from playground.kubernetes.registry import Resource
from playground.kubernetes.selectors import Filter, field_filter, label_filter
from playground.kubernetes.status import ApiError, bad_request, expired, forbidden_value

FORMAT = "meta.k8s.io/v1"
TOO_OLD = "The resourceVersion for the provided list is too old."
PAGES_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Object]
    revision: int
    token: str = ""
    remaining: int | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = {"resourceVersion": str(self.revision)}
        if self.token:
            found["continue"] = self.token
            if self.remaining is not None:
                found["remainingItemCount"] = self.remaining
        return found


def filter_of(resource: Resource, query: Query, name: str = "") -> Filter:
    labels = label_filter(query.get("labelSelector", ""))
    fields = field_filter(resource, query.get("fieldSelector", ""))
    return lambda obj: labels(obj) and fields(obj) and (not name or obj["metadata"]["name"] == name)


def revision_of(query: Query) -> int | None:
    """Return the resource version asked for; None where none is."""
    text = query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdecimal():
        reason = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise bad_request(f"invalid resource version: {reason}")
    return int(text)


def too_large(wanted: int, current: int) -> ApiError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    text = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return ApiError(504, "Timeout", text, {"causes": [cause], "retryAfterSeconds": 1}, {"Retry-After": "1"})


def page_of(objects: Objects, resource: Resource, namespace: str, query: Query) -> Page:
    """Return one page. Raise a 410 where the state that it belongs to is no longer known."""
    limit = whole_number(query, "limit") or 0
    chosen = filter_of(resource, query)
    token = query.get("continue", "")
    if token:
        if query.get("resourceVersion") not in {None, "", "0"}:
            raise bad_request("specifying resource version is not allowed when using continue")
        revision, start = _read_token(token)
        if 0 <= revision < objects.oldest:
            error = expired(PAGES_TOO_OLD)
            error.metadata = {"continue": _token(-1, start)}
            raise error
        revision = revision if revision >= 0 else objects.revision
    else:
        revision, start = _wanted_revision(objects, query), ""
    found = [obj for obj in objects.at(resource.key, namespace, revision) if chosen(obj)]
    rest = [obj for obj in found if _place(obj, namespace) >= start] if start else found
    if not limit or len(rest) <= limit:
        return Page(rest, revision)
    selective = query.get("labelSelector") or query.get("fieldSelector")
    last = _place(rest[limit - 1], namespace)
    return Page(rest[:limit], revision, _token(revision, last + "\0"), None if selective else len(rest) - limit)


def _wanted_revision(objects: Objects, query: Query) -> int:
    wanted, match = revision_of(query), query.get("resourceVersionMatch", "")
    if match and wanted is None:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise options_invalid("ListOptions", [forbidden_value("resourceVersionMatch", text)])
    if wanted and wanted > objects.revision:
        raise too_large(wanted, objects.revision)
    if match == "Exact" and wanted is not None:
        if wanted < objects.oldest:
            raise expired(TOO_OLD)
        return wanted
    return objects.revision


def _place(obj: Object, namespace: str) -> str:
    """Return the key below the collection, as the real server's storage has it."""
    metadata = obj["metadata"]
    inner = metadata["name"] if namespace else f"{metadata.get('namespace', '')}/{metadata['name']}"
    return inner if namespace or metadata.get("namespace") else metadata["name"]


def _token(revision: int, start: str) -> str:
    text = json.dumps({"v": FORMAT, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(found["rv"]), str(found["start"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error
