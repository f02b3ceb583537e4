"""Short-lived permissions: trigger ids and response URLs, and the tokens of the installed app."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from playground.clock import PlaygroundClock
from playground.slack import limits
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json, Store


@dataclass(frozen=True, slots=True)
class SlackTokens:
    bot: str = field(repr=False)
    app: str = field(repr=False)
    signing_secret: str = field(repr=False)

    def signature(self, timestamp: str, body: bytes) -> str:
        """Return Slack's v0 signature over the raw body."""
        base = b"v0:" + timestamp.encode() + b":" + body
        return "v0=" + hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Trigger:
    user: str
    channel: str | None
    view_id: str | None
    """The modal in which it came to be: only from there another one can be pushed."""
    at: datetime
    used: bool = False


class Triggers:
    """Trigger ids: three seconds, once."""

    def __init__(self, clock: PlaygroundClock) -> None:
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}

    def mint(self, user: str, channel: str | None = None, view_id: str | None = None) -> str:
        now = self._clock()
        if len(self._triggers) > 10_000:  # an unknown id and a very old one are answered alike
            self._triggers = {key: kept for key, kept in self._triggers.items() if self._age(kept) < 60}
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, channel, view_id, now)
        return trigger_id

    def look(self, trigger_id: str) -> Trigger:
        """Return a trigger that may still be used; `spend` it once the view has been taken."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackRefusal("invalid_trigger_id")
        if trigger.used:
            raise SlackRefusal("exchanged_trigger_id")
        if self._age(trigger) > limits.TRIGGER_S:
            raise SlackRefusal("expired_trigger_id")
        return trigger

    def _age(self, trigger: Trigger) -> float:
        return (self._clock() - trigger.at).total_seconds()


class ResponseUrls:
    """Response URLs: five posts within half an hour. They outlive a restart."""

    def __init__(self, store: Store, clock: PlaygroundClock, base_url: str) -> None:
        self._store = store
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    def mint(self, user: str, channel: str, *, original_ts: str | None = None, thread_ts: str | None = None) -> str:
        key = secrets.token_urlsafe(18)
        grant = {
            "key": key,
            "user": user,
            "channel": channel,
            "original_ts": original_ts,
            "thread_ts": thread_ts,
            "uses": 0,
            "at": self._clock().timestamp(),
        }
        self._store.put("response_url", key, grant)
        return f"{self._base_url}/hooks/{key}"

    def use(self, key: str) -> Json:
        """Count one use. Raise `SlackRefusal` when the URL is unknown, used up or too old."""
        grant = self._store.get("response_url", key)
        if grant is None:
            raise SlackRefusal("invalid_url")
        if self._clock().timestamp() - grant["at"] > limits.RESPONSE_URL_S:
            raise SlackRefusal("expired_url")
        if grant["uses"] >= limits.RESPONSE_URL_USES:
            raise SlackRefusal("used_url")
        grant["uses"] += 1
        self._store.put("response_url", key, grant)
        return grant
