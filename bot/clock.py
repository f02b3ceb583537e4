"""The time, as everything else is told it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import aiohttp

log = logging.getLogger(__name__)


def machine_clock() -> datetime:
    """The machine's time, UTC."""
    return datetime.now(UTC)


class FollowedClock:
    """The playground's time: the machine's plus an offset that a long poll on `url` keeps current.

    Only the playground sets such a clock. Losing the peer leaves the last known offset in force.
    """

    POLL_S = 25.0
    PAUSE_S = 0.5

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session
        self._offset = timedelta()
        self._version = -1
        self._task: asyncio.Task[None] | None = None

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    async def start(self) -> None:
        """Read the offset once, so that the first signature is judged by the right time; then follow it."""
        await self._read(timeout_s=0)
        self._task = asyncio.create_task(self._follow(), name="clock")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                await self._read(timeout_s=self.POLL_S)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(self.PAUSE_S)

    async def _read(self, *, timeout_s: float) -> None:
        query = {"after": str(self._version), "timeout_s": str(timeout_s)}
        limit = aiohttp.ClientTimeout(total=timeout_s + 10)
        async with self._session.get(self._url, params=query, timeout=limit) as response:
            response.raise_for_status()
            state = await response.json()
        self._offset = timedelta(seconds=float(state["offset_s"]))
        self._version = int(state["version"])
