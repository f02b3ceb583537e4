"""What goes wrong by itself: CI of a main branch, and what Argo CD cannot apply; one card until it is well again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest

from bot.errors import UpstreamUnavailable
from bot.model.forge_events import BuildEnded
from bot.model.notifications import QuietHours, TeamWishes
from bot.model.operation import Behind
from bot.notifications.ci import FailingBuilds
from bot.notifications.morning import Morning
from bot.notifications.streaks import NewsCards, Streaks, look_at_news
from bot.notifications.sync import FailingDeliveries
from bot.ports import SyncOperation
from bot.slack.outbox import Outbox
from bot.storage.database import Database, metadata
from tests.commands.running import ORDERS, SOURCE, running
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.forge import FakeForge

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUIET = TeamWishes(quiet=QuietHours(begin=time(20), end=time(8), zone="UTC"))
APPLICATION = "orders-api-staging"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    found = Database(url)
    async with found.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield found
    await found.close()


@dataclass
class Told:
    """What reaches Slack: cards that were asked for, lines in their threads, and messages."""

    cards: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    async def has_card(self, _: Any, id_: str) -> bool:
        return id_ in self.cards

    async def operation_changed(self, _: Any, id_: str, __: int, **___: Any) -> None:
        if id_ not in self.cards:
            self.cards.append(id_)

    async def thread(self, _: str, messages: Any, **__: Any) -> None:
        self.threads += [message.text for message in messages]

    async def message(self, *, text: str, **_: Any) -> None:
        self.lines.append(text)


class Newsroom:
    def __init__(self, database: Database, *, lanes: dict[str, tuple[Behind, ...]] | None = None) -> None:
        self.database = database
        self.now = NOON
        self.told = Told()
        self.wishes = TeamWishes()
        self.argocd = FakeDeployments()
        self.deps = running(FakeForge(), deployments=self.argocd, lanes=lanes)
        self.cards = NewsCards(database, lambda owner: "CORDERS" if owner == ORDERS else "CPLATFORM")
        self.deliveries = self.replica("a")
        self.other = self.replica("b")

    def streaks(self, replica: str) -> Streaks:
        outbox = cast("Outbox", self.told)
        return Streaks(self.database, outbox, lambda _: self.wishes, lambda: self.now, replica=replica)

    def replica(self, name: str) -> FailingDeliveries:
        return FailingDeliveries(self.deps, self.streaks(name), self.database, lambda: self.now, replica=name)

    async def ran(self, *runs: tuple[int, str, str], repository: str = SOURCE, **more: Any) -> None:
        """Runs of CI end, as two replicas hear it: number, workflow, conclusion."""
        for run, name, conclusion in runs:
            given: dict[str, Any] = {
                "delivery": f"d-{run}",
                "repository": repository,
                "run": run,
                "name": name,
                "sha": f"{run:x}" * 8,
                "branch": "main",
                "is_default_branch": True,
                "conclusion": conclusion,
                "actor": "author",
                "web_url": f"https://forge.example/runs/{run}",
            }
            event = BuildEnded(**(given | more))
            for replica in ("a", "b"):
                await FailingBuilds(self.streaks(replica), self.deps.catalog).built(event)
            self.now += timedelta(minutes=1)

    async def look(self) -> None:
        self.now += timedelta(minutes=2)
        for one in (self.deliveries, self.other):
            await one.tick()

    async def card(self, number: int = 0) -> str:
        found = await self.cards.card(self.told.cards[number])
        assert found is not None
        assert found.channel == "CORDERS"
        return f"{found.message.text}\n{found.message.blocks}"

    async def morning(self) -> None:
        outbox = cast("Outbox", self.told)
        told = {"replica": "a", "looks": (look_at_news,)}
        await Morning(
            self.database, outbox, lambda _: "CORDERS", nobody, lambda: self.now, **cast("dict[str, Any]", told)
        ).tick()


async def nobody(_: str) -> str | None:
    return None


async def test_a_streak_of_failures_is_one_card_until_all_is_green(database: Database) -> None:
    room = Newsroom(database)
    await room.ran((1, "tests", "success"), (2, "tests", "failure"))
    assert len(room.told.cards) == 1
    first = await room.card()
    assert "*CI of acme/orders-api* fails on the main branch" in first
    assert "<https://forge.example/runs/2|tests> at `2222222` by author" in first
    await room.ran((3, "tests", "timed_out"), (4, "lint", "success"), (5, "lint", "failure"), (6, "tests", "success"))
    assert "runs/5|lint" in await room.card()
    assert "runs/3" not in await room.card()
    await room.ran((7, "lint", "success"))
    assert "is green again after 3 failed runs" in await room.card()
    assert len(room.told.cards) == 1
    assert [line.partition(": <")[0] for line in room.told.threads] == [
        "Fails again",
        "Fails again",
        "Green again, others still fail",
        "Green again",
    ]
    await room.ran((8, "tests", "failure"))
    assert len(room.told.cards) == 2, "another streak is another card"
    assert "runs/8|tests" in await room.card(1)


async def test_what_is_old_elsewhere_or_no_failure_is_not_told(database: Database) -> None:
    room = Newsroom(database)
    await room.ran((1, "tests", "cancelled"), (2, "tests", "skipped"))
    await room.ran((3, "tests", "failure"), is_default_branch=False)
    await room.ran((4, "tests", "failure"), repository="acme/unknown")
    assert room.told == Told()
    await room.ran((9, "tests", "failure"), (5, "tests", "success"))
    assert "fails on the main branch" in await room.card()
    await room.ran((9, "tests", "success"))  # the same run, repeated
    assert "green again" in await room.card()
    await room.ran((5, "tests", "failure"))
    assert len(room.told.cards) == 1


async def test_hostile_names_call_nobody(database: Database) -> None:
    room = Newsroom(database)
    await room.ran((1, "<!here> *x*", "failure"), actor="<@U1>", web_url="javascript:alert(1)")
    told = await room.card()
    assert "<!here>" not in told
    assert "<@U1>" not in told
    assert "javascript" not in told


async def test_a_night_holds_it_and_what_is_well_by_morning_is_one_line(database: Database) -> None:
    room = Newsroom(database)
    room.wishes, room.now = QUIET, NOON + timedelta(hours=10)
    await room.ran((1, "tests", "failure"), (2, "tests", "success"), (3, "tests", "failure"))
    assert room.told == Told()
    room.now = NOON + timedelta(hours=20)
    await room.morning()
    assert room.told.lines == ["*While it was quiet*\n• ✅ *CI of acme/orders-api* is green again after 1 failed run"]
    assert len(room.told.cards) == 1
    assert "runs/3" in await room.card()


# --- Argo CD


def failed(revision: str = "a" * 40) -> SyncOperation:
    return SyncOperation(phase="Failed", message='deployments.apps "x" is forbidden', revision=revision)


async def test_a_delivery_that_fails_is_told_once_for_each_commit(database: Database) -> None:
    room = Newsroom(database)
    room.argocd.put(application(APPLICATION, sync="OutOfSync", revision="a" * 40, operation=failed()))
    for _ in range(3):
        await room.look()
    assert len(room.told.cards) == 1
    assert "*orders-api in staging* cannot be delivered at `aaaaaaa`" in await room.card()
    room.argocd.change(APPLICATION, revision="b" * 40, operation=failed("b" * 40))
    await room.look()
    assert len(room.told.cards) == 2
    assert "another commit has come since `aaaaaaa`" in await room.card()
    assert "at `bbbbbbb`" in await room.card(1)
    room.argocd.change(APPLICATION, sync="Synced", operation=None)
    await room.look()
    assert "*orders-api in staging* is delivered again" in await room.card(1)
    assert room.told.threads == ["Another commit has come, and fails as well.", "It is delivered again."]


async def test_while_argo_cd_is_away_nothing_is_said_and_nothing_marked(database: Database) -> None:
    room = Newsroom(database)
    room.argocd.put(application(APPLICATION, sync="OutOfSync", revision="a" * 40, operation=failed()))
    await room.look()
    room.argocd.faults.refuse("applications", UpstreamUnavailable("Argo CD is away."))
    with pytest.raises(UpstreamUnavailable):
        await room.look()
    assert "cannot be delivered" in await room.card()


async def test_an_operation_under_way_tells_of_its_delivery_itself(database: Database) -> None:
    behind = Behind(operation="op-1", summary="Deploy", by="Sample Author")
    room = Newsroom(database, lanes={"deploy:orders-api/staging": (behind,)})
    room.argocd.put(application(APPLICATION, sync="OutOfSync", revision="a" * 40, operation=failed()))
    await room.look()
    assert room.told == Told()
