"""The HTTP door: who calls, what of, whether they may; then the handler, with the faults that were ordered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from playground.kubernetes.faults import Fault, Faults
from playground.kubernetes.http import deleting, discovery, logs, patching, reading, reviews, scaling, writing
from playground.kubernetes.http.call import Call, refused, respond
from playground.kubernetes.http.listing import filter_of
from playground.kubernetes.http.parameters import is_set
from playground.kubernetes.http.target import Target, parse, verb_of
from playground.kubernetes.http.watching import Watch, Watches, cut
from playground.kubernetes.rbac import Attempt, Authorizer, User
from playground.kubernetes.status import (
    ApiError,
    forbidden_attempt,
    forbidden_path,
    method_not_supported,
    no_such_path,
    unauthorized,
)
from playground.kubernetes.store import Store

LOG_LENGTH = 20_000
HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
READABLE = ("application/json", "application/*", "*/*")
NOT_ACCEPTABLE = (
    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
    "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True, slots=True)
class LogLine:
    number: int
    time: datetime
    method: str
    path: str
    query: str
    status: int
    user: str
    user_agent: str


class Log:
    """Every call with its outcome. Tokens stand in headers, so none is here."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._next = 1
        self.lines: deque[LogLine] = deque(maxlen=LOG_LENGTH)

    def add(self, request: web.Request, status: int, user: str) -> None:
        agent = request.headers.get("User-Agent", "")
        query, path = request.query_string, request.path
        line = LogLine(self._next, self._clock(), request.method, path, query, status, user, agent)
        self.lines.append(line)
        self._next += 1


class Door:
    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        users: Mapping[str, User],
        *,
        faults: Faults,
        log: Log,
        lines: logs.Lines,
    ) -> None:
        """`users` are known by their bearer tokens."""
        self._store = store
        self._clock = clock
        self._users = users
        self._faults = faults
        self._log = log
        self._lines = lines
        self._authorizer = Authorizer(store)
        self.watches = Watches()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, or fail it as ordered."""
        fault = self._faults.next_for("WATCH" if is_watch(request) else request.method, request.path)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        user = ""
        if fault and fault.drop == "before":
            cut(request)
            self._log.add(request, 0, user)
            return web.Response()
        try:
            caller = self._caller(request)
            user = caller.name
            if fault and (error := fault.refusal()):
                raise error
            response = await self._answer(request, caller, fault)
        except ApiError as error:
            response = refused(error)
        self._log.add(request, response.status, user)
        return await spoiled(request, response, fault) if fault else response

    def _caller(self, request: web.Request) -> User:
        """Return who calls; an `Impersonate-User` header is heeded where RBAC lets the caller."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        user = self._users.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        wanted = request.headers.get("Impersonate-User")
        if not wanted:
            return user
        groups = request.headers.getall("Impersonate-Group", [])
        for resource, name in (("users", wanted), *(("groups", group) for group in groups)):
            self._refuse_unless(user, Attempt(verb="impersonate", group="", resource=resource, name=name))
        return User(wanted, frozenset(groups))

    def _refuse_unless(self, user: User, attempt: Attempt) -> None:
        verdict = self._authorizer.may(user, attempt)
        if not verdict.allowed:
            raise forbidden_attempt(user.name, attempt, verdict.reason)

    async def _answer(self, request: web.Request, user: User, fault: Fault | None) -> web.StreamResponse:
        if not is_acceptable(request.headers.get("Accept", "")):
            raise ApiError(406, "NotAcceptable", NOT_ACCEPTABLE, {})
        target = parse(request.path)
        if target is None:
            return self._beside_resources(request, user)
        resource = target.resource(self._store.registry)
        verb = verb_of(request.method, target, watch=is_watch(request))
        if verb is not None:
            self._refuse_unless(user, attempt_of(target, verb))
        if resource is None:
            if not self._store.registry.served(target.group, target.version):
                return web.Response(status=404, text="404 page not found\n")
            raise no_such_path()
        if verb is None or (resource.virtual and verb != "create"):
            raise method_not_supported()
        call = Call(self._store, request, user, target, resource, await request.read())
        if verb == "watch":
            return await self._watch(call, fault)
        return await self._handled(call, verb)

    async def _handled(self, call: Call, verb: str) -> web.StreamResponse:
        if call.resource.virtual:
            return reviews.review(call, self._authorizer)
        if call.target.subresource == "log" and verb == "get":
            return await logs.log(call, self._lines, self._clock)
        if call.target.subresource == "scale":
            return _scale(call, verb)
        if call.target.subresource and verb not in {"get", "update", "patch"}:
            raise method_not_supported()
        if verb == "patch":
            self._refuse_creation(call)
        return HANDLERS[verb](call)

    def _refuse_creation(self, call: Call) -> None:
        """Server-side apply that makes a new object needs the right to create one too."""
        target = call.target
        if call.content_type != patching.APPLY or target.subresource:
            return
        if self._store.objects.get(call.resource.key, target.namespace, target.name) is None:
            self._refuse_unless(call.user, attempt_of(target, "create"))

    async def _watch(self, call: Call, fault: Fault | None) -> web.StreamResponse:
        watch = Watch(
            objects=self._store.objects,
            resource=call.resource,
            api_version=call.target.api_version,
            namespace=call.target.namespace,
            chosen=filter_of(call.resource, call.query),
        )
        self._log.add(call.request, 200, call.user.name)  # now: it may stay open for hours
        return await self.watches.serve(call.request, watch, at_most=fault.events if fault else None)

    def _beside_resources(self, request: web.Request, user: User) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        if not self._authorizer.may_read(user, request.method, path):
            raise forbidden_path(user.name, request.method.lower(), path)
        if path in HEALTH:
            return web.Response(text="ok")
        accept = request.headers.get("Accept", "")
        found = discovery.document(self._store.registry, path, aggregated=discovery.AGGREGATED in accept)
        if found is None or request.method != "GET":
            return web.Response(status=404, text="404 page not found\n")
        response = respond(found)
        if found.get("kind") == "APIGroupDiscoveryList":
            response.headers["Content-Type"] = discovery.AGGREGATED_TYPE
        return response


