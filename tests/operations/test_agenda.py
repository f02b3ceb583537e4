"""The agenda keeps what is due once, in the person's name, whatever crashes in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model.operation import Asked
from bot.model.principal import Door
from bot.operations.agenda import DurableAgenda
from bot.ports import Appointment
from bot.storage.database import Database, metadata
from tests.operations.world import AUTHOR, MONDAY, Time

UNPIN = Appointment("unpin:orders/staging", MONDAY + timedelta(days=7), "service.unpin", {"service": "orders"}, AUTHOR)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    found = Database(url)
    async with found.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield found
    await found.close()


class Asking:
    """Notes what is asked; may die first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.dies = False

    async def __call__(self, asked: Asked) -> None:
        if self.dies:
            raise RuntimeError("killed")
        self.asked.append(asked)


async def test_what_is_due_is_asked_once_in_the_persons_name(database: Database) -> None:
    time, ask = Time(), Asking()
    agenda = DurableAgenda(database, time)
    await agenda.add(UNPIN)
    assert await agenda.get(UNPIN.id) == UNPIN
    assert await agenda.keep(ask) == 0
    time.forward(days=7)
    assert await agenda.keep(ask) == 1
    assert await agenda.keep(ask) == 0
    [asked] = ask.asked
    assert (asked.command, asked.principal, asked.door, asked.now) == ("service.unpin", AUTHOR, Door.AGENDA, time.now)
    assert asked.request == {"service": "orders"}
    assert await agenda.get(UNPIN.id) is None


async def test_a_crash_before_it_is_asked_loses_nothing_and_after_it_asks_the_same(database: Database) -> None:
    time, ask = Time(UNPIN.at), Asking()
    agenda = DurableAgenda(database, time)
    await agenda.add(UNPIN)
    ask.dies = True
    with pytest.raises(RuntimeError):
        await agenda.keep(ask)
    ask.dies = False
    await agenda.keep(ask)
    await agenda.add(UNPIN)  # as it stands after a crash between asking and striking out
    await agenda.keep(ask)
    assert len({asked.operation for asked in ask.asked}) == 1, "the engine takes the same id once"


async def test_a_later_term_replaces_an_earlier_one_and_is_another_operation(database: Database) -> None:
    time, ask = Time(UNPIN.at), Asking()
    agenda = DurableAgenda(database, time)
    later = replace(UNPIN, at=UNPIN.at + timedelta(hours=1))
    await agenda.add(UNPIN)
    await agenda.keep(ask)
    await agenda.add(UNPIN)
    await agenda.add(later)
    assert await agenda.keep(ask) == 0
    time.forward(hours=1)
    await agenda.keep(ask)
    assert len({asked.operation for asked in ask.asked}) == 2


async def test_what_is_struck_out_is_not_asked(database: Database) -> None:
    ask = Asking()
    agenda = DurableAgenda(database, Time(UNPIN.at))
    await agenda.add(UNPIN)
    assert await agenda.remove(UNPIN.id)
    assert not await agenda.remove(UNPIN.id)
    assert await agenda.keep(ask) == 0
