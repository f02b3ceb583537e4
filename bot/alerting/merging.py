"""What a delivery changes, given what is known. Pure; deliveries come twice, late, and in any order.

An alert is known by its fingerprint, and one time that it fires by its begin. Of one such time "resolved" is the last
word: a "firing" that comes after it was sent before it. Only what was looked up in Alertmanager says how it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.alerting.reading import Delivery, Heard

RETURN = timedelta(minutes=30)
"""A group that fires again within this time goes on with its episode, its card and its thread."""
FLAPS = 3
"""So many returns, and people are told that it flaps."""
SOURCE = "source_url"
"""The annotation under which the webhook's `generatorURL` is kept."""
SAME = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One alert as it stands in our rows."""

    firing: bool
    starts_at: datetime
    changed_at: datetime
    """When we heard that it began or ended."""
    silenced: bool = False
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """What a delivery changes about the alerts of its group."""

    began: tuple[Heard, ...] = ()
    ended: tuple[Heard, ...] = ()
    mended: tuple[Heard, ...] = ()
    """Still as they were, but their texts are others, or whether they are silenced."""

    def __bool__(self) -> bool:
        return bool(self.began or self.ended or self.mended)


def merge(known: Mapping[str, Known], delivery: Delivery) -> Merged:
    """Return what is new."""
    began: list[Heard] = []
    ended: list[Heard] = []
    mended: list[Heard] = []
    for heard in delivery.alerts:
        one = known.get(heard.fingerprint)
        if one is None:
            # One that was silenced before it was ever told is not told now.
            if heard.firing and not heard.silenced:
                began.append(heard)
        elif not heard.firing:
            if one.firing and _is_its_end(one, heard):
                ended.append(replace(heard, starts_at=one.starts_at))
        elif one.firing:
            # The API does not tell where an alert's expression is seen; what the webhook told of that stays.
            texts = {**{name: text for name, text in one.annotations.items() if name == SOURCE}, **heard.annotations}
            kept = replace(heard, starts_at=max(heard.starts_at, one.starts_at), annotations=texts)
            if kept.starts_at - one.starts_at > SAME or _differs(one, kept):
                mended.append(kept)
        elif not heard.silenced and _fires_again(one, heard, delivery.looked_at):
            began.append(heard)
    return Merged(tuple(began), tuple(ended), tuple(mended))


def _is_its_end(one: Known, heard: Heard) -> bool:
    """Return whether this time has ended, and not one before it. Its begin tells, even one ahead of our clock."""
    same = one.starts_at - heard.starts_at <= SAME
    return same or heard.ends_at is None or heard.ends_at >= one.starts_at


def _fires_again(one: Known, heard: Heard, looked_at: datetime | None) -> bool:
    return heard.starts_at - one.starts_at > SAME or (looked_at is not None and looked_at > one.changed_at)


def _differs(one: Known, heard: Heard) -> bool:
    return one.silenced != heard.silenced or dict(one.annotations) != dict(heard.annotations)


def returns(ended_at: datetime | None, now: datetime) -> bool:
    """Return whether a group that ended then and fires now goes on with its episode."""
    return ended_at is not None and now - ended_at <= RETURN


def flapping_after(flapping: int, fired_at: datetime, now: datetime) -> int:
    """Return the count of returns when a group ends: one that has fired for long was no flapping."""
    return 0 if now - fired_at > RETURN else flapping
