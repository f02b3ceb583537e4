"""How fast we may call Slack: buckets for each method and channel, and a pause for all when Slack says "later"."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.slack import limits


class Timer(Protocol):
    """Real time. Not the clock of operations: Slack's limits and other processes' leases do not follow that one."""

    def now(self) -> float:
        """Seconds since 1970."""

    async def sleep(self, seconds: float) -> None: ...


class SystemTimer:
    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Bucket:
    """Allows `burst` calls at once and `per_minute` calls in any minute, the burst included."""

    per_minute: float
    burst: float
    level: float = 0.0
    """How much of the burst is used up."""
    at: float = 0.0

    def delay(self, now: float, ahead: int = 0) -> float:
        """Return the seconds until one more call fits, behind `ahead` others."""
        self._drain(now)
        return max(0.0, (self.level + ahead + 1 - self.burst) / self._rate)

    def take(self, now: float) -> None:
        self._drain(now)
        self.level += 1

    @property
    def _rate(self) -> float:
        """Calls a second that the burst is refilled by."""
        return max(self.per_minute - self.burst, 1.0) / 60 if self.burst > 1 else self.per_minute / 60

    def _drain(self, now: float) -> None:
        self.level = max(0.0, self.level - max(0.0, now - self.at) * self._rate)
        self.at = now


_PER_MINUTE = {
    "auth.test": limits.TIER_4,
    "chat.postEphemeral": limits.TIER_4,
    "chat.postMessage": 300,
    "chat.update": limits.CARD_UPDATES_PER_MINUTE,
    "conversations.history": limits.TIER_3,
    "conversations.replies": limits.TIER_3,
    "files.completeUploadExternal": limits.TIER_4,
    "files.getUploadURLExternal": limits.TIER_4,
    "users.info": limits.TIER_4,
    "users.lookupByEmail": limits.TIER_3,
    "views.open": limits.TIER_4,
    "views.publish": limits.TIER_4,
    "views.push": limits.TIER_4,
    "views.update": limits.TIER_4,
}
"""Calls a minute by Slack's tiers; an unlisted method counts as Tier 2. Slack has no number for `chat.postMessage`:
"several hundred per minute", and one a second for each channel."""

_POSTS = frozenset({"chat.postMessage"})
_CHANNELS_KEPT = 2_000
"""Buckets of quiet channels beyond this many are forgotten."""


class Pace:
    """Knows when a call may go out. Everything that shares one token shares one of these."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._methods: dict[str, Bucket] = {}
        self._channels: dict[str, Bucket] = {}
        self._paused: dict[str, float] = {}

    def delay(self, method: str, channel: str | None = None, *, ahead: int = 0) -> float:
        """Return the seconds until this call may go out; 0 for now. `ahead`: calls of the method about to go first."""
        now = self._timer.now()
        of_method, *of_channel = self._buckets(method, channel)
        waits = [] if method in _WORTHLESS_LATER else [of_method.delay(now, ahead)]
        waits += [bucket.delay(now) for bucket in of_channel]
        pauses = [self._paused.get(key, 0.0) - now for key in _keys(method, channel)]
        return max(0.0, *waits, *pauses)

    def take(self, method: str, channel: str | None = None) -> None:
        """Count a call that goes out now."""
        now = self._timer.now()
        for bucket in self._buckets(method, channel):
            bucket.take(now)

    def pause(self, method: str, channel: str | None, seconds: float) -> None:
        """Let nobody call this method (for posts: in this channel) for a while: Slack said so to one of us."""
        *_, narrowest = _keys(method, channel)
        self._paused[narrowest] = max(self._paused.get(narrowest, 0.0), self._timer.now() + seconds)

    def _buckets(self, method: str, channel: str | None) -> Iterator[Bucket]:
        yield self._methods.setdefault(method, _bucket(_PER_MINUTE.get(method, limits.TIER_2)))
        if channel and method in _POSTS:
            if len(self._channels) >= _CHANNELS_KEPT and channel not in self._channels:
                self._forget_quiet()
            yield self._channels.setdefault(channel, Bucket(per_minute=60, burst=1))

    def _forget_quiet(self) -> None:
        now = self._timer.now()
        self._channels = {name: bucket for name, bucket in self._channels.items() if bucket.delay(now) > 0}


_WORTHLESS_LATER = frozenset({"views.open", "views.push"})
"""Their trigger dies within 3 seconds: to hold them back is to refuse them, and only Slack may say it is too much."""


def _bucket(per_minute: float) -> Bucket:
    return Bucket(per_minute=per_minute, burst=max(1.0, min(10.0, per_minute // 5)))


def _keys(method: str, channel: str | None) -> Iterable[str]:
    return (method, f"{method}:{channel}") if channel and method in _POSTS else (method,)
