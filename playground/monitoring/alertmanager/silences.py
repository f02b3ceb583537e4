"""Silences: who keeps what quiet, until when, and why."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from playground.monitoring.alertmanager.alerts import EMPTY, MISSING, UNREADABLE, Unfit, read_moment, written
from playground.monitoring.alertmanager.matching import Matcher, matcher

KEPT = timedelta(hours=120)
"""How long one is told of after its end: Alertmanager's retention."""


class Unknown(LookupError):
    """There is no silence of this id."""


@dataclass(frozen=True, slots=True)
class Silence:
    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    by: str
    comment: str

    def state(self, now: datetime) -> str:
        if self.ends_at <= now:
            return "expired"
        return "active" if self.starts_at <= now else "pending"

    def fits(self, labels: Mapping[str, str]) -> bool:
        return all(one.fits(labels) for one in self.matchers)

    def told(self, now: datetime) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": {"state": self.state(now)},
            "updatedAt": written(self.updated_at),
            "comment": self.comment,
            "createdBy": self.by,
            "endsAt": written(self.ends_at),
            "matchers": [one.told() for one in self.matchers],
            "startsAt": written(self.starts_at),
        }


class Silences:
    def __init__(self) -> None:
        self._all: dict[str, Silence] = {}

    def __iter__(self) -> Iterator[Silence]:
        return iter(self._all.values())

    def keep(self, silence: Silence) -> None:
        self._all[silence.id] = silence

    def get(self, wanted: str) -> Silence:
        """Raise `Unknown`."""
        if wanted not in self._all:
            raise Unknown(wanted)
        return self._all[wanted]

    def silencing(self, labels: Mapping[str, str], now: datetime) -> list[str]:
        """Return the ids of those that keep an alert quiet now."""
        return sorted(one.id for one in self if one.state(now) == "active" and one.fits(labels))

    def put(self, told: Any, now: datetime) -> Silence:
        """Make one, or change the one whose id it has. Raise `Unfit` and `Unknown` as Alertmanager refuses.

        One that changes what it is about, or that has ended, gets another id; the former one ends.
        """
        wished = _read(told, now)
        old = self._all.get(wished.id)
        if wished.id and old is None:
            raise Unknown(wished.id)
        if old is not None and _may_change(old, wished, now):
            self.keep(wished)
            return wished
        if old is not None and old.state(now) != "expired":
            self.expire(old.id, now)
        made = replace(wished, id=str(uuid.uuid4()), starts_at=max(wished.starts_at, now))
        self.keep(made)
        return made

    def expire(self, wanted: str, now: datetime) -> None:
        """End one now; one that has ended before stays as it is. Raise `Unknown`."""
        old = self.get(wanted)
        if old.state(now) == "expired":
            return
        begin = now if old.state(now) == "pending" else old.starts_at
        self.keep(replace(old, starts_at=begin, ends_at=now, updated_at=now))

    def forget(self, now: datetime) -> None:
        self._all = {one.id: one for one in self if now < one.ends_at + KEPT}

    def next_change(self, now: datetime) -> datetime | None:
        """Return when one begins or ends next."""
        moments = (moment for one in self for moment in (one.starts_at, one.ends_at) if moment > now)
        return min(moments, default=None)


def _may_change(old: Silence, wished: Silence, now: datetime) -> bool:
    if old.matchers != wished.matchers:
        return False
    match old.state(now):
        case "active":
            return int(wished.starts_at.timestamp()) == int(old.starts_at.timestamp())
        case "pending":
            return wished.starts_at >= now
    return False


def _read(told: Any, now: datetime) -> Silence:
    if not isinstance(told, dict):
        raise Unfit('parsing silence body from "" failed, because it is no object', UNREADABLE)
    for name in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
        if name not in told or told[name] is None:
            raise Unfit(f"{name} in body is required", MISSING)
    if not isinstance(told["matchers"], list) or not told["matchers"]:
        raise Unfit("matchers in body should have at least 1 items", EMPTY)
    found = Silence(
        id=str(told.get("id") or ""),
        matchers=tuple(matcher(one) for one in told["matchers"]),
        starts_at=read_moment(str(told["startsAt"]), "startsAt"),
        ends_at=read_moment(str(told["endsAt"]), "endsAt"),
        updated_at=now,
        by=str(told["createdBy"]),
        comment=str(told["comment"]),
    )
    if found.ends_at <= found.starts_at:
        raise Unfit("Failed to create silence: start time must be before end time")
    if found.ends_at < now:
        raise Unfit("Failed to create silence: end time can't be in the past")
    if all(one.is_equal and one.fits({}) for one in found.matchers):  # of what must differ nothing is asked
        raise Unfit("silence invalid: at least one matcher must not match the empty string")
    return found
