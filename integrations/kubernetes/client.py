"""One request to a cluster from start to end: sent, repeated where that is safe, its answer understood."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bot.errors import Invalid, Mistake, UpstreamUnavailable
from bot.ports import Object, ObjectRef
from integrations.kubernetes.answers import Ask, an_object, owners_in_conflict, problem, unknown, unreachable, value
from integrations.kubernetes.connection import APPLY, JSON, METADATA_LIST, Connection, NoAnswer, NotSent, Reply, Request
from integrations.kubernetes.discovery import Discovery, Resource

TRIES = 3
LONGEST_PAUSE_S = 10.0
PAGE = 50
"""Objects a page: reading one page of Applications blocks the event loop for about 8 ms."""
METADATA_PAGE = 200
"""The same of a page that holds metadata only."""

Sleep = Callable[[float], Awaitable[None]]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    objects: Sequence[Any]
    version: str
    """The list's `resourceVersion`: a watch goes on from there."""
    more: str
    """What to continue with; empty on the last page."""


class Client:
    """Only reads are repeated after a fault."""

    def __init__(self, cluster: str, connection: Connection, *, sleep: Sleep = asyncio.sleep) -> None:
        self.cluster = cluster
        self._connection = connection
        self.sleep = sleep
        self.discovery = Discovery(cluster, self._discover)

    async def read(self, path: str, ask: Ask, query: Mapping[str, str] | None = None, *, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of the JSON behind `path`. Raise what every port raises, or `Expired`."""
        return value(await self.read_reply(path, ask, query), ask, read)

    async def read_reply(
        self, path: str, ask: Ask, query: Mapping[str, str] | None = None, *, accept: str = JSON
    ) -> Reply:
        """Return the answer, whatever it is, unless it says that there is no answer now."""
        request = Request("GET", path, query or {}, accept=accept)
        for attempt in range(1, TRIES):
            try:
                return await self._reply(request, ask)
            except UpstreamUnavailable as error:
                pause = error.retry_after_s or random.uniform(0.1, 0.3) * 2**attempt  # noqa: S311  # jitter, not a secret
                if pause > LONGEST_PAUSE_S:
                    raise
                await self.sleep(pause)
        return await self._reply(request, ask)

    async def write(self, request: Request, ask: Ask, *, read: Callable[[Any], T]) -> T:
        """Send once. Raise `OutcomeUnknown` when no answer tells what happened."""
        return value(await self._reply(request, ask), ask, read)

    async def pages(
        self, resource: Resource, namespace: str, query: Mapping[str, str], *, only_metadata: bool = False
    ) -> AsyncIterator[Page]:
        """Yield all objects, at most `PAGE` at a time. Raise `Expired` when it took the server too long."""
        limit, accept = (METADATA_PAGE, METADATA_LIST) if only_metadata else (PAGE, JSON)
        ask = self.ask("list", resource, plural(resource, namespace), namespace)
        page = Page([], "", "")
        while True:
            asked = {"limit": str(limit), **query, **({"continue": page.more} if page.more else {})}
            reply = await self.read_reply(resource.path(namespace), ask, asked, accept=accept)
            page = value(reply, ask, lambda found: _page(resource, found))
            yield page
            if not page.more:
                return

    @asynccontextmanager
    async def stream(self, request: Request, ask: Ask, *, silence_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the lines of a watch. Raise as `read` does, and `NoAnswer` when the lines break off."""
        opened = False
        try:
            async with self._connection.stream(request, silence_s=silence_s) as (status, lines):
                opened = status == 200
                if not opened:
                    said = b"".join([line async for line in lines])
                    raise problem(Reply(status, self._connection.without_token(said)), ask)
                yield lines
        except NotSent as error:
            raise unreachable(ask, str(error)) from error
        except NoAnswer as error:
            if opened:
                raise
            raise unknown(ask, str(error)) from error

    def ask(self, verb: str, resource: Resource, what: str, namespace: str = "", *, writes: bool = False) -> Ask:
        secret = resource.kind == "Secret"
        return Ask(self.cluster, verb, resource.full_name, what, namespace, writes=writes, secret=secret)

    async def apply(
        self, obj: Object, ref: ObjectRef, *, manager: str, dry_run: bool, over: Collection[str] = ()
    ) -> Object:
        """Raise what every port raises. It is forced only where all owners of fields in conflict are in `over`."""
        resource = await self.find(ref)
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "false"}
        if dry_run:
            query["dryRun"] = "All"
        ask = self.ask("patch", resource, str(ref), ref.namespace, writes=not dry_run)
        request = Request("PATCH", resource.path(ref.namespace, ref.name), query, obj, APPLY)
        reply = await self._reply(request, ask)
        owners = owners_in_conflict(reply)
        if owners and owners <= set(over):
            reply = await self._reply(replace(request, query={**query, "force": "true"}), ask)
        applied: Object = value(reply, ask, an_object)
        return applied

    async def find(self, ref: ObjectRef) -> Resource:
        """Raise `NotFound` for an unknown kind, `Invalid` for an object that names no namespace and needs one."""
        resource = await self.discovery.find(ref.api_version, ref.kind)
        if resource.namespaced != bool(ref.namespace):
            wrong = "is missing" if resource.namespaced else f"{ref.kind} stands in no namespace"
            raise Invalid(f"{ref} is not named in full.", [Mistake("metadata.namespace", wrong)])
        return resource

    async def _discover(self, path: str, read: Callable[[Any], T]) -> T:
        return await self.read(path, Ask(self.cluster, "get", path, f"the kinds below {path}"), read=read)

    async def _reply(self, request: Request, ask: Ask) -> Reply:
        try:
            reply = await self._connection.send(request)
        except NotSent as error:
            raise unreachable(ask, str(error)) from error
        except NoAnswer as error:
            raise unknown(ask, str(error)) from error
        if request.method == "GET" and (reply.status == 429 or reply.status >= 500):
            raise problem(reply, ask)
        return reply


def _page(resource: Resource, document: Any) -> Page:
    objects = document.get("items") or []
    for obj in objects:
        # A list's items do not say what they are, and those that are metadata only say just that.
        obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
        without_managed_fields(obj)
    metadata = document["metadata"]
    return Page(objects, str(metadata.get("resourceVersion") or ""), str(metadata.get("continue") or ""))


def plural(resource: Resource, namespace: str) -> str:
    return f"{resource.plural} in {namespace}" if namespace else f"all {resource.plural}"


def selectors(labels: Mapping[str, str] | None, name: str = "") -> dict[str, str]:
    """Return the query that picks objects by their labels, or the one of a name."""
    query = {"labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items()))} if labels else {}
    return query | ({"fieldSelector": f"metadata.name={name}"} if name else {})


def without_managed_fields(obj: Any) -> None:
    """Drop what takes half of an object's size and is of use for one object at a time: `get` and `apply` tell it."""
    (obj.get("metadata") or {}).pop("managedFields", None)
