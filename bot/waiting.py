"""Waiting that the webhooks of this replica cut short."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from bot.ports import Pause


class LocalWaiting:
    """Implements `bot.ports.Waiting` within one process. Lives on the event loop; keeps nothing for nobody."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = {}

    def announce(self, *keys: str) -> None:
        """Wake everybody who listens for one of these keys."""
        for key in keys:
            for listener in self._listeners.get(key, ()):
                listener.set()

    @contextmanager
    def listening(self, *keys: str) -> Iterator[Pause]:
        announced = asyncio.Event()
        for key in keys:
            self._listeners.setdefault(key, set()).add(announced)

        async def pause(seconds: float) -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await announced.wait()
            announced.clear()

        try:
            yield pause
        finally:
            for key in keys:
                self._leave(key, announced)

    def _leave(self, key: str, listener: asyncio.Event) -> None:
        self._listeners[key].discard(listener)
        if not self._listeners[key]:
            del self._listeners[key]
