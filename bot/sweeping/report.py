"""What a sweep has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.canonical import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Something that stands and should not."""

    name: str
    """`preview pr-7`, `database orders-db`."""
    parts: tuple[str, ...]
    """What is there of it: `namespace preview-pr-7 on main`, `folder apps/preview/pr-7`."""
    team: str = ""
    since: datetime | None = None
    """When the oldest part of it was made, where that is told."""
    why: str
    """`is not in Causeway's book`."""
    preview: str = ""
    """Name of the preview that `/preview down` can delete; empty: a person has to."""
    by_hand: str = ""
    """What that person runs or asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the book of which nothing is left."""

    name: str
    team: str
    since: datetime
    why: str
    preview: str = ""
    by_hand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One sweep."""

    at: datetime
    orphans: tuple[Orphan, ...] = ()
    lost: tuple[Line, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be looked at, each a sentence."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How much was looked at: `previews`, `lines`, `objects`."""

    @property
    def is_clean(self) -> bool:
        return not (self.orphans or self.lost or self.unread)

    def data(self) -> dict[str, JSON]:
        """Return the same for machines."""
        return {
            "at": self.at.isoformat(),
            "orphans": [
                {"name": one.name, "parts": [*one.parts], "team": one.team, "since": _iso(one.since), "why": one.why}
                for one in self.orphans
            ],
            "lost": [
                {"name": one.name, "team": one.team, "since": _iso(one.since), "why": one.why} for one in self.lost
            ],
            "unread": [*self.unread],
            "counts": dict(self.counts),
        }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
