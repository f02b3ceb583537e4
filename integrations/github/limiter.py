"""GitHub's limits, kept by us: one limiter for everything that speaks for the same account.

GitHub's own numbers: 900 points a minute (a read costs 1, a write 5), about 80 creations a minute and 500 an hour, and
no more than one write a second when there are many. After a refusal everybody pauses for as long as GitHub says:
carrying on can get an App banned.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from bot.errors import UpstreamUnavailable


class Cost(Enum):
    """What a call counts as."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    """A write that makes content: repositories, commits, pull requests, webhooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    points_per_minute: int = 900
    creations_per_minute: int = 80
    creations_per_hour: int = 500
    seconds_between_writes: float = 1.0
    burst: int = 30
    """Writes that may follow each other at once before the pace above begins."""
    longest_wait_s: float = 60.0
    """A call that would have to wait longer is given back to the engine, which comes again later."""


class Limiter:
    """Gives every call the first moment at which it may start. Not thread-safe: it lives on the event loop."""

    def __init__(
        self,
        pace: Pace | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pace = pace or Pace()
        self._clock = clock
        self._sleep = sleep
        self._paused_until = 0.0
        self._next_write = 0.0
        self._points = _Window(60.0)
        self._creations_in_a_minute = _Window(60.0)
        self._creations_in_an_hour = _Window(3600.0)

    @property
    def paused_s(self) -> float:
        """Return for how many seconds everybody still pauses."""
        return max(0.0, self._paused_until - self._clock())

    def pause(self, seconds: float) -> None:
        """Let nobody start within the next `seconds`; a shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def wait(self, cost: Cost) -> None:
        """Return when the call may start. Raise `UpstreamUnavailable` when that is too far away."""
        start = self._reserve(cost)
        while (delay := max(start, self._paused_until) - self._clock()) > 0:
            if delay > self._pace.longest_wait_s:
                raise _too_long(delay)
            await self._sleep(delay)

    def _reserve(self, cost: Cost) -> float:
        pace, now = self._pace, self._clock()
        points = 1 if cost is Cost.READ else 5
        start = self._points.first(max(now, self._paused_until), points, pace.points_per_minute)
        if cost is not Cost.READ:
            start = max(start, self._next_write - pace.burst * pace.seconds_between_writes)
        if cost is Cost.CREATE:
            start = self._creations_in_a_minute.first(start, 1, pace.creations_per_minute)
            start = self._creations_in_an_hour.first(start, 1, pace.creations_per_hour)
        if start - now > pace.longest_wait_s:
            raise _too_long(start - now)
        self._points.add(start, points)
        if cost is not Cost.READ:
            self._next_write = max(self._next_write, start) + pace.seconds_between_writes
        if cost is Cost.CREATE:
            self._creations_in_a_minute.add(start, 1)
            self._creations_in_an_hour.add(start, 1)
        return start


class _Window:
    """What was spent within the last `span_s` seconds, future reservations included."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0

    def first(self, moment: float, cost: int, limit: int) -> float:
        """Return the first moment, not before `moment`, at which `cost` fits under `limit`."""
        while self._spent and self._spent[0][0] <= moment - self._span_s:
            self._total -= self._spent.popleft()[1]
        total = self._total
        for at, spent in self._spent:
            if total + cost <= limit:
                break
            total -= spent
            moment = max(moment, at + self._span_s)
        return moment

    def add(self, moment: float, cost: int) -> None:
        self._spent.append((moment, cost))
        self._total += cost


def _too_long(delay: float) -> UpstreamUnavailable:
    return UpstreamUnavailable(
        f"GitHub lets us go on in {_spoken(delay)}.",
        hint="Causeway waits and goes on by itself.",
        retry_after_s=delay,
    )


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes > 1 else f"{max(1, round(seconds))} seconds"
