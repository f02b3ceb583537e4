"""The REST door: from an HTTP request to a handler of `api` and back, with everything that GitHub does around it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from playground.github.access import Access
from playground.github.call import Actor, Call, Links, Reply, Route
from playground.github.errors import ApiError, conflict, empty_repository, not_found, unprocessable
from playground.github.faults import Fault, Faults
from playground.github.gitrepo import EmptyRepository, MergeConflict, MissingObject, RefConflict
from playground.github.hub import Hub
from playground.github.store import Document

LOG_LENGTH = 20_000
ON_REQUEST = Callable[[str, str, Any], None]
"""Told of each REST call: method, path without `/api/v3`, JSON body (None where there is none)."""


@dataclass(frozen=True, slots=True)
class LogLine:
    number: int
    time: datetime
    method: str
    path: str
    query: str
    status: int
    actor: str
    request_id: str


class Log:
    """Every call with its outcome. Tokens stand in headers, so none is here."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._next = 1
        self.lines: deque[LogLine] = deque(maxlen=LOG_LENGTH)

    def add(self, request: web.Request, status: int, actor: str, request_id: str) -> None:
        query = request.query_string
        line = LogLine(self._next, self._clock(), request.method, request.path, query, status, actor, request_id)
        self.lines.append(line)
        self._next += 1


