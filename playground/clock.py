"""The playground's time: the machine's, moved forward on request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

LAST_PAUSE_S = 0.02
"""How long a follower is held that comes again after all were let go, in real seconds."""


class PlaygroundClock:
    """Machine time plus an offset that only grows and survives a restart.

    Followers (the bot) hold a long poll open; `advance` returns when each of them has come back for the next one, or
    after a short grace, so that a request signed right after an advance meets a bot that knows the new time.
    """

    GRACE_S = 2.0

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._offset = timedelta()
        self._version = 0
        self._moved = asyncio.Condition()
        self._waiting = 0
        self._first: list[Callable[[], Awaitable[None]]] = []
        self._over = False
        if file and file.exists():
            self._offset = timedelta(seconds=json.loads(file.read_text())["offset_s"])

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def before_followers(self, hear: Callable[[], Awaitable[None]]) -> None:
        """Call `hear` after each advance, and let followers know of it only afterwards."""
        self._first.append(hear)

    @property
    def state(self) -> dict[str, float | int | str]:
        return {"now": self().isoformat(), "offset_s": self._offset.total_seconds(), "version": self._version}

    async def advance(self, by: timedelta) -> None:
        """Move time forward. Raise `ValueError` for a negative step: time does not go back."""
        if by < timedelta():
            raise ValueError("time only moves forward")
        self._offset += by
        if self._file:
            self._file.write_text(json.dumps({"offset_s": self._offset.total_seconds()}))
        for hear in self._first:
            await hear()
        async with self._moved:
            followers, self._waiting = self._waiting, 0
            self._version += 1
            self._moved.notify_all()
            try:
                async with asyncio.timeout(self.GRACE_S):
                    await self._moved.wait_for(lambda: self._waiting >= followers)
            except TimeoutError:
                pass  # a follower that died in between must not hold up time

    async def follow(self, after: int, timeout_s: float) -> dict[str, float | int | str]:
        """Return the state once its version is beyond `after`, or as it is when `timeout_s` has passed or all are let
        go."""
        async with self._moved:
            self._waiting += 1
            entered = self._version
            self._moved.notify_all()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._moved.wait_for(lambda: self._over or self._version > after)
            except TimeoutError:
                pass
            finally:
                if self._version == entered:  # an advance has already taken the others off the count
                    self._waiting -= 1
        if self._over:
            await asyncio.sleep(LAST_PAUSE_S)  # who follows in a loop within this process must let others end
        return self.state

    async def let_go(self) -> None:
        """Answer every follower at once, from now on: the playground ends, and must not wait for their long polls."""
        async with self._moved:
            self._over = True
            self._moved.notify_all()
