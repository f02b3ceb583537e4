"""What must not wait in silence, and what a week was like: told by whichever replica comes first, once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.budget import Week, day_of, next_report, report
from bot.alerting.cards import sentence
from bot.alerting.channels import OwnerChannels
from bot.alerting.deciding import Budgets, notices_of
from bot.alerting.rows import moment, read_groups
from bot.model.alerts import AlertState, Severity
from bot.operations.seal import take_duty
from bot.ports import Clock
from bot.slack.mrkdwn import escape
from bot.slack.outbox import Outbox, Priority
from bot.storage.alerts import alert_groups, alert_told
from bot.storage.database import Database
from bot.storage.operations import duties
from bot.storage.slack_outbound import slack_cards

WEEKLY = "alerts.week"
WEEK = timedelta(days=7)
_MOST = 50


class Urging:
    """Looks now and then, on every replica."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        channels: OwnerChannels,
        budget: Budgets,
        clock: Clock,
        *,
        replica: str,
        unposted: timedelta,
    ) -> None:
        """`unposted`: how long the card of a critical alert may not be postable."""
        self._database = database
        self._outbox = outbox
        self._channels = channels
        self._budget = budget
        self._clock = clock
        self._replica = replica
        self._unposted = unposted

    async def tick(self) -> None:
        await self._urge()
        await self._report()

    async def _urge(self) -> None:
        """Tell the platform's channel of critical alerts whose card could not be posted."""
        groups = alert_groups.c
        late = (
            groups.carded_at <= (self._clock() - self._unposted).timestamp(),
            groups.severity == Severity.CRITICAL.value,
            groups.state == AlertState.FIRING.value,
            groups.urged.is_(False),
            groups.id.in_(select(slack_cards.c.operation).where(slack_cards.c.ts.is_(None))),
        )
        async with self._database.read() as connection:
            if (await connection.execute(select(groups.id).where(*late).limit(1))).first() is None:
                return
        platform = self._channels.platform
        async with self._database.write() as connection:
            await take_duty(connection, "alerts.urge", self._replica, self._clock, 0)
            for group in await read_groups(connection, *late, newest_first=False, limit=_MOST):
                await connection.execute(update(alert_groups).where(groups.id == group.id).values(urged=True))
                if group.channel == platform:
                    continue
                home = f"<#{group.channel}>" if group.channel[:1] == "C" else escape(group.channel)
                text = f"I cannot tell {home} of this: {sentence(group, self._clock())}"
                key = f"urged:{group.id}"
                await self._outbox.message(
                    channel=platform, text=text, key=key, priority=Priority.APPROVAL, connection=connection
                )

    async def _report(self) -> None:
        """Say on Mondays in each channel what it was told; all channels in one transaction, so each once."""
        now = self._clock()
        async with self._database.read() as connection:
            due = select(duties.c.until).where(duties.c.name == WEEKLY)
            until = (await connection.execute(due)).scalar_one_or_none()
        if until is not None and until > now.timestamp():
            return
        async with self._database.write() as connection:
            if until is None:
                await _begin(connection, next_report(now))
                return
            after = next_report(now).timestamp()
            mine = update(duties).where(duties.c.name == WEEKLY, duties.c.until == until)
            if (await connection.execute(mine.values(holder=self._replica, until=after))).rowcount != 1:
                return
            for week in await self._weeks(connection, now):
                key = f"week:{day_of(now)}:{week.channel}"[:64]
                await self._outbox.message(channel=week.channel, text=report(week), key=key, connection=connection)

    async def _weeks(self, connection: AsyncConnection, now: datetime) -> list[Week]:
        groups, begin = alert_groups.c, (now - WEEK).timestamp()
        columns = (groups.channel, groups.title, groups.carded_at, groups.cause, groups.digest)
        recent = select(*columns).where((groups.carded_at >= begin) | (groups.started_at >= begin))
        days: dict[str, Counter[str]] = {}
        titles: dict[str, Counter[str]] = {}
        folded: Counter[str] = Counter()
        digested: Counter[str] = Counter()
        for row in (await connection.execute(recent)).all():
            folded[row.channel] += bool(row.cause)
            digested[row.channel] += bool(row.digest)
            if row.carded_at is not None and row.carded_at >= begin:
                days.setdefault(row.channel, Counter())[day_of(moment(row.carded_at))] += 1
                titles.setdefault(row.channel, Counter())[row.title] += 1
        for channel, counted in days.items():
            lines = select(alert_told.c.at).where(alert_told.c.group == notices_of(channel), alert_told.c.at >= begin)
            counted.update(day_of(moment(at)) for at in (await connection.execute(lines)).scalars())
        return [
            Week(
                channel=channel,
                by_day=counted,
                by_title=titles[channel],
                digested=digested[channel],
                folded=folded[channel],
                budget=self._budget(channel),
            )
            for channel, counted in sorted(days.items())
        ]


async def _begin(connection: AsyncConnection, due: datetime) -> None:
    """An installation that has just been made has no week behind it."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(duties).values(name=WEEKLY, holder="", until=due.timestamp())
    await connection.execute(row.on_conflict_do_nothing())
