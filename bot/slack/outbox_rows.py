"""The outbox in the database: what is to be sent, who has claimed it, and what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Table, case, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.canonical import JSON
from bot.storage.database import Database
from bot.storage.slack_outbound import slack_cards, slack_outbox, slack_senders

CLAIM_S = 16.0
"""How long a row belongs to whoever claimed it, in seconds: longer than any delivery may take."""

LEAD_S = 6.0
"""How long a silent replica stays the sender, in seconds."""

_LOOKED_AT = 100

THREAD = "card:"
"""Begins the lane of what stands in the thread of a card; the card's id follows."""

TOLD = "told-"
"""Begins the id of a message that can be changed later. Its place is kept as that of a card is."""
KEEP_TOLD_S = 24 * 3600.0
"""How long such a place is kept, in seconds: answers are completed within a minute."""


class Priority(IntEnum):
    """What goes first when not everything can go at once."""

    APPROVAL = 0
    REPLY = 1
    PROGRESS = 2
    ALERT = 3


class RowKind(StrEnum):
    MESSAGE = "message"
    EPHEMERAL = "ephemeral"
    RESPONSE = "response"
    FILE = "file"
    TOLD = "told"
    """A message that can be changed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    operation: str
    channel: str | None
    ts: str | None
    wanted: int
    sent: int
    sent_at: float
    sending_since: float | None
    attempts: int
    problem: str
    lane: str | None = None
    """Cards of one lane are posted one after the other, in the order of their turns."""
    turn: int | None = None
    urgent: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    id: int
    key: str
    lane: str
    kind: RowKind
    priority: Priority
    payload: Mapping[str, Any]
    created_at: float
    sending_since: float | None
    attempts: int


Row = CardRow | OutboxRow


class CardPlace(NamedTuple):
    channel: str
    ts: str


class Turn(NamedTuple):
    """When a card is posted among those of its lane (a channel): after all with a smaller number."""

    lane: str
    number: int


class Rows:
    """The SQL of the outbox. `owner` names this process among the replicas."""

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner

    @asynccontextmanager
    async def within(self, connection: AsyncConnection | None) -> AsyncIterator[AsyncConnection]:
        """Use the caller's transaction, or one of our own."""
        if connection is not None:
            yield connection
        else:
            async with self._database.write() as own:
                yield own

    # --- In ---------------------------------------------------------------------------------------------------------

    async def card_changed(
        self,
        connection: AsyncConnection,
        operation: str,
        revision: int,
        *,
        urgent: bool = False,
        turn: Turn | None = None,
    ) -> None:
        """Note that the card shall show at least this revision. Older news changes nothing. `turn` counts only when
        the card is asked for the first time."""
        asked = {"wanted": revision, "urgent": revision if urgent else -1}
        place = {"lane": turn.lane, "turn": turn.number} if turn else {}
        insert = _insert(connection, slack_cards).values(operation=operation, **asked, **place)
        newer = {
            name: case((insert.excluded[name] > slack_cards.c[name], insert.excluded[name]), else_=slack_cards.c[name])
            for name in asked
        }
        await connection.execute(insert.on_conflict_do_update(index_elements=["operation"], set_=newer))

    async def has_card(self, connection: AsyncConnection, operation: str) -> bool:
        found = await connection.execute(select(slack_cards.c.operation).where(slack_cards.c.operation == operation))
        return found.first() is not None

    async def add(
        self,
        connection: AsyncConnection,
        *,
        key: str,
        lane: str,
        kind: RowKind,
        priority: Priority,
        payload: Mapping[str, JSON],
        now: float,
    ) -> None:
        """Add something to send. The same `key` twice is one thing."""
        insert = _insert(connection, slack_outbox).values(
            key=key, lane=lane, kind=kind.value, priority=int(priority), payload=dict(payload), created_at=now
        )
        await connection.execute(insert.on_conflict_do_nothing(index_elements=["key"]))

    # --- Who sends --------------------------------------------------------------------------------------------------

    async def lead(self, now: float) -> bool:
        """Become or stay the one replica that sends. Return whether that is us."""
        async with self._database.read() as connection:
            found = (await connection.execute(select(slack_senders.c.owner, slack_senders.c.until))).first()
        if found and found.owner != self._owner and now < found.until <= now + LEAD_S:
            return False
        if found and found.owner == self._owner and found.until - now > LEAD_S * 2 / 3:
            return True
        return await self._take_lead(now)

    async def _take_lead(self, now: float) -> bool:
        async with self._database.write() as connection:
            insert = _insert(connection, slack_senders).values(name="slack", owner=self._owner, until=now + LEAD_S)
            free = or_(
                slack_senders.c.owner == self._owner,
                slack_senders.c.until <= now,
                slack_senders.c.until > now + LEAD_S,  # written by a clock that was ahead
            )
            await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["name"], set_={"owner": self._owner, "until": now + LEAD_S}, where=free
                )
            )
            owner = (await connection.execute(select(slack_senders.c.owner))).scalar_one_or_none()
        return bool(owner == self._owner)

    async def leave(self) -> None:
        """Let another replica send at once."""
        async with self._database.write() as connection:
            await connection.execute(
                update(slack_senders).where(slack_senders.c.owner == self._owner).values(until=0.0)
            )

    # --- Out --------------------------------------------------------------------------------------------------------

    async def due(self, now: float) -> tuple[list[CardRow], list[OutboxRow]]:
        """Return what could be sent now, cards least lately drawn first, the rest by priority and in order.

        Of cards that are posted in turn, only the first of each lane; of messages in the thread of a card that has
        not been posted, none: neither may keep others from being looked at, however many there are.
        """
        cards, outbox = slack_cards.c, slack_outbox.c
        heads = select(func.min(outbox.id)).where(~outbox.failed).group_by(outbox.lane)
        is_due = (cards.wanted > cards.sent, or_(cards.not_before <= now, _hurries()), _free(slack_cards, now))
        async with self._database.read() as connection:
            found_cards = await connection.execute(
                select(slack_cards)
                .where(*is_due, ~_in_turn())
                .order_by(cards.sent_at, cards.operation)
                .limit(_LOOKED_AT)
            )
            first_in_turn = await connection.execute(
                select(slack_cards)
                .where(*is_due, tuple_(cards.lane, cards.turn).in_(_first_turns()))
                .order_by(cards.turn)
                .limit(_LOOKED_AT)
            )
            found_rows = await connection.execute(
                select(slack_outbox)
                .where(outbox.id.in_(heads), outbox.not_before <= now, _free(slack_outbox, now), ~_below_unposted())
                .order_by(outbox.priority, outbox.id)
                .limit(_LOOKED_AT)
            )
            due_cards = [_card_row(row) for result in (found_cards, first_in_turn) for row in result.mappings()]
            return due_cards, [_outbox_row(row) for row in found_rows.mappings()]

    async def next_due(self) -> float | None:
        """Return when the next row may be tried, or None when nothing is left to send."""
        cards, outbox = slack_cards.c, slack_outbox.c
        async with self._database.read() as connection:
            times = [
                (await connection.execute(statement)).scalar_one_or_none()
                for statement in (
                    select(func.min(_start(slack_cards))).where(cards.wanted > cards.sent, ~_in_turn()),
                    select(func.min(_start(slack_cards))).where(
                        cards.wanted > cards.sent, tuple_(cards.lane, cards.turn).in_(_first_turns())
                    ),
                    select(func.min(_start(slack_outbox))).where(~outbox.failed, ~_below_unposted()),
                )
            ]
        return min((float(time) for time in times if time is not None), default=None)

    async def claim(self, row: Row, now: float) -> bool:
        """Make the row ours for `CLAIM_S`. False when somebody else was quicker, or it was sent meanwhile."""
        table = _table(row)
        statement = (
            update(table).where(_is(row), _free(table, now)).values(claimed_by=self._owner, claimed_until=now + CLAIM_S)
        )
        if isinstance(row, CardRow):
            statement = statement.where(slack_cards.c.wanted > slack_cards.c.sent, slack_cards.c.sent == row.sent)
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def change(self, row: Row, **values: Any) -> None:
        """Store what became of a claimed row. What is not ours any more stays as it is."""
        table = _table(row)
        async with self._database.write() as connection:
            await connection.execute(update(table).where(_is(row), table.c.claimed_by == self._owner).values(**values))

    async def release(self, row: Row, **values: Any) -> None:
        """Store what became of a row and let it go."""
        await self.change(row, claimed_by=None, claimed_until=0.0, **values)

    async def done(self, row: OutboxRow) -> None:
        async with self._database.write() as connection:
            await connection.execute(slack_outbox.delete().where(_is(row), slack_outbox.c.claimed_by == self._owner))

    async def place(self, operation: str) -> CardPlace | None:
        """Return where the card of an operation stands, or None while it has not been posted."""
        async with self._database.read() as connection:
            statement = select(slack_cards.c.channel, slack_cards.c.ts).where(slack_cards.c.operation == operation)
            found = (await connection.execute(statement)).first()
        return CardPlace(found.channel, found.ts) if found and found.channel and found.ts else None

    async def placed(self, identifier: str, channel: str, ts: str, now: float) -> None:
        """Note where a message that can be changed later stands, and forget those of long ago."""
        old = slack_cards.c.operation.startswith(TOLD) & (slack_cards.c.sent_at < now - KEEP_TOLD_S)
        place = {"channel": channel, "ts": ts, "sent_at": now}
        async with self._database.write() as connection:
            await connection.execute(slack_cards.delete().where(old))
            insert = _insert(connection, slack_cards).values(operation=identifier, wanted=0, sent=0, **place)
            await connection.execute(insert.on_conflict_do_update(index_elements=["operation"], set_=place))

    async def operation_at(self, channel: str, ts: str) -> str | None:
        """Return the operation whose card this message is."""
        where = (slack_cards.c.channel == channel, slack_cards.c.ts == ts)
        async with self._database.read() as connection:
            found = await connection.execute(select(slack_cards.c.operation).where(*where))
        return found.scalars().first()


