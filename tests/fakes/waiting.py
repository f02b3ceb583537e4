"""Pauses that take no time, in which the test lets something happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bot.ports import Pause

Happening = Callable[[], object]


class FakeWaiting:
    """Implements `bot.ports.Waiting`. Each pause lets the next of `happenings` happen; when none is left, the pause
    lasts for ever: the test cancels who waits, or has made a mistake that its time limit tells."""

    def __init__(self, happenings: Sequence[Happening] = ()) -> None:
        self.happenings = list(happenings)
        self.pauses: list[float] = []
        """Seconds that were asked for."""
        self.keys: list[str] = []
        self.exhausted = asyncio.Event()
        """Set when somebody pauses for ever."""

    @contextmanager
    def listening(self, *keys: str) -> Iterator[Pause]:
        self.keys += keys
        yield self._pause

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if not self.happenings:
            self.exhausted.set()
            await asyncio.get_running_loop().create_future()
        self.happenings.pop(0)()
