"""The timeline of a group: each event once, in its rows and in the thread of its card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

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


async def tell(connection: AsyncConnection, threads: Threads | None, group: str, event: Event) -> bool:
    """Add a line unless its event was told of already; return whether it is new. An empty line is only noted.

    `threads` is None while the group has no card: its lines are said once it gets one (`say_all`).
    """
    if not await noted(connection, group, event):
        return False
    if threads is not None:
        await say(connection, threads, group, event)
    return True


async def say(connection: AsyncConnection, threads: Threads, group: str, event: Event) -> None:
    """Say what was noted in the thread of its card."""
    if event.line:
        await _say(connection, threads, group, event.key, event.line)


async def say_all(connection: AsyncConnection, threads: Threads, group: str) -> None:
    """Say in the thread of a new card what has happened until now."""
    table = alert_told.c
    lines = select(table.key, table.text).where(table.group == group, table.text != "").order_by(table.at)
    for row in (await connection.execute(lines)).all():
        await _say(connection, threads, group, row.key, row.text)


async def _say(connection: AsyncConnection, threads: Threads, group: str, key: str, line: str) -> None:
    message = Message(text=cut(line, LINE))
    await threads.thread(group, (message,), key=f"{group}:{key[:32]}", connection=connection)


async def noted(connection: AsyncConnection, group: str, event: Event) -> bool:
    """Note that an event was told of; return whether it is new."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(alert_told).values(
        group=group, key=event.key, at=event.at.timestamp(), text=cut(event.line, LINE)
    )
    made = await connection.execute(insert.on_conflict_do_nothing().returning(alert_told.c.key))
    return made.first() is not None
