"""The outbox where there is more than one replica."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.slack.outbox import Outbox
from bot.slack.outbox_rows import LEAD_S
from bot.storage.database import Database, metadata
from tests.peers.postgresql import Cluster, cluster
from tests.peers.tools import need
from tests.slack.test_outbox import Room


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster(need("postgresql")) as running:
        yield running


@pytest.fixture
async def room(postgresql: Cluster) -> AsyncIterator[Room]:
    database = Database(postgresql.database())
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    yield Room(database)
    await database.close()


@pytest.mark.peer("postgresql")
async def test_two_replicas_at_once_post_each_card_once(room: Room) -> None:
    others = [room.outbox, room.replica()]
    for number in range(12):
        await room.changed(f"op-{number}")
    for _ in range(6):
        await asyncio.gather(*(other.tick() for other in others))
    assert sorted(card.text for card in room.slack.messages) == sorted(f"op-{n} at 1" for n in range(12))


@pytest.mark.peer("postgresql")
async def test_changes_and_deliveries_at_once_lose_nothing(room: Room) -> None:
    async def change() -> None:
        for _ in range(30):
            await room.changed("op-1")

    async def send() -> None:
        for _ in range(30):
            await room.outbox.tick()
            await room.timer.sleep(1)

    await asyncio.gather(change(), send())
    await room.outbox.drain()
    assert [card.text for card in room.slack.messages] == ["op-1 at 30"]


@pytest.mark.peer("postgresql")
async def test_two_senders_that_both_believe_to_lead_claim_a_row_once(room: Room) -> None:
    await room.changed("op-1")
    others: list[Outbox] = [room.outbox, room.replica()]
    cards, _ = await others[0]._rows.due(room.timer.now())
    claims = await asyncio.gather(*(other._rows.claim(cards[0], room.timer.now()) for other in others))
    assert sorted(claims) == [False, True]


@pytest.mark.peer("postgresql")
async def test_messages_keep_their_order_when_the_sender_changes(room: Room) -> None:
    for number in range(3):
        await room.outbox.message(channel="C1", text=str(number))
    await room.outbox.tick()
    await room.timer.sleep(LEAD_S + 1)
    await room.replica().drain()
    assert [message.text for message in room.slack.messages] == list("012")
