"""What happens to some kinds, for the controllers that live in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from playground.kubernetes.objects import Change, Key, Object, Objects


class Subscription(AsyncIterator[tuple[str, Object]]):
    """What happens to some kinds, without a gap: first all that is there, then every change. `close` ends it."""

    def __init__(self, objects: Objects, keys: Sequence[Key]) -> None:
        self._objects = objects
        self._keys = frozenset(keys)
        self._queue: asyncio.Queue[tuple[str, Object] | None] = asyncio.Queue()
        for key in keys:
            for obj in objects.all(key):
                self._queue.put_nowait(("ADDED", obj))
        objects.listen(self._hear)

    def _hear(self, change: Change) -> None:
        if change.key in self._keys:
            self._queue.put_nowait((change.what, change.object))

    async def __anext__(self) -> tuple[str, Object]:
        found = await self._queue.get()
        if found is None:
            raise StopAsyncIteration
        return found

    def close(self) -> None:
        self._objects.unlisten(self._hear)
        self._queue.put_nowait(None)
