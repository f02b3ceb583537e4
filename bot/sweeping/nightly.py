"""The nightly sweep: one replica does it, and posts one report in the platform's channel."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Protocol

from sqlalchemy import insert, select, update

from bot.deps import Deps
from bot.operations.seal import take_duty
from bot.ports import Clock
from bot.slack.contracts import Blocks
from bot.storage.database import Database
from bot.storage.operations import duties
from bot.sweeping.looking import sweep
from bot.sweeping.report import Report
from bot.sweeping.telling import sentence, shown

log = logging.getLogger(__name__)

DUTY = "sweep"
NOBODY = ""
"""Holds the duty between two nights."""
AT = time(3, 0)
"""When the night's sweep is due, UTC."""
LONGEST_S = 1800.0
"""A replica that has not ended its sweep by then has died over it: another one does it."""


class Posts(Protocol):
    """What is needed of the outbox."""

    async def message(self, *, channel: str, text: str, blocks: Blocks = (), key: str | None = None) -> None: ...


class Nightly:
    """Asked again and again whether it is night. The time is the injected clock's."""

    def __init__(
        self,
        deps: Deps,
        database: Database,
        posts: Posts,
        channel: Callable[[], Awaitable[str]],
        *,
        replica: str,
        clock: Clock,
        tell_teams: Callable[[Report], Awaitable[None]] | None = None,
    ) -> None:
        """`tell_teams` hears of each report, before it is over for the night."""
        self._tell_teams = tell_teams
        self._deps = deps
        self._database = database
        self._posts = posts
        self._channel = channel
        self._replica = replica
        self._clock = clock

    async def tick(self) -> bool:
        """Sweep if it is due and nobody else does it; return whether this was so."""
        if not await self._is_ours():
            return False
        report = await sweep(self._deps, self._clock())
        key = f"sweep:{report.at:%Y-%m-%d}"
        await self._posts.message(channel=await self._channel(), text=sentence(report), blocks=shown(report), key=key)
        if self._tell_teams is not None:
            await self._tell_teams(report)
        await self._until(next_night(self._clock()))
        log.info("swept", extra={"orphans": len(report.orphans), "lost": len(report.lost), **report.counts})
        return True

    async def _is_ours(self) -> bool:
        async with self._database.read() as connection:
            until = (await connection.execute(select(duties.c.until).where(duties.c.name == DUTY))).scalar_one_or_none()
        if until is None:
            await self._begin()
            return False
        if until >= self._clock().timestamp():
            return False
        async with self._database.write() as connection:
            return await take_duty(connection, DUTY, self._replica, self._clock, LONGEST_S)

    async def _begin(self) -> None:
        """An installation that has just been made waits for its first night."""
        night = next_night(self._clock()).timestamp()
        async with self._database.write() as connection:
            found = (await connection.execute(select(duties.c.name).where(duties.c.name == DUTY))).first()
            if found is None:
                await connection.execute(insert(duties).values(name=DUTY, holder=NOBODY, until=night))

    async def _until(self, night: datetime) -> None:
        mine = (duties.c.name == DUTY, duties.c.holder == self._replica)
        async with self._database.write() as connection:
            await connection.execute(update(duties).where(*mine).values(holder=NOBODY, until=night.timestamp()))


def next_night(now: datetime) -> datetime:
    """Return the next time at which a sweep is due, after `now`."""
    today = datetime.combine(now.date(), AT, tzinfo=now.tzinfo)
    return today if today > now else today + timedelta(days=1)
