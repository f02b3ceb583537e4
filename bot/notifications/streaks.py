"""The rows behind such cards: begun once, told of in their thread, marked where they stand once all is well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.notifications import News, TeamWishes
from bot.notifications.deciding import decide
from bot.notifications.drawing import PREFIX, Streak, card, headline
from bot.notifications.holding import hold
from bot.notifications.morning import Standing
from bot.operations.seal import take_duty
from bot.ports import Clock
from bot.slack.message import Message
from bot.slack.outbox import Card, Outbox
from bot.storage.database import Database
from bot.storage.notifications import held_news, news_cards

DUTY = "notifications.news"


class Streaks:
    """Everything happens inside `changing`: one replica after the other."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        wishes_of: Callable[[str | None], TeamWishes],
        clock: Clock,
        *,
        replica: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._wishes_of = wishes_of
        self._clock = clock
        self._replica = replica

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that no other replica has at the same time: it holds a row's lock, whoever has the duty."""
        async with self._database.write() as connection:
            await take_duty(connection, DUTY, self._replica, self._clock, 0)
            yield connection

    async def newest(self, connection: AsyncConnection, key: str) -> Streak | None:
        rows = select(news_cards).where(news_cards.c.key == key).order_by(news_cards.c.began_at.desc()).limit(1)
        row = (await connection.execute(rows)).mappings().first()
        return _streak(row) if row is not None else None

    async def all_open(self, connection: AsyncConnection, news: News) -> Sequence[Streak]:
        rows = select(news_cards).where(news_cards.c.news == news.value, news_cards.c.is_open)
        found = await connection.execute(rows.order_by(news_cards.c.began_at))
        return [_streak(row) for row in found.mappings()]

    async def begin(
        self, connection: AsyncConnection, news: News, key: str, subject: str, facts: Mapping[str, Any]
    ) -> None:
        """Something has gone wrong: its card is posted, now or after the quiet hours."""
        now = self._clock()
        digest = hashlib.sha256(f"{key}\n{now.timestamp()}\n{json.dumps(facts, sort_keys=True)}".encode()).hexdigest()
        streak = Streak(
            id=f"{PREFIX}{digest[:20]}",
            key=key[:300],
            news=news,
            subject=subject,
            facts=facts,
            is_open=True,
            began_at=now,
        )
        row = {"is_open": True, "began_at": now.timestamp(), "revision": 0, "facts": json.dumps(facts)}
        named = {"id": streak.id, "key": streak.key, "news": news.value, "subject": subject}
        await connection.execute(insert(news_cards).values(**named, **row))
        decided = decide(news, self._wishes_of(subject or None), now, trouble=True)
        if decided.how == "later" and decided.at is not None:
            line, due = headline(streak), decided.at
            await hold(connection, streak.id, subject=subject, news=news, how="later", due=due, line=line, now=now)
        else:
            await self._outbox.operation_changed(connection, streak.id, 0, urgent=True)

    async def go_on(self, connection: AsyncConnection, streak: Streak, facts: Mapping[str, Any], said: str) -> None:
        """It is as wrong as before, or worse. `said` stands in the thread; empty: nothing does."""
        await self._change(connection, streak, facts, said, is_open=True)

    async def end(self, connection: AsyncConnection, streak: Streak, facts: Mapping[str, Any], said: str) -> None:
        """All is well: the card says so, and so does its thread."""
        await self._change(connection, streak, facts, said, is_open=False)

    async def remember(self, connection: AsyncConnection, streak: Streak, facts: Mapping[str, Any]) -> None:
        """Nothing that anybody is told."""
        stored = update(news_cards).where(news_cards.c.id == streak.id).values(facts=json.dumps(facts))
        await connection.execute(stored)

    async def _change(
        self, connection: AsyncConnection, streak: Streak, facts: Mapping[str, Any], said: str, *, is_open: bool
    ) -> None:
        now = self._clock()
        revision = streak.revision + 1
        values = {"facts": json.dumps(facts), "revision": revision, "is_open": is_open}
        ended = None if is_open else now
        values["ended_at"] = ended.timestamp() if ended else None
        await connection.execute(update(news_cards).where(news_cards.c.id == streak.id).values(**values))
        if not await self._outbox.has_card(connection, streak.id):
            after = Streak(
                id=streak.id,
                key=streak.key,
                news=streak.news,
                subject=streak.subject,
                facts=facts,
                is_open=is_open,
                began_at=streak.began_at,
            )
            line = headline(after)
            await connection.execute(update(held_news).where(held_news.c.id == streak.id).values(line=line))
            return
        await self._outbox.operation_changed(connection, streak.id, revision, urgent=not is_open)
        if said:
            key = f"news:{streak.id}:{revision}"
            await self._outbox.thread(streak.id, [Message(text=said)], key=key, connection=connection)


class NewsCards:
    """Satisfies the outbox's `CardSource` for such cards."""

    def __init__(self, database: Database, channel_of: Callable[[str | None], str]) -> None:
        self._database = database
        self._channel_of = channel_of

    async def card(self, operation_id: str) -> Card | None:
        async with self._database.read() as connection:
            rows = await connection.execute(select(news_cards).where(news_cards.c.id == operation_id))
            row = rows.mappings().first()
        if row is None:
            return None
        streak = _streak(row)
        channel = self._channel_of(streak.subject or None)
        return Card(message=card(streak), revision=streak.revision, channel=channel, urgent=True)


async def look_at_news(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Standing]:
    """Return how cards that were held stand; what is well again meanwhile is one line."""
    columns = select(news_cards.c.id, news_cards.c.revision, news_cards.c.is_open).where(news_cards.c.id.in_(ids))
    return {row.id: Standing(row.revision, not row.is_open) for row in (await connection.execute(columns)).all()}


def _streak(row: Mapping[Any, Any]) -> Streak:
    return Streak(
        id=row["id"],
        key=row["key"],
        news=News(row["news"]),
        subject=row["subject"],
        facts=json.loads(row["facts"]),
        is_open=row["is_open"],
        began_at=datetime.fromtimestamp(row["began_at"], UTC),
        ended_at=datetime.fromtimestamp(row["ended_at"], UTC) if row["ended_at"] is not None else None,
        revision=row["revision"],
    )
