"""The wishes in our own database: two replicas read what one of them has written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import time

import pytest

from bot.model.notifications import News, Personal, PersonalWishes, QuietHours, TeamWishes, Wish
from bot.notifications.book import DurableNotifications
from bot.storage.database import Database, metadata

ORDERS, AUTHOR = "group:default/team-orders", "user:default/author"
TEAM = TeamWishes(
    news={News.DEPLOYS: Wish.DAILY, News.ALERTS: Wish.TROUBLE},
    quiet=QuietHours(begin=time(20), end=time(8), zone="Europe/Berlin", whole_days=("sunday",)),
)
PERSON = PersonalWishes(told=frozenset({Personal.APPROVALS, Personal.ENDED}))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    found = Database(url)
    async with found.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield found
    await found.close()


async def test_what_one_replica_writes_down_the_other_reads(database: Database) -> None:
    one, other = DurableNotifications(database), DurableNotifications(database)
    assert (await other.team(ORDERS), await other.person(AUTHOR)) == (TeamWishes(), PersonalWishes())
    assert await other.kept(ORDERS) is None
    await one.keep(ORDERS, TEAM)
    await one.keep(AUTHOR, PERSON)
    assert (await other.team(ORDERS), await other.person(AUTHOR)) == (TEAM, PERSON)
    assert (one.remembered(ORDERS), other.remembered(ORDERS)) == (TEAM, None)
    await other.catch_up()
    assert (other.remembered(ORDERS), other.remembered(AUTHOR)) == (TEAM, PERSON)
    assert (other.of_team(ORDERS), other.of_team(None), other.of_team(AUTHOR)) == (TEAM, TeamWishes(), TeamWishes())


async def test_the_last_word_counts_and_none_is_forgotten(database: Database) -> None:
    book = DurableNotifications(database)
    await book.keep(ORDERS, TEAM)
    await book.keep(ORDERS, TeamWishes())
    assert await book.kept(ORDERS) == TeamWishes()
    await book.keep(ORDERS, None)
    assert await book.kept(ORDERS) is None
    assert book.remembered(ORDERS) is None
    await book.catch_up()
    assert book.remembered(ORDERS) is None
