"""Who is who among alerts: one id for one group and episode, however it was heard of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

from bot.model.canonical import canonical

GROUP = "ag-"
"""Begins the id of a group; its card has the same id in the outbox."""
DIGEST = "ad-"
"""Begins the id of a day's digest."""

LONGEST_KEY = 400
_ID = re.compile(r"ag-[0-9a-f]{20}")
_FINGERPRINT = re.compile(r"[0-9a-f]{1,64}")


def is_group(value: str) -> bool:
    """Return whether this has the form of a group's id."""
    return _ID.fullmatch(value) is not None


def key_of(labels: Mapping[str, str]) -> str:
    """Return the key of a group by its group labels (cleaned already): the same for the webhook and the API.

    The webhook's own `groupKey` holds the route's matchers, which the API does not tell; the labels both have.
    """
    text = canonical(dict(labels)).decode()
    return text if len(text) <= LONGEST_KEY else f"sha256:{_hash(text)}"


def group_id(key: str, begin: datetime) -> str:
    """Return the id of the episode of a group that began then."""
    return GROUP + _hash(f"{key}\n{begin.timestamp():.3f}")[:20]


def digest_id(channel: str, day: str) -> str:
    """Return the id of a channel's digest of a day (`2026-11-28`)."""
    return DIGEST + _hash(f"{channel}\n{day}")[:20]


def fingerprint_of(given: object, labels: Mapping[str, str]) -> str:
    """Return Alertmanager's fingerprint where it looks like one, else one of our own of the labels."""
    if isinstance(given, str) and _FINGERPRINT.fullmatch(given):
        return given
    return _hash(canonical(dict(labels)).decode())[:32]


def event_key(*parts: str) -> str:
    """Return a key for the timeline, of bounded length."""
    return _hash("\n".join(parts))[:40]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
