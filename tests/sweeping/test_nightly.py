"""One replica sweeps each night and posts one report; its buttons ask as whoever clicks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.deps import Deps
from bot.errors import UpstreamUnavailable, UsageError
from bot.model.operation import Asked
from bot.model.plan import Plan
from bot.operations.contracts import Allowed, Denied, Planned
from bot.slack.contracts import Click
from bot.storage.database import Database, metadata
from bot.sweeping.clicking import Sweepings
from bot.sweeping.nightly import Nightly, next_night
from tests.commands.company import deps
from tests.effects.scenes import AUTHOR
from tests.fakes.cluster import FakeCluster
from tests.fakes.environments import FakeEnvironments
from tests.operations.world import MONDAY, Time


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    found = Database(url)
    async with found.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield found
    await found.close()


class Posts:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.fails = False

    async def message(self, **message: Any) -> None:
        if self.fails:
            raise UpstreamUnavailable("The database is away.")
        self.sent.append(message)


async def channel() -> str:
    return "C0PLATFORM"


def nightly(database: Database, posts: Posts, time: Time, replica: str = "a") -> Nightly:
    here: Deps = replace(deps(), clusters={"default": FakeCluster()}, environments=FakeEnvironments())
    return Nightly(here, database, posts, channel, replica=replica, clock=time)


async def test_the_first_night_is_waited_for_and_then_each_has_one_report(database: Database) -> None:
    time, posts = Time(), Posts()
    a, b = nightly(database, posts, time), nightly(database, posts, time, "b")
    assert not await a.tick(), "an installation that has just been made is not swept"
    time.forward(hours=17, minutes=59)
    assert not await a.tick()
    time.forward(minutes=2)
    assert [await a.tick(), await b.tick(), await a.tick()] == [True, False, False]
    time.forward(days=1)
    assert [await b.tick(), await a.tick()] == [True, False]
    assert [(one["channel"], one["key"]) for one in posts.sent] == [
        ("C0PLATFORM", "sweep:2026-06-02"),
        ("C0PLATFORM", "sweep:2026-06-03"),
    ]
    assert posts.sent[0]["text"].startswith("The sweep found nothing that should not be there")


async def test_a_sweep_that_died_is_done_by_another_replica(database: Database) -> None:
    time, posts = Time(), Posts()
    a, b = nightly(database, posts, time), nightly(database, posts, time, "b")
    await a.tick()
    time.forward(days=1)
    posts.fails = True
    with pytest.raises(UpstreamUnavailable):
        await a.tick()
    posts.fails = False
    assert not await b.tick(), "somebody is at it"
    time.forward(minutes=31)
    assert await b.tick()
    assert len(posts.sent) == 1


def test_the_next_night_is_the_next_three_oclock() -> None:
    three = MONDAY.replace(hour=3)
    assert next_night(MONDAY) == three + timedelta(days=1)
    assert next_night(MONDAY.replace(hour=1)) == three
    assert next_night(three) == three + timedelta(days=1)


class Engine:
    def __init__(self, decision: Allowed | Denied) -> None:
        self.decision = decision
        self.submitted: list[Asked] = []

    async def dry_run(self, asked: Asked) -> Planned:
        return Planned(plan=Plan.of("Delete it", []), decision=self.decision)

    async def submit(self, asked: Asked) -> None:
        self.submitted.append(asked)


def click(value: str) -> Click:
    return Click(action="sweep", value=value, principal=AUTHOR, user="U1", channel="C1", message_ts="1.2", trigger="t")


async def test_a_button_asks_for_the_end_of_the_preview_once_for_each_report() -> None:
    engine = Engine(Allowed())
    handler = Sweepings(engine, lambda: MONDAY)
    for value in ("2026-03-02 pr-7", "2026-03-02 pr-7", "2026-03-03 pr-7"):
        assert await handler(click(value)) is None
    asked = engine.submitted[0]
    assert (asked.command, asked.request, asked.principal) == ("preview.down", {"name": "pr-7"}, AUTHOR)
    assert len({one.operation for one in engine.submitted}) == 2


async def test_policy_judges_whoever_clicks() -> None:
    engine = Engine(Denied(sentence="Only members of team-orders may use `/preview down`."))
    text = await Sweepings(engine, lambda: MONDAY)(click("2026-03-02 pr-7"))
    assert text is not None
    assert text.startswith("Only members of team-orders")
    assert engine.submitted == []


@pytest.mark.parametrize("value", ["", "pr-7", "2026-03-02 ../x", "2026-03-02 a b"])
async def test_a_button_of_another_kind_does_nothing(value: str) -> None:
    engine = Engine(Allowed())
    with pytest.raises(UsageError):
        await Sweepings(engine, lambda: MONDAY)(click(value))
    assert engine.submitted == []
