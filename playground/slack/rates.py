"""Slack's rate limits: calls per minute and method by tier, messages per second and channel; short bursts pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from playground.clock import PlaygroundClock
from playground.slack.refusals import SlackRefusal


class Tier(Enum):
    """Calls per minute that Slack promises; a full minute's worth may come at once."""

    ONE = 1
    TWO = 20
    THREE = 50
    FOUR = 100
    POSTING = 300
    """chat.postMessage: several hundred a minute in a workspace, and one a second in each channel."""
    SPECIAL = 1000
    """auth.test: hundreds a minute."""


CHANNEL_BURST = 10
"""Messages that a channel takes at once before one a second holds. Slack publishes no number."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Rates:
    """Token buckets that refill with the playground's time."""

    def __init__(self, clock: PlaygroundClock, *, enabled: bool = True) -> None:
        self._clock = clock
        self.enabled = enabled
        self._buckets: dict[str, _Bucket] = {}

    def count(self, method: str, tier: Tier) -> None:
        """Count a call. Raise `SlackRefusal` with the seconds to wait when there were too many."""
        self._take(method, tier.value, tier.value / 60)

    def count_post(self, channel: str) -> None:
        self._take(f"post {channel}", CHANNEL_BURST, 1.0)

    def _take(self, key: str, most: float, per_second: float) -> None:
        if not self.enabled:
            return
        now = self._clock().timestamp()
        bucket = self._buckets.setdefault(key, _Bucket(most, now))
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.tokens < 1:
            raise SlackRefusal("ratelimited", retry_after=math.ceil((1 - bucket.tokens) / per_second))
        bucket.tokens -= 1
