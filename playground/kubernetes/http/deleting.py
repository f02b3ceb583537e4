"""DELETE: one object, or a whole collection."""

from __future__ import annotations

import json
from typing import Any, cast, get_args

from aiohttp import web

from playground.kubernetes.deletion import Deletion, Propagation
from playground.kubernetes.http.call import Call, respond
from playground.kubernetes.http.listing import filter_of
from playground.kubernetes.http.parameters import dry_run, options_invalid, whole_number
from playground.kubernetes.http.reading import listed
from playground.kubernetes.status import Cause, bad_request, details, method_not_supported

OPTIONS = "DeleteOptions"
SHOWN_WHEN_GONE = frozenset({"Pod", "Service", "ServiceAccount", "PersistentVolumeClaim", "ResourceQuota"})
"""Kinds whose deletion answers with the object; the others answer with a Status."""
NOT_AS_A_WHOLE = frozenset({"Namespace"})


def delete(call: Call) -> web.Response:
    options = read_options(call)
    resource, target = call.resource, call.target
    obj, gone = call.store.delete(resource.group, resource.plural, target.namespace, target.name, options)
    if not gone or resource.kind in SHOWN_WHEN_GONE:
        return respond(call.shown(obj))
    found = {**details(resource, target.name), "uid": obj["metadata"]["uid"]}
    return respond({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": found})


def delete_collection(call: Call) -> web.Response:
    resource, target = call.resource, call.target
    if resource.kind in NOT_AS_A_WHOLE or (resource.namespaced and not target.namespace):
        raise method_not_supported()
    options = read_options(call)
    chosen = filter_of(resource, call.query)
    found = [obj for obj in call.store.objects.all(resource.key, target.namespace) if chosen(obj)]
    for obj in found:
        call.store.delete(resource.group, resource.plural, target.namespace, obj["metadata"]["name"], options)
    return respond(listed(call, found, {"resourceVersion": str(call.store.revision)}))


def read_options(call: Call) -> Deletion:
    """Read DeleteOptions from the body and, where it is silent, from the query."""
    given = _body(call)
    propagation = given.get("propagationPolicy") or call.query.get("propagationPolicy")
    if propagation is not None and propagation not in get_args(Propagation):
        text = f'Unsupported value: "{propagation}": supported values: "Foreground", "Background", "Orphan", "nil"'
        raise options_invalid(OPTIONS, [Cause("FieldValueNotSupported", text, "propagationPolicy")])
    preconditions = given.get("preconditions") or {}
    grace = given.get("gracePeriodSeconds")
    asked = {"dryRun": given["dryRun"][0]} if given.get("dryRun") else call.query
    return Deletion(
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        propagation=cast("Propagation | None", propagation),
        grace_period_s=grace if grace is not None else whole_number(call.query, "gracePeriodSeconds"),
        dry_run=dry_run(asked, OPTIONS),
    )


def _body(call: Call) -> dict[str, Any]:
    if not call.body:
        return {}
    try:
        given = json.loads(call.body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise bad_request("couldn't get version/kind; json parse error: unexpected end of JSON input")
    return given
