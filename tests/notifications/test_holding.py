"""What nobody has asked for just then is told when its team wants it: through the rows, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import insert, select

from bot.announcing import Announcements
from bot.model.notifications import News, Personal, PersonalWishes, QuietHours, TeamWishes, Wish
from bot.model.operation import Asked, Need, Origin, State
from bot.model.plan import Plan
from bot.model.principal import Door, Principal
from bot.notifications.gate import Change, Judged, judge, news_of
from bot.notifications.morning import Morning
from bot.notifications.personal import told_directly
from bot.slack.outbox import Outbox
from bot.storage.database import Database, metadata
from bot.storage.notifications import held_news
from bot.storage.operations import operations
from tests.commands.company import known

ORDERS = "group:default/team-orders"
AUTHOR = Principal(user="user:default/author", display_name="Sample Author")
NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)
QUIET = QuietHours(begin=time(20), end=time(8), zone="UTC")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    found = Database(url)
    async with found.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield found
    await found.close()


@dataclass
class Told:
    """What reaches Slack."""

    cards: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    direct: list[tuple[str, str]] = field(default_factory=list)
    threads: list[tuple[str, str]] = field(default_factory=list)

    async def has_card(self, _: Any, operation: str) -> bool:
        return operation in self.cards

    async def operation_changed(self, _: Any, operation: str, __: int, **___: Any) -> None:
        if operation not in self.cards:
            self.cards.append(operation)

    async def message(self, *, channel: str, text: str, **_: Any) -> None:
        if channel.startswith("U"):
            self.direct.append((channel, text))
        else:
            assert channel == "CORDERS"
            self.lines.append(text)

    async def thread(self, card: str, messages: Any, **_: Any) -> None:
        self.threads += [(card, message.text) for message in messages]


class Town:
    """One team, with its wishes, on rows that outlive every process."""

    def __init__(self, database: Database, quiet: QuietHours | None = QUIET, **news: Wish) -> None:
        self.database = database
        self.now = NIGHT
        self.told = Told()
        self.wishes = TeamWishes(news={News(name): wish for name, wish in news.items()}, quiet=quiet)
        self.people: dict[str, PersonalWishes] = {}
        self.announcements = Announcements(
            cast("Outbox", self.told),
            lambda _: None,
            judge=self._judge,
            directly=lambda change, need, digest: told_directly(
                change, need, digest, self.people, known(), now=self.now
            ),
            clock=lambda: self.now,
        )

    def _judge(self, change: Change) -> Judged:
        return judge(change, lambda owner: self.wishes if owner == ORDERS else TeamWishes(), known(), now=self.now)

    async def morning(self, *replicas: str) -> int:
        found = 0
        for replica in replicas or ("a", "b"):
            teller = Morning(
                self.database,
                cast("Outbox", self.told),
                lambda owner: "CORDERS" if owner == ORDERS else "CPLATFORM",
                slack_name,
                lambda: self.now,
                replica=replica,
            )
            found += await teller.tick()
        return found

    async def goes(
        self,
        id_: str,
        *states: State,
        door: Door = Door.FORGE,
        command: str = "service.deploy",
        origin: Origin | None = None,
        by: Principal = AUTHOR,
        **columns: Any,
    ) -> None:
        """An operation goes through these states."""
        made = Plan.of(f"Deploy <{id_}>", (), owner=ORDERS)
        asked = Asked(
            operation=id_,
            command=command,
            request={},
            principal=by,
            door=door,
            now=self.now,
            origin=origin or Origin(),
        )
        for state in states:
            self.now += timedelta(seconds=1)
            row = {
                "id": id_,
                "command": command,
                "user": AUTHOR.user,
                "asked": asked.model_dump_json(),
                "state": state.value,
                "stage": "plan",
                "plan": made.model_dump_json(),
                "digest": made.digest,
                **dict.fromkeys(("cause", "problem", "lease_holder"), ""),
                **dict.fromkeys(("approvals", "voided", "steps"), "[]"),
                "buttons": "{}",
                **dict.fromkeys(("created_at", "updated_at"), 0.0),
                **dict.fromkeys(("revision", "lease_token"), 1),
                **columns,
            }
            async with self.database.write() as connection:
                await connection.execute(operations.delete().where(operations.c.id == id_))
                await connection.execute(insert(operations).values(row))
                await self.announcements.operation_changed(connection, id_, 1)

    async def held(self) -> list[str]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(held_news.c.id).order_by(held_news.c.noted_at))).scalars())


async def slack_name(ref: str) -> str | None:
    return {"user:default/author": "U0AUTHOR01"}.get(ref)


DONE = (State.RUNNING, State.SUCCEEDED)
BROKEN = (State.RUNNING, State.UNDONE)


async def test_a_night_is_told_in_the_morning_once_and_in_order(database: Database) -> None:
    town = Town(database)
    await town.goes("op-1", *BROKEN)
    await town.goes("op-2", *DONE)
    await town.goes("op-3", State.RUNNING)
    await town.goes("op-4", *DONE)
    await town.goes("op-5", *DONE, command="preview.remind", door=Door.AGENDA)
    assert (town.told, await town.held()) == (Told(), ["op-1", "op-2", "op-3", "op-4", "op-5"])
    assert await town.morning() == 0
    town.now = MORNING
    assert await town.morning() == 5
    assert town.told.cards == ["op-1", "op-3", "op-5"], "those that somebody has to look at, or that ask something"
    assert town.told.lines == ["*While it was quiet*\n• ✅ Deploy &lt;op-2&gt;\n• ✅ Deploy &lt;op-4&gt;"]
    assert (await town.held(), await town.morning()) == ([], 0)
    await town.goes("op-3", State.SUCCEEDED)
    assert await town.held() == [], "a card that stands is edited"


async def test_what_somebody_has_asked_for_or_has_to_approve_has_its_card_at_once(database: Database) -> None:
    town = Town(database, deploys=Wish.NOTHING)
    await town.goes("op-mine", State.RUNNING, door=Door.SLACK)
    await town.goes("op-approve", State.AWAITING_APPROVAL)
    assert (town.told.cards, await town.held()) == (["op-mine", "op-approve"], [])


@pytest.mark.parametrize("wish", [Wish.TROUBLE, Wish.NOTHING])
async def test_only_trouble_is_told_where_only_trouble_is_wanted(database: Database, wish: Wish) -> None:
    town = Town(database, None, deploys=wish)
    await town.goes("op-well", *DONE)
    await town.goes("op-stuck", State.RUNNING)
    assert town.told == Told()
    await town.goes("op-stuck", State.RUNNING, steps=json.dumps([{"state": "running", "stalled": True}]))
    await town.goes("op-broken", *BROKEN)
    assert (town.told.cards, await town.held()) == (["op-stuck", "op-broken"], [])


async def test_a_day_is_one_message_and_trouble_is_told_at_once(database: Database) -> None:
    town = Town(database, None, deploys=Wish.DAILY)
    for number in range(30):
        await town.goes(f"op-{number}", *DONE)
    await town.goes("op-broken", *BROKEN)
    assert (town.told.cards, town.told.lines) == (["op-broken"], [])
    town.now = MORNING + timedelta(hours=1)
    assert await town.morning() == 30
    (line,) = town.told.lines
    assert line.startswith("*What went by itself since the last summary*\n• ✅ Deploy &lt;op-0&gt;\n")
    assert line.endswith("… and 5 more")


async def test_a_wish_that_changes_meanwhile_counts_at_the_next_change(database: Database) -> None:
    town = Town(database)
    await town.goes("op-1", State.RUNNING)
    town.wishes = TeamWishes()
    await town.goes("op-1", State.SUCCEEDED)
    assert (town.told.cards, await town.held()) == (["op-1"], [])


async def test_a_later_push_is_told_below_the_first_card_unless_it_fails(database: Database) -> None:
    town = Town(database, None)
    await town.goes("op-first", *DONE, command="preview.up")
    below = Origin(beside="op-first")
    await town.goes("op-push", *DONE, command="preview.up", origin=below)
    assert town.told.cards == ["op-first"]
    assert town.told.threads == [("op-first", "✅ Deploy &lt;op-push&gt;, asked by Sample Author.")]
    await town.goes("op-waits", State.AWAITING_APPROVAL, command="preview.up", origin=below)
    await town.goes("op-fails", *BROKEN, command="preview.up", origin=below)
    assert town.told.cards == ["op-first", "op-waits", "op-fails"]
    await town.goes("op-better", *DONE, command="preview.up", origin=Origin(beside="op-fails"))
    assert town.told.cards[-1] == "op-better", "nothing good is told below a card that says undone"
    await town.goes("op-lost", *DONE, command="preview.up", origin=Origin(beside="op-never-told"))
    assert town.told.cards[-1] == "op-lost", "what has no card to stand below has one of its own"


async def test_people_are_told_directly_once_it_is_due(database: Database) -> None:
    town = Town(database)
    town.people = {AUTHOR.user: PersonalWishes(told=frozenset({Personal.ENDED, Personal.ENDINGS}), quiet=QUIET)}
    await town.goes("op-1", *DONE, door=Door.HTTP)
    await town.goes("op-2", *DONE, door=Door.FORGE)  # nobody has asked for it
    await town.goes("op-3", State.REJECTED, door=Door.SLACK)
    await town.goes("op-4", *DONE, door=Door.AGENDA, command="preview.remind")
    assert await town.morning() == 0
    town.now = MORNING
    await town.morning()
    assert town.told.direct == [
        ("U0AUTHOR01", "✅ It has ended well: Deploy &lt;op-1&gt;."),
        ("U0AUTHOR01", "⚠️ It was not approved: Deploy &lt;op-3&gt;."),
        ("U0AUTHOR01", "A preview of yours ends soon: Deploy &lt;op-4&gt;."),
    ]
    await town.goes("op-1", State.SUCCEEDED, door=Door.HTTP)
    town.now += timedelta(days=1)
    await town.morning()
    assert len(town.told.direct) == 3, "the same is told once"


async def test_who_may_approve_is_told_at_any_time_where_they_want_to_be(database: Database) -> None:
    town = Town(database)
    wanted = PersonalWishes(told=frozenset({Personal.APPROVALS}), quiet=QUIET)
    lead = AUTHOR.model_copy(update={"user": "user:default/lead", "display_name": "Sample <Lead>"})
    need = Need(approvers=frozenset({ORDERS}), rule="the owner approves").model_dump_json()
    town.people = {AUTHOR.user: wanted, lead.user: wanted}
    await town.goes("op-own", State.AWAITING_APPROVAL, door=Door.SLACK, need=need)
    await town.morning()
    assert town.told.direct == [], "not whoever asked, and not whoever may not"
    await town.goes("op-1", State.AWAITING_APPROVAL, State.AWAITING_APPROVAL, by=lead, need=need)
    await town.morning()
    said = "Somebody waits for your approval: Deploy &lt;op-1&gt;, asked by Sample &lt;Lead&gt;."
    assert town.told.direct == [("U0AUTHOR01", said)]
    town.people = {AUTHOR.user: PersonalWishes()}
    await town.goes("op-2", State.AWAITING_APPROVAL, by=lead, need=need)
    assert await town.morning() == 0


@pytest.mark.parametrize(
    ("command", "news"),
    [
        ("service.deploy", News.DEPLOYS),
        ("service.unpin", News.DEPLOYS),
        ("preview.up", News.PREVIEWS),
        ("preview.sleep", News.PREVIEWS),
        ("preview.remind", News.ENDINGS),
        ("database.resize", News.DATABASES),
    ],
)
def test_commands_are_news_of_a_kind(command: str, news: News) -> None:
    assert news_of(command) is news
