"""Our own book of what was made for a while: previews, and databases that stand alone.

What exists is told by Git and the clusters. The book is the other side of the comparison: what ought to exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.model.canonical import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRecord:
    """One line of the book."""

    name: str
    """Of the preview or the database; with `kind` and `cluster` it names the line."""
    kind: Literal["preview", "database"]
    cluster: str
    namespace: str
    team: str
    by: str
    """Full reference of the person whose it is."""
    operation: str
    """That made it."""
    created_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    """When its absence was proved; None while it stands."""
    holds: Mapping[str, JSON] = field(default_factory=dict)
    """What must be gone with it and stands elsewhere: host names, names in the cloud, folders in Git."""


class Environments(Protocol):
    """The book. Lines are never deleted: an end is a time."""

    async def enter(self, record: EnvironmentRecord) -> None:
        """Write a line, or what has changed of it."""

    async def get(self, kind: str, cluster: str, name: str) -> EnvironmentRecord | None:
        """Return the line that stands, or else the newest that has ended."""

    async def end(self, kind: str, cluster: str, name: str, operation: str, at: datetime) -> None:
        """Note that what `operation` made is gone. No such line, or one that has ended, is no error."""

    async def standing(self, kind: str = "") -> Sequence[EnvironmentRecord]:
        """Return the lines that have not ended, the oldest first; of all kinds when none is named."""
