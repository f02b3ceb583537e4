"""The inbox, drafts and identities where there is more than one replica."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import func, select

from bot.slack.drafts import Drafts
from bot.slack.inbox import LEASE_S
from bot.storage.database import Database, metadata
from bot.storage.slack_inbound import inbox
from tests.fakes.slack_inbound import AUTHOR, HOME, USER, FakeClock, FakeWeb, account
from tests.peers.postgresql import Cluster, cluster
from tests.peers.tools import need
from tests.slack.test_identity import identities
from tests.slack.test_inbox import Dead, command

pytestmark = pytest.mark.peer("postgresql")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster(need("postgresql")) as running:
        yield running


@pytest.fixture
async def replicas(postgresql: Cluster) -> AsyncIterator[tuple[Database, Database]]:
    url = postgresql.database()
    both = (Database(url), Database(url))
    async with both[0].write() as connection:
        await connection.run_sync(metadata.create_all)
    yield both
    for one in both:
        await one.close()


async def test_the_same_deliveries_at_two_replicas_at_once_are_new_once(replicas: tuple[Database, Database]) -> None:
    clock = FakeClock()
    inboxes = [Dead(one, clock) for one in replicas]
    numbers = range(60)
    new = await asyncio.gather(
        *(inboxes[0].store(command(clock, number)) for number in numbers),
        *(inboxes[1].store(command(clock, number)) for number in reversed(numbers)),
    )
    assert sum(new) == 60
    async with replicas[0].read() as connection:
        assert (await connection.execute(select(func.count()).select_from(inbox))).scalar_one() == 60


async def test_a_dead_replicas_rows_are_taken_once_each_and_marked_done(replicas: tuple[Database, Database]) -> None:
    clock = FakeClock()
    dead = Dead(replicas[0], clock)
    for number in range(20):
        await dead.store(command(clock, number, "liste%20ä"))
    clock.advance(LEASE_S + 1)
    heirs = [Dead(one, clock) for one in replicas]
    taken = await asyncio.gather(*(heir.take_over(limit=15) for heir in heirs))
    taken += await asyncio.gather(*(heir.take_over(limit=15) for heir in heirs))
    keys = [envelope.key for one in taken for envelope in one]
    assert len(keys) == len(set(keys)) == 20
    for heir in heirs:
        await heir.renew()
    for key in keys:
        heirs[0].finished(key)
    await heirs[0].close()
    async with replicas[1].read() as connection:
        assert set((await connection.execute(select(inbox.c.state))).scalars()) == {1}


async def test_two_presses_at_two_replicas_turn_a_draft_once(replicas: tuple[Database, Database]) -> None:
    clock = FakeClock()
    first, second = (Drafts(one, clock) for one in replicas)
    draft = await first.begin(team=HOME, user=USER, channel="C1", command="service.create", words=("a",))
    turned = await asyncio.gather(first.turn(draft, 1, {"x": "ä"}), second.turn(draft, 1, {"x": "b"}))
    assert len([one for one in turned if one is not None]) == 1
    assert await second.get(draft.id, user=USER, team=HOME) is not None


async def test_what_one_replica_learned_about_a_person_the_other_knows(replicas: tuple[Database, Database]) -> None:
    web = FakeWeb({USER: account()})
    first, second = (identities(database, web, FakeClock()) for database in replicas)
    await first.resolve(USER, HOME)
    await second.resolve(USER, HOME)
    assert web.methods() == ["users.info"]


async def test_two_replicas_may_meet_somebody_new_at_the_same_time(replicas: tuple[Database, Database]) -> None:
    web = FakeWeb({USER: account()})
    people = [identities(database, web, FakeClock()) for database in (*replicas, *replicas)]
    met = await asyncio.gather(*(one.resolve(USER, HOME) for one in people))
    assert {person.user for person in met} == {AUTHOR.user}