HANDLERS: Mapping[str, Callable[[Call], web.StreamResponse]] = {
    "get": reading.get,
    "list": reading.list_,
    "create": writing.create,
    "update": writing.replace,
    "patch": patching.patch,
    "delete": deleting.delete,
    "deletecollection": deleting.delete_collection,
}


def _scale(call: Call, verb: str) -> web.StreamResponse:
    if verb == "get":
        return scaling.get(call)
    if verb in {"update", "patch"}:
        return scaling.write(call)
    raise method_not_supported()


def attempt_of(target: Target, verb: str) -> Attempt:
    resource = target.plural + (f"/{target.subresource}" if target.subresource else "")
    own = (target.group, target.plural) == ("", "namespaces")
    namespace = target.name if own else target.namespace
    return Attempt(verb=verb, group=target.group, resource=resource, namespace=namespace, name=target.name)


def is_watch(request: web.Request) -> bool:
    return request.method == "GET" and is_set(request.query, "watch")


def is_acceptable(accept: str) -> bool:
    """Say whether the client takes JSON; what it would rather have (protobuf, a table) is not played."""
    kinds = [part.partition(";")[0].strip() for part in accept.split(",")]
    return not accept.strip() or any(kind in READABLE for kind in kinds)


async def spoiled(request: web.Request, response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """Cut the connection where the fault wants it: without an answer, or in the middle of one."""
    body = response.body if isinstance(response, web.Response) else None
    if fault.truncate and isinstance(body, bytes) and len(body) > 1:
        part = web.StreamResponse(status=response.status, headers=response.headers)
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: len(body) // 2])
        response = part
    if fault.drop or fault.truncate:
        cut(request)
    return response
