"""What is measured of alerts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from bot.model.alerts import AlertState
from bot.ports import Clock
from bot.storage.alerts import alert_groups, alert_intake
from bot.storage.database import Database
from bot.storage.slack_outbound import slack_cards


@dataclass(slots=True)
class Figures:
    """The newest numbers; `taken` counts what this process has done, the others tell of all replicas."""

    taken: int = 0
    """Alerts that were taken apart."""
    firing: int = 0
    """Groups."""
    waiting: int = 0
    """Bodies that are stored and not yet taken apart."""
    broken: int = 0
    """Bodies that could not be."""
    oldest_unposted_s: float = 0.0
    """Age of the oldest group that was to be told and stands in no channel yet; 0 where all do."""

    def took(self, alerts: int) -> None:
        self.taken += alerts


class Measuring:
    """Reads the numbers now and then, so that `/metrics` asks no database."""

    def __init__(self, database: Database, clock: Clock, figures: Figures) -> None:
        self._database = database
        self._clock = clock
        self._figures = figures

    async def tick(self) -> None:
        groups, intake, cards = alert_groups.c, alert_intake.c, slack_cards.c
        unposted = select(cards.operation).where(cards.ts.is_(None))
        told = groups.due_at.is_not(None) | groups.id.in_(unposted)
        async with self._database.read() as connection:
            firing = select(func.count()).where(groups.state == AlertState.FIRING.value)
            self._figures.firing = (await connection.execute(firing)).scalar_one()
            self._figures.waiting = (await connection.execute(select(func.count()).where(~intake.failed))).scalar_one()
            self._figures.broken = (await connection.execute(select(func.count()).where(intake.failed))).scalar_one()
            oldest = (await connection.execute(select(func.min(groups.fired_at)).where(told))).scalar_one_or_none()
        age = 0.0 if oldest is None else self._clock().timestamp() - oldest
        self._figures.oldest_unposted_s = max(age, 0.0)
