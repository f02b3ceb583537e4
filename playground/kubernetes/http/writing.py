"""POST and PUT: whole objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from playground.kubernetes import strategy
from playground.kubernetes.decode import Undecodable
from playground.kubernetes.http.bodies import read_object
from playground.kubernetes.http.call import Call, respond
from playground.kubernetes.http.parameters import dry_run, field_validation
from playground.kubernetes.objects import Object
from playground.kubernetes.status import ApiError, bad_request, method_not_supported


def create(call: Call) -> web.Response:
    if call.resource.namespaced and not call.target.namespace:
        raise method_not_supported()
    dry, validation = dry_run(call.query, "CreateOptions"), field_validation(call.query, "CreateOptions")
    manager = call.manager("CreateOptions")
    obj = given_object(call, validation)
    fit_namespace(call, obj)
    if obj["metadata"].get("resourceVersion"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
    made = call.store.create(obj, manager=manager, dry_run=dry)
    return respond(call.shown(made), 201, call.warnings)


def replace(call: Call) -> web.Response:
    kind = "UpdateOptions"
    dry, validation = dry_run(call.query, kind), field_validation(call.query, kind)
    manager = call.manager(kind)
    obj = given_object(call, validation)
    fit_namespace(call, obj)
    fit_name(call, obj)
    call.existing()
    subresource = call.target.subresource
    if subresource == "finalize":
        finalized = call.store.finalize_namespace(call.target.name, (obj.get("spec") or {}).get("finalizers") or ())
        return respond(finalized)
    updated = call.store.update(obj, manager=manager, subresource=subresource, dry_run=dry, inside=False)
    return respond(call.shown(updated), 200, call.warnings)


def given_object(call: Call, validation: str) -> Object:
    """Read the body as the kind that the path names. Raise a 400 for another kind, type or unknown field."""
    given = read_object(call.body, call.content_type, call.resource)
    _refuse_other_kind(call, given)
    try:
        obj, complaints = strategy.decoded(call.resource, given)
    except Undecodable as error:
        raise bad_request(f"{_cannot_handle(call)}: {error}") from error
    heed(call, complaints, validation, lambda text: bad_request(f"{_cannot_handle(call)}: {text}"))
    return obj


def heed(call: Call, complaints: list[str], validation: str, refusal: Callable[[str], ApiError]) -> None:
    """Refuse, tell or pass over what strict field validation has found."""
    if complaints and validation == "Strict":
        raise refusal("strict decoding error: " + ", ".join(complaints))
    if validation == "Warn":
        call.warn(complaints)


def _cannot_handle(call: Call, kind: str = "", version: str = "") -> str:
    kind, version = kind or call.resource.kind, version or call.target.version
    return f'{kind} in version "{version}" cannot be handled as a {call.resource.kind}'


def _refuse_other_kind(call: Call, given: Mapping[str, Any]) -> None:
    kind = given.get("kind") or call.resource.kind
    api_version = given.get("apiVersion") or call.target.api_version
    version = str(api_version).rpartition("/")[2]
    if api_version != call.target.api_version:
        if call.resource.custom:
            text = f"the API version in the data ({api_version}) does not match the expected API version "
            raise bad_request(f"{text}({call.target.api_version})")
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
        raise bad_request(f"{_cannot_handle(call, str(kind), version)}: {why}")
    if kind != call.resource.kind:
        if call.resource.custom:
            text = f"the kind in the data ({kind}) does not match the expected kind ({call.resource.kind})"
            raise bad_request(text)
        internal = call.target.group.partition(".")[0] or "core"
        why = f"converting ({version}.{kind}) to ({internal}.{call.resource.kind}): unknown conversion"
        raise bad_request(f"{_cannot_handle(call, str(kind))}: {why}")


def fit_namespace(call: Call, obj: Object) -> None:
    metadata = obj["metadata"]
    if not call.resource.namespaced:
        return
    if metadata.get("namespace", call.target.namespace) != call.target.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    metadata["namespace"] = call.target.namespace


def fit_name(call: Call, obj: Object) -> None:
    name = obj["metadata"].get("name") or ""
    if not name:
        raise bad_request("name must be provided")
    if name != call.target.name:
        text = f"the name of the object ({name}) does not match the name on the URL ({call.target.name})"
        raise bad_request(text)
