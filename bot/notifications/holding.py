"""What is told later: rows that survive a restart, written in the transaction of whatever they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.notifications import News
from bot.storage.notifications import held_news

MOST_AT_ONCE = 200
"""Most rows that are told in one transaction; the next one follows at once."""

_NEVER = 1e15
"""Due long after everything."""
_KEEP_S = 30 * 24 * 3600.0

HowHeld = Literal["later", "summary", "direct"]
"""`later`: after the quiet hours. `summary`: with the day's others. `direct`: to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    id: str
    """Of the card that waits, or made of what is told."""
    subject: str
    """Full reference of the group or person that is told."""
    news: str
    how: HowHeld
    due_at: float
    line: str
    """What is said of it where it has no card, as mrkdwn that is escaped already."""


async def hold(
    connection: AsyncConnection,
    id: str,  # noqa: A002  # what it is called everywhere
    *,
    subject: str,
    news: News | str,
    how: HowHeld,
    due: datetime,
    line: str,
    now: datetime,
) -> None:
    """Keep it until then. What is held already keeps its place in the order, and is told as it is now."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"subject": subject, "news": str(news), "how": how, "due_at": due.timestamp(), "line": line}
    row = dialect.insert(held_news).values(id=id, noted_at=now.timestamp(), **values)
    await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))


async def hold_direct(
    connection: AsyncConnection,
    id: str,  # noqa: A002  # the same
    *,
    person: str,
    news: str,
    due: datetime,
    line: str,
    now: datetime,
) -> None:
    """Tell a person then, and once: a row stays behind, so that the same is not told them again."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"subject": person, "news": news, "how": "direct", "due_at": due.timestamp(), "line": line}
    row = dialect.insert(held_news).values(id=id, noted_at=now.timestamp(), **values)
    await connection.execute(row.on_conflict_do_nothing(index_elements=["id"]))


async def was_told(connection: AsyncConnection, ids: Sequence[str], now: datetime) -> None:
    """Keep the rows of what a person was told, and forget those of long ago."""
    table = held_news.c
    await connection.execute(update(held_news).where(table.id.in_(ids)).values(due_at=_NEVER, line=""))
    old = (table.how == "direct", table.due_at == _NEVER, table.noted_at < now.timestamp() - _KEEP_S)
    await connection.execute(delete(held_news).where(*old))


async def let_go(connection: AsyncConnection, ids: Sequence[str]) -> None:
    """It is told another way, or not at all."""
    await connection.execute(delete(held_news).where(held_news.c.id.in_(ids)))


async def is_any_due(connection: AsyncConnection, now: datetime) -> bool:
    due = select(held_news.c.id).where(held_news.c.due_at <= now.timestamp()).limit(1)
    return (await connection.execute(due)).first() is not None


async def read_due(connection: AsyncConnection, now: datetime) -> list[Held]:
    """Return what is due, in the order in which it happened."""
    table = held_news.c
    due = select(held_news).where(table.due_at <= now.timestamp())
    rows = await connection.execute(due.order_by(table.noted_at, table.id).limit(MOST_AT_ONCE))
    names = ("id", "subject", "news", "how", "due_at", "line")
    return [Held(**{name: row[name] for name in names}) for row in rows.mappings()]
