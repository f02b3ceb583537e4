"""The timeline of a group: each event once, in its rows and in the thread of its card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.alerts import AlertGroup
from bot.slack.message import Message
from bot.slack.mrkdwn import cut
from bot.storage.alerts import alert_told

LINE = 1_000
"""Longest line, in code points."""


class Threads(Protocol):
    async def thread(
        self,
        operation_id: str,
        messages: tuple[Message, ...],
        *,
        key: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a group."""

    key: str
    """The same event has the same key, whoever tells of it."""
    at: datetime
    line: str = ""
    """For people, as mrkdwn that is escaped already."""


async def tell(connection: AsyncConnection, threads: Threads | None, group: AlertGroup, event: Event) -> bool:
    """Add a line unless its event was told of already; return whether it is new.

    An empty line is only noted. What is folded into another card has no thread of its own, so there it is only noted.
    """
    if not await noted(connection, group.id, event):
        return False
    if event.line and threads is not None and not group.cause and not group.digest:
        key = f"{group.id}:{event.key[:32]}"
        await threads.thread(group.id, (Message(text=cut(event.line, LINE)),), key=key, connection=connection)
    return True


async def noted(connection: AsyncConnection, group: str, event: Event) -> bool:
    """Note that an event was told of; return whether it is new."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(alert_told).values(
        group=group, key=event.key, at=event.at.timestamp(), text=cut(event.line, LINE)
    )
    return (await connection.execute(insert.on_conflict_do_nothing())).rowcount == 1