def _insert(connection: AsyncConnection, table: Table) -> Any:
    """Return the database's own INSERT: both have ON CONFLICT, but not in the common language."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _table(row: Row) -> Table:
    return slack_cards if isinstance(row, CardRow) else slack_outbox


def _is(row: Row) -> Any:
    return slack_cards.c.operation == row.operation if isinstance(row, CardRow) else slack_outbox.c.id == row.id


def _free(table: Table, now: float) -> Any:
    return or_(table.c.claimed_by.is_(None), table.c.claimed_until <= now)


def _in_turn() -> Any:
    """Cards that are to be posted in the order of their lane."""
    return slack_cards.c.ts.is_(None) & slack_cards.c.lane.is_not(None)


def _first_turns() -> Any:
    """The lanes, each with the turn that is next. A card without a turn any more waits for none."""
    lanes = select(slack_cards.c.lane, func.min(slack_cards.c.turn)).where(
        _in_turn(), slack_cards.c.wanted > slack_cards.c.sent
    )
    return lanes.group_by(slack_cards.c.lane)


def _below_unposted() -> Any:
    """Messages in the thread of a card that has not been posted yet."""
    card = slack_cards.alias("card_above")
    named = func.substr(slack_outbox.c.lane, len(THREAD) + 1)
    above = select(card.c.operation).where(card.c.operation == named, card.c.ts.is_(None))
    return slack_outbox.c.lane.startswith(THREAD) & above.exists()


def _hurries() -> Any:
    """Urgent news that only the pause between two updates holds back. After a failure everything waits."""
    return (slack_cards.c.urgent > slack_cards.c.sent) & (slack_cards.c.attempts == 0)


def _start(table: Table) -> Any:
    not_before = table.c.not_before if table is slack_outbox else case((_hurries(), 0.0), else_=table.c.not_before)
    claimed = table.c.claimed_by.is_not(None) & (table.c.claimed_until > not_before)
    return case((claimed, table.c.claimed_until), else_=not_before)


def _card_row(row: Mapping[Any, Any]) -> CardRow:
    names = (
        *("operation", "channel", "ts", "wanted", "sent", "sent_at", "sending_since", "attempts", "problem"),
        *("lane", "turn", "urgent"),
    )
    return CardRow(**{name: row[name] for name in names})


def _outbox_row(row: Mapping[Any, Any]) -> OutboxRow:
    names = ("id", "key", "lane", "payload", "created_at", "sending_since", "attempts")
    return OutboxRow(
        **{name: row[name] for name in names}, kind=RowKind(row["kind"]), priority=Priority(row["priority"])
    )
