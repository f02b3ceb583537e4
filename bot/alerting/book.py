"""The book of alerts: what others read of groups, and what people decide about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.identity import event_key
from bot.alerting.rows import moment, read_group, read_groups
from bot.alerting.timeline import Event, noted, say
from bot.errors import NotFound
from bot.model.alerts import AlertGroup, AlertState, Quieted, Told
from bot.ports import Clock
from bot.slack.outbox import Outbox
from bot.storage.alerts import alert_groups, alert_told
from bot.storage.database import Database

DECIDED = frozenset(
    {
        *("acknowledged_by", "acknowledged_at", "assigned_to", "escalated_to", "quieted"),
        *("owner", "channel", "incident_channel"),
    }
)
"""What people decide about a group."""
MOST_TOLD = 200


class Book:
    """Satisfies the port `AlertBook`, on our tables."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._cards: Outbox | None = None

    def told_through(self, cards: Outbox) -> None:
        """Have changes drawn. Facts are read through the book before there is an outbox."""
        self._cards = cards

    async def group(self, id: str) -> AlertGroup | None:  # noqa: A002  # the port's word
        async with self._database.read() as connection:
            return await read_group(connection, id)

    async def firing(self, *, service: str | None = None, environment: str | None = None) -> tuple[AlertGroup, ...]:
        where: list[ColumnElement[bool]] = [alert_groups.c.state == AlertState.FIRING.value]
        if service is not None:
            where.append(alert_groups.c.service == service)
        if environment is not None:
            where.append(alert_groups.c.environment == environment)
        async with self._database.read() as connection:
            return await read_groups(connection, *where)

    async def between(self, begin: datetime, end: datetime, *, service: str) -> tuple[AlertGroup, ...]:
        table = alert_groups.c
        still = or_(table.ended_at.is_(None), table.ended_at >= begin.timestamp())
        where = (table.service == service, table.started_at <= end.timestamp(), still)
        async with self._database.read() as connection:
            return await read_groups(connection, *where)

    async def timeline(self, id: str) -> tuple[Told, ...]:  # noqa: A002  # as in the port
        """Return what was told of a group, oldest first, bounded; nothing for an unknown one."""
        table = alert_told.c
        newest = select(table.at, table.text).where(table.group == id).order_by(table.at.desc()).limit(MOST_TOLD)
        async with self._database.read() as connection:
            rows = (await connection.execute(newest)).all()
        return tuple(Told(at=moment(row.at), text=row.text) for row in reversed(rows) if row.text)

    async def change(
        self,
        id: str,  # noqa: A002  # the port's word
        changes: Mapping[str, Any],
        line: str,
        *,
        key: str,
    ) -> AlertGroup:
        wrong = set(changes) - DECIDED
        if wrong:
            raise ValueError(f"not for people to decide: {', '.join(sorted(wrong))}")
        async with self._database.write() as connection:
            group = await read_group(connection, id)
            if group is None:
                raise NotFound("There is no such alert.", hint="It may have been a card of another installation.")
            event = Event(event_key("change", key), self._clock(), line)
            if not await noted(connection, id, event):
                return group
            values = {name: _stored(value) for name, value in changes.items()}
            if "owner" in changes:
                values["adopted"] = changes["owner"] is not None
            mine = update(alert_groups).where(alert_groups.c.id == id)
            await connection.execute(mine.values(**values, revision=alert_groups.c.revision + 1))
            # Read only now that the row is ours: it may have got its card meanwhile, and that could not say this.
            (changed,) = await read_groups(connection, alert_groups.c.id == id, limit=1)
            if changed.has_card:
                await self._told(connection, changed, event)
            return changed

    async def _told(self, connection: AsyncConnection, group: AlertGroup, event: Event) -> None:
        """Have the card drawn anew: somebody waits for just this."""
        if self._cards is not None:
            await say(connection, self._cards, group.id, event)
            await self._cards.operation_changed(connection, group.id, group.revision, urgent=True)


def _stored(value: Any) -> Any:
    match value:
        case datetime():
            return value.timestamp()
        case Quieted():
            return value.model_dump_json()
        case _:
            return value
