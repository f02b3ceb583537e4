"""`/scale`: how many replicas something has, whatever it is."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.kubernetes.http.bodies import from_json, unsupported
from playground.kubernetes.http.call import Call, respond
from playground.kubernetes.http.parameters import dry_run
from playground.kubernetes.http.patching import JSON_PATCH, MERGE, STRATEGIC
from playground.kubernetes.http.writing import fit_name
from playground.kubernetes.objects import Object, copied
from playground.kubernetes.patches import json_patched, merged
from playground.kubernetes.status import bad_request, invalid, invalid_value

PATHS = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def scale_of(call: Call, obj: Object) -> Object:
    """Return the Scale of an object: what is wanted, what is there, and how its Pods are found."""
    paths = call.resource.scale if call.resource.custom and call.resource.scale else PATHS
    metadata = {
        name: obj["metadata"][name]
        for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if name in obj["metadata"]
    }
    wanted, there = _at(obj, paths["specReplicasPath"]), _at(obj, paths["statusReplicasPath"])
    status: Object = {"replicas": there or 0}
    selector = _selector(obj) if not call.resource.custom else _at(obj, paths.get("labelSelectorPath", ""))
    if selector:
        status["selector"] = selector
    spec = {"replicas": wanted} if wanted else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def get(call: Call) -> web.Response:
    return respond(scale_of(call, call.existing()))


def write(call: Call) -> web.Response:
    """PUT or PATCH a Scale; only its wanted replicas count."""
    old = call.existing()
    scale = scale_of(call, old)
    if call.request.method == "PUT":
        given = _json(call)
    elif call.content_type == JSON_PATCH:
        given = json_patched(scale, _json(call))
    elif call.content_type in {MERGE, STRATEGIC}:
        given = merged(scale, _json(call))
    else:
        raise unsupported(f"{JSON_PATCH}, {MERGE}, {STRATEGIC}")
    fit_name(call, given)
    replicas = (given.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise bad_request("json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32")
    if replicas < 0:
        cause = invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid(call.resource, call.target.name, [cause], kind="Scale")
    paths = call.resource.scale or PATHS
    new = copied(old)
    _set(new, paths["specReplicasPath"], replicas)
    new["metadata"]["resourceVersion"] = (given.get("metadata") or {}).get("resourceVersion")
    kind = "UpdateOptions" if call.request.method == "PUT" else "PatchOptions"
    done = call.store.patch(
        call.resource, old, new, manager=call.manager(kind), subresource="scale", dry_run=dry_run(call.query, kind)
    )
    return respond(scale_of(call, done))


def _json(call: Call) -> Any:
    try:
        return from_json(call.body)
    except ValueError:
        raise bad_request("invalid JSON patch") from None


def _at(obj: Object, path: str) -> Any:
    value: Any = obj
    for name in path.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _set(obj: Object, path: str, value: Any) -> None:
    *parents, last = path.split(".")[1:]
    for name in parents:
        obj = obj.setdefault(name, {})
    obj[last] = value


def _selector(obj: Object) -> str:
    selector = obj["spec"].get("selector") or {}
    pairs = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for part in selector.get("matchExpressions") or ():
        words = ",".join(sorted(part.get("values") or ()))
        match part["operator"]:
            case "In" | "NotIn":
                pairs.append(f"{part['key']} {part['operator'].lower()} ({words})")
            case "Exists":
                pairs.append(part["key"])
            case _:
                pairs.append(f"!{part['key']}")
    return ",".join(pairs)
