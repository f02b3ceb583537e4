"""Tells what was held, once it is due: whichever replica comes first, in one transaction, so once and in order."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.operation import State
from bot.notifications.gate import ASKS
from bot.notifications.holding import Held, is_any_due, let_go, read_due, was_told
from bot.operations.seal import take_duty
from bot.ports import Clock
from bot.slack.outbox import Outbox, Turn
from bot.storage.database import Database
from bot.storage.operations import operations

DUTY = "notifications"
MOST_LINES = 25
LATER = "*While it was quiet*"
DAILY = "*What went by itself since the last summary*"


class Standing(NamedTuple):
    """A card that was held, as it is now."""

    revision: int
    is_well: bool
    """It has ended well, and one line says enough."""


Look = Callable[[AsyncConnection, Sequence[str]], Awaitable[Mapping[str, Standing]]]
"""Returns of these ids those that it knows."""


class Morning:
    """Looks again and again, by the injected clock."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        channel_of: Callable[[str | None], str],
        name_in_slack: Callable[[str], Awaitable[str | None]],
        clock: Clock,
        *,
        replica: str,
        looks: Sequence[Look] = (),
    ) -> None:
        """`channel_of` answers from memory; `looks` know of cards that are no operations."""
        self._database = database
        self._outbox = outbox
        self._channel_of = channel_of
        self._name_in_slack = name_in_slack
        self._clock = clock
        self._replica = replica
        self._looks: Sequence[Look] = (look_at_operations, *looks)

    async def tick(self) -> int:
        """Tell what is due; return how much that was."""
        now = self._clock()
        async with self._database.read() as connection:
            if not await is_any_due(connection, now):
                return 0
            people = [one.subject for one in await read_due(connection, now) if one.how == "direct"]
        names = {ref: await self._name_in_slack(ref) for ref in dict.fromkeys(people)}
        async with self._database.write() as connection:
            # The row stays locked until the commit, so that replicas go one after the other.
            if not await take_duty(connection, DUTY, self._replica, self._clock, 0):
                return 0
            held = await read_due(connection, now)
            for one in (one for one in held if one.how == "direct"):
                if channel := names.get(one.subject):
                    key = f"direct:{one.id}"
                    await self._outbox.message(channel=channel, text=one.line, key=key, connection=connection)
            for subject in dict.fromkeys(one.subject for one in held if one.how != "direct"):
                await self._tell(connection, subject, [one for one in held if one.subject == subject], now)
            direct = [one.id for one in held if one.how == "direct"]
            await was_told(connection, direct, now)
            await let_go(connection, [one.id for one in held if one.how != "direct"])
        return len(held)

    async def _tell(self, connection: AsyncConnection, subject: str, held: Sequence[Held], now: datetime) -> None:
        later = [one for one in held if one.how == "later"]
        ids = [one.id for one in later]
        cards = {id_: card for look in self._looks for id_, card in (await look(connection, ids)).items()}
        for number, one in enumerate(later):
            card = cards.get(one.id)
            if card is not None and not card.is_well:
                turn = Turn(f"held:{subject}"[:64], int(now.timestamp() * 1000) + number)
                await self._outbox.operation_changed(connection, one.id, card.revision, urgent=True, turn=turn)
        told = [one for one in later if one.id not in cards or cards[one.id].is_well]
        await self._lines(connection, subject, LATER, told)
        await self._lines(connection, subject, DAILY, [one for one in held if one.how == "summary"])

    async def _lines(self, connection: AsyncConnection, subject: str, title: str, held: Sequence[Held]) -> None:
        """One message for all of them."""
        if not held:
            return
        shown = [f"• {one.line}" for one in held[:MOST_LINES]]
        if len(held) > MOST_LINES:
            shown.append(f"… and {len(held) - MOST_LINES} more")
        key = hashlib.sha256("\n".join(one.id for one in held).encode()).hexdigest()
        channel = self._channel_of(subject or None)
        await self._outbox.message(
            channel=channel, text="\n".join([title, *shown]), key=f"held:{key[:50]}", connection=connection
        )


async def look_at_operations(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Standing]:
    table = operations.c
    columns = select(table.id, table.revision, table.state, table.command).where(table.id.in_(ids))
    rows = (await connection.execute(columns)).all()
    return {row.id: Standing(row.revision, row.state == State.SUCCEEDED.value and row.command != ASKS) for row in rows}
