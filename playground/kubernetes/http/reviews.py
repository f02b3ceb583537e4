"""Questions that are answered on the spot: what may I do, and who am I."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from playground.kubernetes.http.call import Call, respond
from playground.kubernetes.rbac import Attempt, Authorizer
from playground.kubernetes.status import ApiError, bad_request

ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def review(call: Call, authorizer: Authorizer) -> web.Response:
    try:
        given = json.loads(call.body or b"{}")
    except ValueError:
        raise bad_request("couldn't get version/kind; json parse error") from None
    spec = given.get("spec") or {}
    answer = {
        "selfsubjectaccessreviews": _access,
        "selfsubjectrulesreviews": _rules,
        "selfsubjectreviews": _identity,
    }[call.resource.plural](call, authorizer, spec)
    head = {"kind": call.resource.kind, "apiVersion": call.target.api_version, "metadata": {}}
    return respond({**head, **answer}, 201)


def _access(call: Call, authorizer: Authorizer, spec: Any) -> dict[str, Any]:
    asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if bool(asked) == bool(path):
        cause = {"reason": "FieldValueInvalid", "message": f"Invalid value: null: {ONE_OF}", "field": "spec"}
        found = {"group": call.resource.group, "causes": [cause]}
        text = f'.{call.resource.group} "" is invalid: spec: Invalid value: null: {ONE_OF}'
        raise ApiError(422, "Invalid", text, found)
    if path:
        allowed = authorizer.may_read(call.user, str(path.get("verb", "")).upper(), path.get("path", ""))
        return {"spec": spec, "status": {"allowed": allowed}}
    subresource = asked.get("subresource")
    attempt = Attempt(
        verb=asked.get("verb", ""),
        group=asked.get("group", ""),
        resource=asked.get("resource", "") + (f"/{subresource}" if subresource else ""),
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
    )
    verdict = authorizer.may(call.user, attempt)
    return {
        "spec": spec,
        "status": {"allowed": verdict.allowed} | ({"reason": verdict.reason} if verdict.reason else {}),
    }


def _rules(call: Call, authorizer: Authorizer, spec: Any) -> dict[str, Any]:
    rules = authorizer.rules_of(call.user, spec.get("namespace", ""))
    resource = [rule for rule in rules if rule.get("resources")]
    other = [rule for rule in rules if rule.get("nonResourceURLs")]
    return {"spec": {}, "status": {"resourceRules": resource, "nonResourceRules": other, "incomplete": False}}


def _identity(call: Call, _authorizer: Authorizer, _spec: Any) -> dict[str, Any]:
    user: dict[str, Any] = {"username": call.user.name}
    if call.user.uid:
        user["uid"] = call.user.uid
    return {"status": {"userInfo": {**user, "groups": sorted(call.user.all_groups)}}}
