"""PATCH: JSON patch, merge patch, strategic merge patch, and server-side apply."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from playground.kubernetes import strategy, typed_check
from playground.kubernetes.decode import Undecodable
from playground.kubernetes.http.bodies import from_json, from_yaml, unsupported
from playground.kubernetes.http.call import Call, respond
from playground.kubernetes.http.parameters import dry_run, field_validation, is_set
from playground.kubernetes.http.writing import fit_name, fit_namespace, heed
from playground.kubernetes.objects import Object, copied
from playground.kubernetes.patches import NotRestorable, json_patched, merged, strategic
from playground.kubernetes.status import ApiError, bad_request

JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
OPTIONS = "PatchOptions"


def patch(call: Call) -> web.Response:
    kind = call.content_type
    known = [JSON_PATCH, MERGE, *([] if call.resource.custom else [STRATEGIC]), APPLY]
    if kind not in known:
        if not call.resource.custom:
            raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
        raise unsupported(", ".join(known))
    dry, validation = dry_run(call.query, OPTIONS), field_validation(call.query, OPTIONS)
    manager = call.manager(OPTIONS, applies=kind == APPLY)
    if kind == APPLY:
        return _apply(call, manager, dry=dry)
    old = call.existing()
    changed, shown = patched(call, old)
    given = _decoded(call, changed, shown, validation)
    fit_namespace(call, given)
    fit_name(call, given)
    result = call.store.patch(
        call.resource, old, given, manager=manager, subresource=call.target.subresource, dry_run=dry
    )
    return respond(call.shown(result), 200, call.warnings)


def patched(call: Call, old: Object) -> tuple[Any, str]:
    """Return what the patch makes of an object, and how a refusal would show it."""
    try:
        body = from_json(call.body)
    except ValueError:
        raise bad_request("invalid JSON patch") from None
    if call.content_type == JSON_PATCH:
        changed = json_patched(old, body)
        return changed, json.dumps(changed, separators=(",", ":"))
    if not isinstance(body, dict):
        word = "array" if isinstance(body, list) else "string" if isinstance(body, str) else "number"
        text = f"error decoding patch: json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
        raise bad_request(text)
    if call.content_type == MERGE:
        changed = merged(old, body)
        return changed, json.dumps(changed, separators=(",", ":"))
    shown = typed_check.go_text(body)
    try:
        return strategic(strategy.shape_of(call.resource), copied(old), body), shown
    except NotRestorable as error:
        raise _invalid_patch(shown, str(error)) from error


def _decoded(call: Call, changed: Any, shown: str, validation: str) -> Object:
    if not isinstance(changed, dict):
        raise _invalid_patch(shown, "json: cannot unmarshal into Go value")
    try:
        given, complaints = strategy.decoded(call.resource, changed)
    except Undecodable as error:
        raise _invalid_patch(shown, str(error)) from error
    heed(call, complaints, validation, lambda text: _invalid_patch(shown, text))
    return given


def _invalid_patch(shown: str, why: str) -> ApiError:
    text = f"Invalid value: {json.dumps(shown)}: {why}"
    causes = [{"reason": "FieldValueInvalid", "message": text, "field": "patch"}]
    return ApiError(422, "Invalid", f' "" is invalid: patch: {text}', {"causes": causes})


def _apply(call: Call, manager: str, *, dry: bool) -> web.Response:
    wanted = _configuration(call)
    metadata = wanted["metadata"]
    mismatched = _mismatch(call, metadata)
    label = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    shape = strategy.shape_of(call.resource, call.target.version)
    found = list(typed_check.mistakes(shape, wanted))
    if found:
        text = found[0] if len(found) == 1 else "errors:\n  " + "\n  ".join(found)
        raise ApiError(500, "", f"failed to create typed patch object ({_label(call, label)}): {text}")
    wanted = {**wanted, "apiVersion": call.resource.api_version, "metadata": {**metadata, "name": call.target.name}}
    if call.resource.namespaced:
        wanted["metadata"]["namespace"] = call.target.namespace
    try:
        made, is_new = call.store.apply(
            wanted, manager=manager, force=is_set(call.query, "force"), subresource=call.target.subresource,
            dry_run=dry or mismatched is not None,
        )  # fmt: skip
    except Undecodable as error:
        version = _label(call, label)
        why = f"unable to convert unstructured object to {call.target.api_version}, Kind={call.resource.kind}: {error}"
        raise ApiError(500, "", f"failed to convert new object ({version}) to proper version: {why}") from error
    if mismatched:
        raise mismatched  # a conflict over fields would have come first
    return respond(call.shown(made), 201 if is_new else 200, call.warnings)


def _label(call: Call, place: str) -> str:
    return f"{place}; {call.target.api_version}, Kind={call.resource.kind}"


def _configuration(call: Call) -> Object:
    """Read what is to be applied. Raise a 400 for what is no object of this kind."""
    try:
        wanted = from_yaml(call.body)
    except yaml.YAMLError as error:
        raise bad_request(f"error encoding patch: yaml: {' '.join(str(error).split())}") from error
    if not isinstance(wanted, dict):
        word = "array" if isinstance(wanted, list) else "string"
        why = f"json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding patch: error unmarshaling JSON: while decoding JSON: {why}")
    kind, api_version = wanted.get("kind", ""), wanted.get("apiVersion", "/")
    if (kind, api_version) != (call.resource.kind, call.target.api_version):
        raise bad_request(f"invalid object type: {api_version}, Kind={kind}")
    metadata = wanted.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    if metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    return {**wanted, "metadata": metadata}


def _mismatch(call: Call, metadata: Object) -> ApiError | None:
    try:
        fit_namespace(call, {"metadata": dict(metadata)})
        fit_name(call, {"metadata": {"name": call.target.name, **metadata}})
    except ApiError as error:
        return error
    return None
