"""One watch, shared by all who follow the same: a list, then its changes, resumed when they break off."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.errors import PlatformError
from bot.ports import Change
from integrations.kubernetes.answers import Ask, Expired, problem
from integrations.kubernetes.client import Client, plural, selectors, without_managed_fields
from integrations.kubernetes.connection import NoAnswer, Reply, Request
from integrations.kubernetes.discovery import Resource
from integrations.kubernetes.follower import Follower, Plain, Told
from integrations.kubernetes.kept import Kept, version_of

ROUND_S = 120
"""The server ends a watch after so many seconds; it is resumed where it ended."""
SILENCE_S = 150.0
"""A connection that says nothing for longer is dead: there would be a bookmark each minute, or the end of the round."""
LONGEST_PAUSE_S = 30.0
SHORT_S = 1.0
"""A connection that ends sooner and without a word counts as a failure: resuming at once would be a busy loop."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is followed. Equal scopes share a connection."""

    api_version: str
    kind: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    name: str


SYNCED = ("synced", Plain(Change("synced")))


class Feed:
    """Runs for as long as somebody follows it. It never gives up: what keeps it from going on is told as `lost`."""

    def __init__(self, client: Client, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._followers: set[Follower] = set()
        self._objects: dict[str, Kept] = {}
        self._synced = False
        self._lost: tuple[str, Told] | None = None
        self._version = ""
        self._task: asyncio.Task[None] | None = None

    @property
    def followed(self) -> bool:
        return bool(self._followers)

    def join(self) -> Follower:
        """Return what tells one who follows; the first to come starts the watch."""
        follower = Follower()
        self._catch_up(follower)
        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"watch {self._scope.kind}")
            self._task.add_done_callback(self._ended)
        return follower

    def leave(self, follower: Follower) -> None:
        self._followers.discard(follower)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _catch_up(self, follower: Follower) -> None:
        """Tell somebody who comes late what the others know."""
        if self._lost is not None:
            follower.tell(*self._lost)
            return
        for key, kept in self._objects.items():
            follower.tell(key, kept)
        if self._synced:
            follower.tell(*SYNCED)

    def _ended(self, task: asyncio.Task[None]) -> None:
        failure = None if task.cancelled() else task.exception()
        for follower in self._followers:
            follower.end(failure)

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                resource = await self._client.discovery.find(self._scope.api_version, self._scope.kind)
                await self._read_all(resource)
                failures = 0
                await self._follow_changes(resource)
            except Expired:
                continue
            except PlatformError as error:
                self._lose(error)
                failures += 1
                await self._client.sleep(_pause(failures))

    async def _read_all(self, resource: Resource) -> None:
        """Read what is there now, and tell how it differs from what was known."""
        seen: dict[str, Kept] = {}
        query = selectors(dict(self._scope.labels), self._scope.name)
        async for page in self._client.pages(resource, self._scope.namespace, query):
            seen |= {_key(obj): Kept.of(obj) for obj in page.objects}
            self._version = page.version
        everything = not self._synced or self._lost is not None
        known, self._objects = self._objects, seen
        self._synced, self._lost = True, None
        for key in known.keys() - seen.keys():
            self._tell(key, known[key].gone())
        for key, kept in seen.items():
            if everything or key not in known or kept.version != known[key].version:
                self._tell(key, kept)
        if everything:
            self._tell(*SYNCED)

    async def _follow_changes(self, resource: Resource) -> None:
        """Go on for ever. Raise `Expired` when what comes next is forgotten, `PlatformError` where it cannot be had."""
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began, version = loop.time(), self._version
            with suppress(NoAnswer):  # it broke off: resume where it was
                await self._one_round(resource)
            failures = failures + 1 if version == self._version and loop.time() - began < SHORT_S else 0
            if failures:
                await self._client.sleep(_pause(failures))

    async def _one_round(self, resource: Resource) -> None:
        scope = self._scope
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(ROUND_S),
            "resourceVersion": self._version,
            **selectors(dict(scope.labels), scope.name),
        }
        request = Request("GET", resource.path(scope.namespace), query)
        ask = self._client.ask("watch", resource, plural(resource, scope.namespace), scope.namespace)
        async with self._client.stream(request, ask, silence_s=SILENCE_S) as lines:
            async for line in lines:
                self._take(line, ask)

    def _take(self, line: bytes, ask: Ask) -> None:
        """Parse one event, once for all followers."""
        try:
            event = json.loads(line)
            kind, obj = event["type"], event["object"]
        except (ValueError, KeyError, TypeError) as error:
            raise NoAnswer("a line of the watch is cut off") from error
        if kind == "ERROR":
            raise problem(Reply(int(obj.get("code") or 500), json.dumps(obj).encode()), ask)
        if kind != "BOOKMARK":
            self._note(obj, line, gone=kind == "DELETED")
        self._version = version_of(obj) or self._version

    def _note(self, obj: Any, line: bytes, *, gone: bool) -> None:
        key = _key(obj)
        if gone:
            self._objects.pop(key, None)
        else:
            self._objects[key] = Kept.of_event(version_of(obj), line, among=len(self._objects))
        without_managed_fields(obj)
        self._tell(key, Plain(Change("deleted" if gone else "present", obj)))

    def _lose(self, error: PlatformError) -> None:
        if self._lost is None:
            self._lost = ("", Plain(Change("lost", problem=error.while_waiting())))
            self._tell(*self._lost)

    def _tell(self, key: str, told: Told) -> None:
        for follower in self._followers:
            follower.tell(key, told)


def _key(obj: Any) -> str:
    return str(obj["metadata"]["uid"])


def _pause(failures: int) -> float:
    """Return seconds: 1, 2, 4 … to 30, a little less at random, so that replicas do not come back all at once."""
    return float(min(2.0 ** (failures - 1), LONGEST_PAUSE_S)) * random.uniform(0.8, 1.0)  # noqa: S311  # jitter, not a secret
