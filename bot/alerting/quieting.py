"""A silence that was made from a card ends with it: when the alert is over, or when its own time has come."""

from __future__ import annotations

import logging

from sqlalchemy import select

from bot.alerting.rows import read_groups
from bot.errors import PlatformError
from bot.model.alerts import AlertGroup, AlertState, Quieted
from bot.ports import AlertBook, Alerts, Clock
from bot.storage.alerts import alert_groups
from bot.storage.database import Database

log = logging.getLogger(__name__)

MOST = 100


class Quieting:
    """`tick` is called every few seconds, by any replica: what one has done is done for all."""

    def __init__(self, database: Database, book: AlertBook, alerts: Alerts, clock: Clock) -> None:
        self._database = database
        self._book = book
        self._alerts = alerts
        self._clock = clock

    async def tick(self) -> int:
        """End what has to end; return how many that were. Alertmanager being away keeps them for the next time."""
        ended = 0
        for group in await self._quieted():
            try:
                ended += await self._look(group)
            except PlatformError as error:
                log.warning("silence_not_ended", extra={"group": group.id, "problem": error.message})
        return ended

    async def _look(self, group: AlertGroup) -> bool:
        quieted = group.quieted
        if quieted is None or (group.is_open and quieted.until > self._clock()):
            return False
        if group.is_open:
            line = "The silence is over: it is told again."
        else:
            await self._alerts.unsilence(quieted.id)
            line = "It is resolved, so its silence has ended too."
        await self._book.change(group.id, {"quieted": None}, line, key=f"quieted:{quieted.id}")
        return True

    async def _quieted(self) -> tuple[AlertGroup, ...]:
        """Return those whose silence has to end: the ones that stand for good reason must not hide them."""
        table, now = alert_groups.c, self._clock()
        every = select(table.id, table.state, table.quieted).where(table.quieted.is_not(None))
        async with self._database.read() as connection:
            due = [
                row.id
                for row in await connection.execute(every)
                if row.state != AlertState.FIRING.value or Quieted.model_validate_json(row.quieted).until <= now
            ][:MOST]
            return await read_groups(connection, table.id.in_(due)) if due else ()
