"""The Web API's door: `/api/METHOD`, response URLs and uploads, with token, scope, rate and fault in that order."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from playground.slack import methods  # importing it registers the methods
from playground.slack.call import METHODS, Call, Method
from playground.slack.faults import Fault
from playground.slack.hooks import respond
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json
from playground.slack.workspace import Workspace

ORDINARY: Final = frozenset(
    {
        "already_reacted", "cant_update_message", "channel_not_found", "hash_conflict", "is_archived",
        "message_not_found", "no_reaction", "not_found", "not_in_channel", "thread_not_found", "user_not_found",
        "user_not_in_channel", "users_not_found",
    }
)  # fmt: skip
"""Refusals that a well-behaved bot meets; every other one counts as a violation."""
_NEVER_LOGGED: Final = ("token",)
_MALFORMED: Final = "\0malformed"
"""Stands for arguments that could not be read; no argument has such a name."""


def routes(slack: Workspace) -> list[web.RouteDef]:
    async def api(request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        arguments = await _arguments(request)
        token = _token(request, arguments)
        call = Call(name, {key: value for key, value in arguments.items() if key not in _NEVER_LOGGED}, slack)
        return await _answer(slack, request, call, "call", lambda: _run(call, token))

    async def hook(request: web.Request) -> web.StreamResponse:
        arguments = await _arguments(request)
        call = Call("response_url", arguments, slack)
        return await _answer(slack, request, call, "response_url", lambda: respond(call, request.match_info["key"]))

    async def upload(request: web.Request) -> web.Response:
        try:
            return web.Response(text=methods.files.receive(slack, request.match_info["key"], await _content(request)))
        except SlackRefusal as refusal:
            return web.Response(status=400, text=refusal.error)

    return [
        web.route("*", "/api/{method}", api),
        web.post("/hooks/{key}", hook),
        web.post("/upload/v1/{key}", upload),
    ]


async def _arguments(request: web.Request) -> Json:
    """Merge query, form and JSON arguments; the body wins over the query."""
    arguments: Json = dict(request.query)
    if request.method != "POST":
        return arguments
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            return {_MALFORMED: "invalid_json"}
        return {**arguments, **body} if isinstance(body, dict) else {_MALFORMED: "json_not_object"}
    return {**arguments, **{key: value for key, value in (await request.post()).items() if isinstance(value, str)}}


async def _content(request: web.Request) -> bytes:
    """Return the bytes of an upload, sent raw or as the first file of a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            return field.file.read()
    return b""


def _token(request: web.Request, arguments: Json) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    given = arguments.get("token")
    return given if isinstance(given, str) and given else None


def _run(call: Call, token: str | None) -> Json:
    """Do what a method does, as far as token, scopes and rates let it."""
    if _MALFORMED in call.arguments:
        raise SlackRefusal(call.arguments.pop(_MALFORMED))
    found = METHODS.get(call.method)
    if found is None:
        raise SlackRefusal("unknown_method", req_method=call.method)
    _authorize(call.slack, found, token)
    call.slack.rates.count(found.name, found.tier)
    call.needs(*found.scopes)
    return {"ok": True, **found.handler(call)}


def _authorize(slack: Workspace, found: Method, token: str | None) -> None:
    if found.caller == "anyone":
        return
    if token is None:
        raise SlackRefusal("not_authed")
    tokens = slack.app.tokens
    if token not in (tokens.bot, tokens.app):
        raise SlackRefusal("invalid_auth")
    if (token == tokens.app) != (found.caller == "app"):
        raise SlackRefusal("not_allowed_token_type")


async def _answer(
    slack: Workspace, request: web.Request, call: Call, kind: str, work: Callable[[], Json]
) -> web.StreamResponse:
    """Do the work under the fault that was ordered for it, log it, and answer (or fail to)."""
    started = time.perf_counter()
    fault = slack.faults.take(call.method)
    if fault and fault.delay_ms:
        await asyncio.sleep(fault.delay_ms / 1000)
    result, status, headers = _result(slack, call, fault, work)
    slack.log.add(
        kind,
        call.method,
        arguments=call.arguments,
        result=result,
        status=status,
        ms=round((time.perf_counter() - started) * 1000, 3),
        violations=call.violations,
        fault=None if fault is None else _told(fault),
    )
    if fault and fault.drop:
        return await _cut(request, b"", 0)
    body = json.dumps(result).encode()
    if fault and fault.truncate:
        return await _cut(request, body, len(body) // 2)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _told(fault: Fault) -> Json:
    shown = {"error": fault.error, "status": fault.status, "delay_ms": fault.delay_ms, "drop": fault.drop}
    return {name: value for name, value in {**shown, "truncate": fault.truncate}.items() if value}


def _result(
    slack: Workspace, call: Call, fault: Fault | None, work: Callable[[], Json]
) -> tuple[Json, int, dict[str, str]]:
    headers = {"x-oauth-scopes": ",".join(sorted(slack.app.scopes))}
    if fault and fault.error:
        return {"ok": False, "error": fault.error}, 200, headers
    if fault and fault.status:
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        return {"ok": False, "error": "ratelimited" if fault.status == 429 else "internal_error"}, fault.status, headers
    if fault and fault.drop == "before":
        return {}, 0, headers
    try:
        with slack.store.together():
            return work(), 200, headers
    except SlackRefusal as refusal:
        if refusal.error not in ORDINARY:
            call.violations.append(f"Slack refuses this: {'; '.join((refusal.error, *refusal.messages))}")
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
            return refusal.body(), 429, headers
        return refusal.body(), 404 if call.method == "response_url" else 200, headers


async def _cut(request: web.Request, body: bytes, send: int) -> web.StreamResponse:
    """Send only the first `send` bytes of an answer, then break the connection."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    transport = request.transport
    if send:
        await response.prepare(request)
        await response.write(body[:send])
    if transport is not None:
        transport.close() if send else transport.abort()
    return response
