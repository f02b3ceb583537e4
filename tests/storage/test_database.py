"""Transactions: all or nothing, and no cancelled task keeps others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from bot.storage.database import Database

TABLES = MetaData()
THINGS = Table("things", TABLES, Column("id", Integer, primary_key=True), Column("size", Integer))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'causeway.db'}")
    async with database.write() as connection:
        await connection.run_sync(TABLES.create_all)
    yield database
    await database.close()


async def add(database: Database, size: int) -> None:
    async with database.write() as connection:
        await connection.execute(insert(THINGS).values(size=size))
        await connection.execute(select(THINGS.c.id).limit(5))


async def count(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(THINGS))).scalar_one()


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    async def broken() -> None:
        async with database.write() as connection:
            await connection.execute(insert(THINGS).values(size=1))
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await broken()
    assert await count(database) == 0


async def test_a_write_that_is_cancelled_anywhere_keeps_nobody_waiting(database: Database) -> None:
    for turns in range(60):
        task = asyncio.create_task(add(database, turns))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await add(database, -1)  # raises “database is locked” if the cancelled one still holds the lock
    assert await count(database) >= 60


async def test_writers_wait_for_one_another(database: Database) -> None:
    await asyncio.gather(*(add(database, number) for number in range(50)))
    assert await count(database) == 50


async def test_an_error_does_not_carry_what_was_to_be_written(database: Database) -> None:
    async def twice() -> None:
        async with database.write() as connection:
            for _ in range(2):
                await connection.execute(insert(THINGS).values(id=1, size=424242))

    with pytest.raises(IntegrityError) as caught:
        await twice()
    assert "424242" not in str(caught.value)
