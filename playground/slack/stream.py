"""The numbered stream of what changed, and the log of what was said."""

from __future__ import annotations

import asyncio
from typing import Any

from playground.clock import PlaygroundClock
from playground.slack.store import Json, Store


class Stream:
    """Numbered events that a reader can wait for. Numbers go on after a restart."""

    def __init__(self, store: Store, clock: PlaygroundClock) -> None:
        self._store = store
        self._clock = clock
        self.last = store.last("event")
        self._grown = asyncio.Event()
        self.closed = False

    def add(self, kind: str, /, **fields: Any) -> int:
        self.last += 1
        event = {"n": self.last, "at": self._clock().isoformat(), "type": kind, **fields}
        self._store.append("event", self.last, kind, event)
        self._wake()
        return self.last

    def since(self, after: int, limit: int = 1000) -> list[Json]:
        return self._store.since("event", after, limit)

    async def wait(self, after: int, timeout_s: float) -> None:
        """Return when there is an event after `after`, when `timeout_s` has passed, or when the stream is closed."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.last <= after and not self.closed:
                    await self._grown.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


class Log:
    """Every call and every delivery, with what Slack would hold against the bot."""

    def __init__(self, store: Store, clock: PlaygroundClock) -> None:
        self._store = store
        self._clock = clock
        self.last = store.last("log")

    def add(self, kind: str, name: str, /, **fields: Any) -> None:
        self.last += 1
        entry = {"n": self.last, "at": self._clock().isoformat(), "kind": kind, "name": name, "fault": None, **fields}
        entry.setdefault("violations", [])
        again = "again" if fields.get("retry") else kind
        self._store.append("log", self.last, again, entry)

    def since(self, after: int, limit: int = 1000) -> list[Json]:
        return self._store.since("log", after, limit)

    def deliveries(self, count: int) -> list[Json]:
        """Return the last deliveries, oldest first; what was sent again is not counted twice."""
        return self._store.newest("log", "delivery", count)
