"""The HTTP door: the same commands, policy and ledger as Slack, for programs."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web

from bot.command import Answer, Context, Query
from bot.errors import UsageError
from bot.http.answers import problem, read_body
from bot.http.openapi import describe
from bot.http.tokens import Tokens
from bot.intake import Registry, new_operation_id, request_of
from bot.model.canonical import JSON
from bot.model.operation import Asked, Decided, OperationView, State
from bot.model.principal import Door, Principal
from bot.operations.contracts import Filters, Planned
from bot.ports import Clock

DEPLOY = "service.deploy"
MAX_BODY = 1_000_000
MAX_LISTED = 200
MAX_WAIT_S = 60.0


class Operations(Protocol):
    """What this door needs of the engine (`bot.operations.engine.Operations`)."""

    async def submit(self, asked: Asked) -> OperationView: ...
    async def dry_run(self, asked: Asked) -> Planned: ...
    async def view(self, operation: str) -> OperationView: ...
    async def list(self, filters: Filters | None = None, limit: int = 50) -> list[OperationView]: ...
    async def wait(self, operation: str, until: Callable[[OperationView], bool]) -> OperationView: ...
    async def decide(
        self, operation: str, digest: str, principal: Principal, approved: bool, reason: str = ""
    ) -> Decided: ...
    async def undo(self, operation: str, principal: Principal) -> Decided: ...
    async def wait_on(self, operation: str, principal: Principal) -> Decided: ...
    async def keep(self, operation: str, principal: Principal) -> Decided: ...


class Api:
    """Handlers of `/api/v1`."""

    def __init__(
        self,
        *,
        registry: Registry,
        operations: Operations,
        tokens: Tokens,
        clock: Clock,
        explain: Callable[[Planned], JSON],
        answer: Callable[[Query[Any], Any, Context], Awaitable[Answer]],
    ) -> None:
        """`explain` tells a dry run's policy decision; `answer` runs a query with the installation's dependencies."""
        self._registry = registry
        self._operations = operations
        self._tokens = tokens
        self._clock = clock
        self._explain = explain
        self._answer = answer

    def routes(self) -> list[web.RouteDef]:
        base = "/api/v1"
        return [
            web.get(f"{base}/openapi.json", self.openapi),
            web.post(base + "/requests/{command}", self.request),
            web.get(f"{base}/operations", self.operations),
            web.get(base + "/operations/{operation}", self.operation),
            web.post(base + "/operations/{operation}/approve", self.approve),
            web.post(base + "/operations/{operation}/reject", self.reject),
            web.post(base + "/operations/{operation}/undo", self.undo),
            web.post(base + "/operations/{operation}/wait", self.wait_on),
            web.post(base + "/operations/{operation}/keep", self.keep),
            web.post(f"{base}/deployments", self.deployment),
        ]

    async def openapi(self, _request: web.Request) -> web.Response:
        return web.json_response(describe(self._registry))

    async def request(self, request: web.Request) -> web.Response:
        """Plan and run a command, or with `?dry_run=true` only plan. A query is answered at once."""
        return await self._ask(request, request.match_info["command"])

    async def deployment(self, request: web.Request) -> web.Response:
        """What CI calls when it has built a version: the same as `service.deploy`, under the name that CI expects."""
        return await self._ask(request, DEPLOY)

    async def _ask(self, request: web.Request, name: str) -> web.Response:
        principal = self._who(request)
        command = self._registry.get(name)
        typed = request_of(command, await _body(request))
        operation = _operation_id(request, principal, command.name)
        if isinstance(command, Query):
            context = Context(operation=operation, principal=principal, door=Door.HTTP, now=self._clock())
            answer = await self._answer(command, typed, context)
            return web.json_response({"text": answer.text, "data": answer.data})
        asked = Asked(
            operation=operation,
            command=command.name,
            request=typed.model_dump(mode="json"),
            principal=principal,
            door=Door.HTTP,
            now=self._clock(),
        )
        if _flag(request, "dry_run"):
            planned = await self._operations.dry_run(asked)
            return web.json_response(
                {
                    "plan": planned.plan.model_dump(mode="json"),
                    "digest": planned.plan.digest,
                    "decision": self._explain(planned),
                }
            )
        view = await self._operations.submit(asked)
        if view.request != asked.request:  # the id is made from the key, so the operation is an earlier one
            hint = f"That one is operation `{view.id}`. Send another key for another request."
            raise UsageError("This Idempotency-Key belongs to another request.", hint=hint)
        return _shown(await self._settled(view, request), status=202)

    async def operations(self, request: web.Request) -> web.Response:
        self._who(request)
        limit = request.query.get("limit", "50")
        if not limit.isdecimal() or not 0 < int(limit) <= MAX_LISTED:
            raise UsageError(f"`limit` must be a number from 1 to {MAX_LISTED}.")
        state = _state(request)
        filters = Filters(states=frozenset({state}) if state else None, user=request.query.get("user"))
        views = await self._operations.list(filters, limit=int(limit))
        return web.json_response({"operations": [_public(view) for view in views]})

    async def operation(self, request: web.Request) -> web.Response:
        self._who(request)
        return _shown(await self._settled(await self._found(request), request))

    async def approve(self, request: web.Request) -> web.Response:
        return await self._decide(request, approved=True)

    async def reject(self, request: web.Request) -> web.Response:
        return await self._decide(request, approved=False)

    async def undo(self, request: web.Request) -> web.Response:
        principal = self._who(request)
        view = await self._found(request)
        return _told(await self._operations.undo(view.id, principal))

    async def wait_on(self, request: web.Request) -> web.Response:
        """Say that one has seen why a step is stuck, and waits."""
        principal = self._who(request)
        view = await self._found(request)
        return _told(await self._operations.wait_on(view.id, principal))

    async def keep(self, request: web.Request) -> web.Response:
        """Leave what is stuck as it is."""
        principal = self._who(request)
        view = await self._found(request)
        return _told(await self._operations.keep(view.id, principal))

    async def _decide(self, request: web.Request, *, approved: bool) -> web.Response:
        """The body may name the `digest` it decides on; without one the digest of now is meant."""
        principal = self._who(request)
        view = await self._found(request)
        body = await _body(request)
        digest = body.get("digest", view.digest)
        if set(body) - {"digest", "reason"} or not (digest is None or isinstance(digest, str)):
            raise UsageError("A decision may hold a `digest` and a `reason`, both texts, and nothing else.")
        if digest is None:
            return problem(409, f"Operation `{view.id}` has no plan to decide on.", hint="Read it again in a moment.")
        reason = str(body.get("reason") or "")[:500]
        return _told(await self._operations.decide(view.id, digest, principal, approved, reason))

    async def _found(self, request: web.Request) -> OperationView:
        return await self._operations.view(request.match_info["operation"][:64])

    async def _settled(self, view: OperationView, request: web.Request) -> OperationView:
        """With `?wait_s=` the operation once it has ended or waits for a person, or as it is after that time."""
        wait_s = _seconds(request, "wait_s")
        if wait_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await self._operations.wait(view.id, is_settled)
        return await self._operations.view(view.id)

    def _who(self, request: web.Request) -> Principal:
        return self._tokens.principal(request.headers.get("Authorization", ""))


async def _body(request: web.Request) -> dict[str, JSON]:
    raw = await read_body(request, MAX_BODY)
    if raw is None:
        raise UsageError(f"The body is larger than {MAX_BODY:,} bytes.")
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise UsageError("The body is not JSON.", hint='Send an object, such as `{"name": "orders"}`.') from None
    if not isinstance(body, dict):
        raise UsageError("The body must be a JSON object.", hint='Send `{"name": "orders"}`, for example.')
    return body


def _operation_id(request: web.Request, principal: Principal, command: str) -> str:
    """With an `Idempotency-Key` the same caller and key always mean the same operation."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return new_operation_id()
    digest = hashlib.sha256(f"{principal.user}\n{command}\n{key}".encode()).hexdigest()
    return f"op-{digest[:20]}"


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "").lower() in ("1", "true", "yes")


