"""Who wants to hear of what."""

from __future__ import annotations

from typing import Protocol

from bot.model.notifications import PersonalWishes, TeamWishes


class NotificationBook(Protocol):
    """Wishes as people have written them down; defaults for everybody else."""

    async def team(self, group: str) -> TeamWishes:
        """Return those of a group, by its full reference."""

    async def person(self, user: str) -> PersonalWishes:
        """Return those of a person, by their full reference."""

    async def keep(self, subject: str, wishes: TeamWishes | PersonalWishes | None) -> None:
        """Write down the wishes of a group or a person; None: they have none any more."""

    async def kept(self, subject: str) -> TeamWishes | PersonalWishes | None:
        """Return what was written down for exactly that subject, or None."""

    def remembered(self, subject: str) -> TeamWishes | PersonalWishes | None:
        """The same from memory, for forms: as it was a few seconds ago."""
