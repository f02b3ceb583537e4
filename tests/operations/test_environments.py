"""The book keeps what stands and what has ended, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.operations.environments import DurableEnvironments
from bot.ports import EnvironmentRecord
from bot.storage.database import Database, metadata
from tests.operations.world import MONDAY

LINE = EnvironmentRecord(
    name="pr-12",
    kind="preview",
    cluster="default",
    namespace="preview-pr-12",
    team="team-orders",
    by="user:default/author",
    operation="op_one",
    created_at=MONDAY,
    expires_at=MONDAY + timedelta(days=3),
    holds={"hosts": ["orders.pr-12.example.com"]},
)
LATER = MONDAY + timedelta(days=4, microseconds=123)


@pytest.fixture
async def book(url: str) -> AsyncIterator[DurableEnvironments]:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield DurableEnvironments(database)
    await database.close()


async def test_a_line_is_read_as_it_was_written_and_changes_under_the_same_operation(
    book: DurableEnvironments,
) -> None:
    assert await book.get("preview", "default", "pr-12") is None
    await book.enter(LINE)
    assert await book.get("preview", "default", "pr-12") == LINE
    extended = replace(LINE, expires_at=LATER)
    await book.enter(extended)
    assert await book.standing() == [extended]


async def test_an_end_is_a_time_and_ends_only_what_that_operation_made(book: DurableEnvironments) -> None:
    await book.enter(LINE)
    await book.end("preview", "default", "pr-12", "op_other", LATER)
    assert await book.standing("preview") == [LINE]
    await book.end("preview", "default", "pr-12", "op_one", LATER)
    await book.end("preview", "default", "pr-12", "op_one", LATER + timedelta(days=1))
    assert await book.standing() == []
    assert await book.get("preview", "default", "pr-12") == replace(LINE, ended_at=LATER)


async def test_a_name_that_is_used_again_has_a_line_for_each_life(book: DurableEnvironments) -> None:
    await book.enter(replace(LINE, ended_at=LATER))
    again = replace(LINE, operation="op_two", created_at=LATER)
    await book.enter(again)
    assert await book.get("preview", "default", "pr-12") == again
    await book.end("preview", "default", "pr-12", "op_two", LATER + timedelta(days=1))
    ended = await book.get("preview", "default", "pr-12")
    assert ended is not None
    assert (ended.operation, ended.ended_at) == ("op_two", LATER + timedelta(days=1)), "the newest end is told"


async def test_what_stands_is_told_oldest_first_and_by_kind(book: DurableEnvironments) -> None:
    database = replace(LINE, kind="database", name="orders", expires_at=None, created_at=MONDAY - timedelta(days=1))
    elsewhere = replace(LINE, cluster="other", created_at=MONDAY + timedelta(hours=1))
    for line in (elsewhere, LINE, database):
        await book.enter(line)
    assert await book.standing() == [database, LINE, elsewhere]
    assert await book.standing("database") == [database]