def _seconds(request: web.Request, name: str) -> float:
    text = request.query.get(name, "0")
    try:
        return min(max(0.0, float(text)), MAX_WAIT_S)  # in this order "nan" is nothing to wait for
    except ValueError:
        raise UsageError(f"`{name}` must be a number of seconds.") from None


def _state(request: web.Request) -> State | None:
    text = request.query.get("state")
    try:
        return State(text) if text else None
    except ValueError:
        raise UsageError(f"`state` must be one of {', '.join(State)}.") from None


def is_settled(view: OperationView) -> bool:
    """Nothing more happens by itself. What is approved waits for nobody: its facts are being read again."""
    return view.state.final or (view.state is State.AWAITING_APPROVAL and view.due_at is not None)


def _public(view: OperationView) -> dict[str, JSON]:
    """An operation for machines: without the buttons, which belong to the card."""
    public: dict[str, JSON] = view.model_dump(mode="json", exclude={"buttons"})
    return public


def _shown(view: OperationView, status: int = 200) -> web.Response:
    return web.json_response(_public(view), status=status, headers={"Location": f"/api/v1/operations/{view.id}"})


def _told(decided: Decided) -> web.Response:
    status = 200 if decided.accepted else 403 if decided.refused else 409
    return web.json_response(decided.model_dump(mode="json"), status=status)
