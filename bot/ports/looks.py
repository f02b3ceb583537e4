"""Looks that many want at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Line:
    running: asyncio.Task[Any] | None = None
    next: asyncio.Task[Any] | None = None


@dataclass(slots=True)
class Looks:
    """Whoever asks gets a look that began after it was asked for, and shares it with all who asked meanwhile.

    So two hundred proofs at the same minute list a cluster's volumes one after the other, not two hundred times, and
    none of them believes what was read before.
    """

    _lines: dict[Hashable, _Line] = field(default_factory=dict)

    async def share(self, key: Hashable, look: Callable[[], Awaitable[T]]) -> T:
        """Return what `look` returns, or raise what it raises. `key` says which looks are the same."""
        line = self._lines.setdefault(key, _Line())
        if line.running is None:
            task = line.running = asyncio.create_task(self._run(key, line, look))
        elif line.next is None:
            task = line.next = asyncio.create_task(self._after(key, line, line.running, look))
        else:
            task = line.next
        # Cancelling one of them must not take the answer from the others.
        result: T = await asyncio.shield(task)
        return result

    async def _after(
        self, key: Hashable, line: _Line, before: asyncio.Task[Any], look: Callable[[], Awaitable[T]]
    ) -> T:
        await asyncio.wait([before])
        line.running, line.next = line.next, None
        return await self._run(key, line, look)

    async def _run(self, key: Hashable, line: _Line, look: Callable[[], Awaitable[T]]) -> T:
        try:
            return await look()
        finally:
            if line.next is None:
                self._lines.pop(key, None)
                line.running = None
