"""Where people talk, beside the cards: rooms that are opened for something, and a word to one person (Slack)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Room:
    """A channel."""

    id: str
    name: str
    topic: str = ""
    is_ours: bool = False
    """Whether we made it."""
    is_closed: bool = False
    """Archived: it can be read and not be written in."""


class Conversations(Protocol):
    """People are named by full references; who is not known there is left out and named in the answer."""

    async def room(self, name: str) -> Room | None:
        """Return the room of that name, also a closed one."""

    async def create_room(self, name: str) -> Room:
        """Make it, for everybody to find. Raise `Conflict` where there is one of that name."""

    async def set_topic(self, room: str, topic: str) -> None: ...

    async def add_people(self, room: str, people: Collection[str]) -> tuple[str, ...]:
        """Have them in it, whether they were or not. Return those who could not be."""

    async def archive_room(self, room: str) -> None:
        """Close it; a closed one stays closed."""

    async def post(self, room: str, text: str, *, key: str) -> None:
        """Say something in a room (mrkdwn). The same `key` twice is said once."""

    async def tell(self, person: str, text: str, *, key: str) -> bool:
        """Say it to one person directly; return whether they are known there. The same `key` twice is said once."""

    async def address_of(self, card: str) -> str:
        """Return the address of a card by its id in the outbox; empty while it has not been posted."""
