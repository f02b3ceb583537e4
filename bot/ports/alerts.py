"""What fires and what is silenced (Alertmanager)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """One alert that Alertmanager holds. All texts are from outside: escape them."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    silenced_by: tuple[str, ...] = ()
    """Ids of the silences that keep it quiet."""
    inhibited_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FiringGroup:
    """Alerts that are told together."""

    labels: Mapping[str, str]
    """What they are grouped by."""
    receiver: str
    alerts: tuple[FiringAlert, ...]


@dataclass(frozen=True, slots=True)
class Matcher:
    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    by: str
    """Who silenced, as a name that people know."""
    comment: str
    id: str = ""
    """Given by Alertmanager; set it to change one that stands."""
    state: Literal["active", "pending", "expired"] = "active"
    labels: Mapping[str, str] = field(default_factory=dict)


class Alerts(Protocol):
    async def groups(self) -> tuple[FiringGroup, ...]:
        """Return all that fires now, silenced and inhibited alerts included."""

    async def silence(self, silence: Silence) -> str:
        """Make it, or change the one that has its id; return its id (a changed one may get another)."""

    async def silences(self) -> tuple[Silence, ...]:
        """Return those that stand, have ended or are to begin, as long as Alertmanager keeps them."""

    async def unsilence(self, id: str) -> bool:  # noqa: A002  # what it is called everywhere
        """End it; return whether it stood."""
