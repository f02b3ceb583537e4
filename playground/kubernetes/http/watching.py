"""Watches: one connection each, from a resource version on, until somebody ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from playground.kubernetes.http.listing import revision_of
from playground.kubernetes.http.parameters import Query, is_set, options_invalid, whole_number
from playground.kubernetes.objects import Change, Object, Objects
from playground.kubernetes.registry import Resource
from playground.kubernetes.selectors import Filter
from playground.kubernetes.status import ApiError, expired, forbidden_value

BOOKMARK_EVERY_S = 60.0
BOOKMARK_BEFORE_END_S = 2.0
LOOK_EVERY_S = 5.0
"""How often a quiet watch looks whether its client is still there."""
INITIAL_END = {"k8s.io/initial-events-end": "true"}
Event = tuple[str, Object]


@dataclass(slots=True, eq=False)
class Watch:
    """What one client follows. `events` holds what it has not been told; None ends the stream."""

    objects: Objects
    resource: Resource
    api_version: str
    namespace: str
    chosen: Filter
    events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)

    def hear(self, change: Change) -> None:
        told = self._told(change)
        if told:
            self.events.put_nowait(told)

    def _told(self, change: Change) -> Event | None:
        """Return the event of a change as this client sees it: an object may enter or leave what it selects."""
        if change.key != self.resource.key:
            return None
        if self.namespace and change.object["metadata"].get("namespace") != self.namespace:
            return None
        was = change.previous is not None and self.chosen(change.previous)
        fits = change.what != "DELETED" and self.chosen(change.object)
        if fits:
            return ("MODIFIED" if was else "ADDED"), change.object
        if not was:
            return None
        gone = change.object if change.what == "DELETED" else change.previous or change.object
        version = change.object["metadata"]["resourceVersion"]
        return "DELETED", {**gone, "metadata": {**gone["metadata"], "resourceVersion": version}}

    def begin(self, query: Query) -> None:
        """Queue what comes before the first change; from now on every change follows."""
        wanted = revision_of(query)
        initial = is_set(query, "sendInitialEvents")
        if initial and query.get("resourceVersionMatch") != "NotOlderThan":
            text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise options_invalid("ListOptions", [forbidden_value("resourceVersionMatch", text)])
        if initial or not wanted:
            for obj in self.objects.all(self.resource.key, self.namespace):
                if self.chosen(obj):
                    self.events.put_nowait(("ADDED", obj))
            if initial and is_set(query, "allowWatchBookmarks"):
                self.events.put_nowait(self.bookmark(INITIAL_END))
        elif wanted < self.objects.oldest:
            error = expired(f"too old resource version: {wanted} ({self.objects.oldest})")
            self.events.put_nowait(("ERROR", error.body()))
            self.events.put_nowait(None)
            return
        else:
            for change in self.objects.since(wanted):
                self.hear(change)
        self.objects.listen(self.hear)

    def bookmark(self, annotations: dict[str, str] | None = None) -> Event:
        metadata: dict[str, Any] = {"resourceVersion": str(self.objects.revision)}
        if annotations:
            metadata["annotations"] = annotations
        return "BOOKMARK", {"kind": self.resource.kind, "apiVersion": self.api_version, "metadata": metadata}

    def end(self) -> None:
        self.objects.unlisten(self.hear)
        self.events.put_nowait(None)

    async def follow(self, query: Query, listens: Callable[[], bool]) -> AsyncGenerator[Event]:
        """Yield events until the watch is ended, its `timeoutSeconds` are over or the client no longer `listens`."""
        seconds = whole_number(query, "timeoutSeconds")
        ends = time.monotonic() + seconds if seconds else None
        marks = is_set(query, "allowWatchBookmarks")
        mark_at = time.monotonic() + BOOKMARK_EVERY_S
        if ends and seconds and seconds > BOOKMARK_BEFORE_END_S:
            mark_at = min(mark_at, ends - BOOKMARK_BEFORE_END_S)
        while True:
            moments = [moment for moment in (ends, mark_at if marks else None) if moment is not None]
            wait = min([LOOK_EVERY_S, *(moment - time.monotonic() for moment in moments)])
            try:
                event = await asyncio.wait_for(self.events.get(), max(wait, 0))
            except TimeoutError:
                if (ends and time.monotonic() >= ends) or not listens():
                    return
                if not marks or time.monotonic() < mark_at:
                    continue
                mark_at = time.monotonic() + BOOKMARK_EVERY_S
                event = self.bookmark()
            if event is None:
                return
            yield event


class Watches:
    """Every open watch, so that they can be dropped, and ended when the server ends."""

    def __init__(self) -> None:
        self.open: dict[Watch, str] = {}

    def drop(self, matches: Callable[[str], bool] = lambda _: True) -> int:
        """End the watches whose path fits, as a restarted server or a proxy does; return how many."""
        found = [watch for watch, path in self.open.items() if matches(path)]
        for watch in found:
            watch.end()
        return len(found)

    async def serve(self, request: web.Request, watch: Watch, *, at_most: int | None = None) -> web.StreamResponse:
        """Stream a watch; `at_most` events are told before the connection is cut."""
        try:
            watch.begin(request.query)
        except ApiError:
            watch.end()
            raise
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        )
        response.enable_chunked_encoding()
        self.open[watch] = request.path
        try:
            await response.prepare(request)
            told = 0
            async with contextlib.aclosing(watch.follow(request.query, lambda: is_connected(request))) as events:
                async for what, obj in events:
                    if at_most is not None and told >= at_most:
                        cut(request)
                        break
                    shown = obj if what in {"ERROR", "BOOKMARK"} else {**obj, "apiVersion": watch.api_version}
                    line = json.dumps({"type": what, "object": shown}, separators=(",", ":"), ensure_ascii=False)
                    await response.write(line.encode() + b"\n")
                    told += 1
            if request.transport is not None:
                await response.write_eof()
        except ConnectionError:
            pass  # the client has gone
        finally:
            watch.end()
            self.open.pop(watch, None)
        return response


def is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def cut(request: web.Request) -> None:
    if request.transport:
        request.transport.close()