class RestDoor:
    def __init__(self, hub: Hub, access: Access, faults: Faults, log: Log) -> None:
        self._hub = hub
        self._access = access
        self._faults = faults
        self._log = log
        self.on_request: ON_REQUEST | None = None

    def serve(self, route: Route) -> Callable[[web.Request], Any]:
        """Return the aiohttp handler of one route."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.answer(request, route)

        return handle

    async def answer(self, request: web.Request, route: Route | None) -> web.StreamResponse:
        request_id = uuid.uuid4().hex[:24].upper()
        path = self._hub.api_path(request.path)
        fault = self._faults.next_for(request.method, path)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        actor, headers = Actor("anonymous"), {"X-GitHub-Request-Id": request_id}
        if fault and fault.drop == "before":
            reply = Reply(0)
        else:
            try:
                actor, reply = await self._checked(request, route, path, fault, headers)
            except ApiError as error:
                reply = Reply(error.status, error.body(), error.headers)
        self._log.add(request, reply.status, actor.login, request_id)
        response = self._response(request, reply, headers)
        return await cut(request, response, fault) if fault else response

    async def _checked(
        self, request: web.Request, route: Route | None, path: str, fault: Fault | None, headers: dict[str, str]
    ) -> tuple[Actor, Reply]:
        needs = route.needs if route else ""
        found = self._access.actor(request.headers.get("Authorization", ""), app=needs in {"jwt", ""})
        actor = found or Actor("anonymous")
        try:
            headers |= self._access.count(actor, 0 if path == "/rate_limit" else 1)
            if fault:
                refuse(fault, self._hub, headers)
            reply = await self._call(request, route, path, found)
        except ApiError as error:
            return actor, Reply(error.status, error.body(), error.headers)
        if request.method == "GET" and reply.status == 200:
            self._conditional(request, reply, actor)
        return actor, reply

    async def _call(self, request: web.Request, route: Route | None, path: str, found: Actor | None) -> Reply:
        if route is None:
            raise not_found()
        if found is None and route.needs:
            raise ApiError(401, "Requires authentication")
        actor = found or Actor("anonymous")
        body = await self._body(request, path)
        repository = self._repository(request, actor)
        if route.needs == "jwt":
            if actor.app_id is None or actor.permissions:
                raise ApiError(401, "A JSON web token could not be decoded")
        elif route.needs and not actor.may(route.needs) and not (repository and actor.owns(repository)):
            granted = route.needs.removesuffix("|person:write")
            accepted = {"X-Accepted-GitHub-Permissions": granted.replace(":", "=").replace("|", "; ")}
            raise ApiError(403, "Resource not accessible by integration", headers=accepted)
        prefix = "/api/v3" if request.path.startswith("/api/v3") else ""
        links = Links(f"{request.scheme}://{request.host}{prefix}", self._hub.base_url)
        call = Call(self._hub, request, actor, links, body, repository)
        if repository and repository["archived"] and request.method not in {"GET", "HEAD"} and not is_unarchive(call):
            raise ApiError(403, "Repository was archived so is read-only.")
        return await translated(route, call)

    async def _body(self, request: web.Request, path: str) -> Document:
        raw = await request.read()
        body: Any = None
        if raw:
            try:
                body = json.loads(raw)
            except ValueError as error:
                raise ApiError(400, "Problems parsing JSON") from error
        if self.on_request:
            self.on_request(request.method, path, body)
        if body is not None and not isinstance(body, dict | list):
            raise ApiError(400, "Body should be a JSON object")
        return body if isinstance(body, dict) else {} if body is None else {"": body}

    def _repository(self, request: web.Request, actor: Actor) -> Document | None:
        names = request.match_info
        if "repo" not in names:
            return None
        found = self._hub.repository(names["owner"], names["repo"])
        if found is None or not actor.sees(found):
            raise not_found()
        return found

    def _conditional(self, request: web.Request, reply: Reply, actor: Actor) -> None:
        tag = f'W/"{hashlib.sha256(json.dumps(reply.data).encode()).hexdigest()}"'
        reply.headers["ETag"] = tag
        reply.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        asked = request.headers.get("If-None-Match", "")
        if tag.removeprefix("W/") in asked:
            reply.status, reply.data = 304, None
            self._access.usage(actor).used -= 1

    def _response(self, request: web.Request, reply: Reply, headers: dict[str, str]) -> web.Response:
        headers = {
            **headers,
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": request.headers.get("X-GitHub-Api-Version", "2022-11-28"),
            **reply.headers,
        }
        status = reply.status or 500
        if isinstance(reply.data, bytes):
            return web.Response(status=status, body=reply.data, headers=headers)
        if reply.data is None:
            return web.Response(status=status, headers=headers)
        text = json.dumps(reply.data)
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)


def is_unarchive(call: Call) -> bool:
    own = call.request.match_info.keys() == {"owner", "repo"}
    return own and (call.request.method == "DELETE" or call.get("archived") is False)


async def translated(route: Route, call: Call) -> Reply:
    """Run a handler; what Git refuses becomes what GitHub says."""
    try:
        return await route.handler(call)
    except EmptyRepository as error:
        raise empty_repository() from error
    except MissingObject as error:
        raise not_found() from error
    except RefConflict as error:
        raise unprocessable(str(error)) from error
    except MergeConflict as error:
        raise conflict("Merge conflict") from error
    except UnicodeEncodeError as error:
        raise unprocessable("Invalid request.\n\nThe text is not valid Unicode.") from error


def refuse(fault: Fault, hub: Hub, headers: dict[str, str]) -> None:
    """Raise what the fault orders in place of the work."""
    more = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    if fault.limit == "primary":
        reset = headers.get("X-RateLimit-Reset", str(int(hub.clock().timestamp()) + 60))
        more |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        raise ApiError(403, "API rate limit exceeded for user ID 1.", headers=more)
    if fault.limit == "secondary" or fault.status == 429 or (fault.status == 403 and fault.retry_after):
        text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        raise ApiError(fault.status or 403, fault.message or text, headers=more)
    if fault.status:
        raise ApiError(fault.status, fault.message or "Server Error", headers=more)


async def cut(request: web.Request, response: web.Response, fault: Fault) -> web.StreamResponse:
    """Cut the connection where the fault wants it: without an answer, or in the middle of one."""
    transport = request.transport
    if fault.truncate and isinstance(response.body, bytes) and len(response.body) > 1:
        whole = response.body
        part = web.StreamResponse(status=response.status, headers=response.headers)
        part.content_length = len(whole)
        await part.prepare(request)
        await part.write(whole[: len(whole) // 2])
        response_sent: web.StreamResponse = part
    else:
        response_sent = response
    if transport and (fault.drop or fault.truncate):
        transport.close()
    return response_sent
