"""The desk: stored bodies are taken apart, and what is due is decided. One replica at a time, any of them.

A batch of bodies, all that they change and all that is said of it are one transaction: a kill anywhere leaves either
the bodies or their outcome. A body that cannot be worked on is set aside after a few tries; it stops nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.applying import Applying
from bot.alerting.deciding import Deciding
from bot.alerting.reading import Delivery, Malformed, read_body
from bot.alerting.rows import moment
from bot.operations.seal import take_duty
from bot.ports import Clock
from bot.storage.alerts import alert_groups, alert_intake, alert_members, alert_told
from bot.storage.database import Database

log = logging.getLogger(__name__)

DUTY = "alerts"
BODIES, ALERTS = 20, 1_000
"""Most bodies and (about) most alerts that are worked on in one transaction."""
MAX_ATTEMPTS = 3
LARGE = 100_000
"""A body longer than this, in characters, is read beside the loop."""
PAUSE_S = 1.0
"""Longest wait between two looks for what is due, or for what other replicas have stored."""
KEEP_FAILED = timedelta(days=7)
KEEP = timedelta(days=30)
"""How long the alerts and the timeline of a group are kept after it has ended; the group itself stays."""


@dataclass(frozen=True, slots=True)
class _Body:
    id: int
    attempts: int
    received_at: datetime
    delivery: Delivery | None
    """None for what Alertmanager does not send."""


class Desk:
    """Works in the background from `start` to `close`; `step` and `work_off` are for whoever waits for it."""

    def __init__(
        self,
        database: Database,
        applying: Applying,
        deciding: Deciding,
        clock: Clock,
        *,
        replica: str,
        counted: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`counted` hears how many alerts were taken."""
        self._database = database
        self._applying = applying
        self._deciding = deciding
        self._clock = clock
        self._replica = replica
        self._counted = counted
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="alerts")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def stir(self) -> None:
        """Something was stored: look at once."""
        self._news.set()

    async def work_off(self) -> None:
        """Go on until nothing is left that can be done now."""
        while await self.step():
            pass

    async def step(self) -> int:
        """Take some bodies apart, then decide what is due; return how much was done."""
        bodies = await self._next()
        if not bodies and not await self._is_anything_due():
            return 0
        async with self._database.write() as connection:
            # The row stays locked until the commit, so that replicas go one after the other.
            if not await take_duty(connection, DUTY, self._replica, self._clock, 0):
                return 0
            taken = 0
            for body in await _still_there(connection, bodies):
                taken += await self._take(connection, body)
            decided = await self._deciding.decide(connection, self._clock())
        self._counted(taken)
        return len(bodies) + decided

    async def hear(self, deliveries: Sequence[Delivery]) -> int:
        """Take what was read rather than sent; return how many deliveries changed something."""
        changed = 0
        async with self._database.write() as connection:
            await take_duty(connection, DUTY, self._replica, self._clock, 0)
            for delivery in deliveries:
                changed += await self._applying.take(connection, delivery, self._clock())
        self.stir()
        return changed

    async def tidy(self) -> None:
        """Forget what nobody looks at any more."""
        now = self._clock()
        old = select(alert_groups.c.id).where(alert_groups.c.ended_at < (now - KEEP).timestamp())
        async with self._database.write() as connection:
            late = (now - KEEP_FAILED).timestamp()
            await connection.execute(
                delete(alert_intake).where(alert_intake.c.failed, alert_intake.c.received_at < late)
            )
            await connection.execute(delete(alert_members).where(alert_members.c.group.in_(old)))
            await connection.execute(delete(alert_told).where(alert_told.c.group.in_(old)))

    async def _run(self) -> None:
        while True:
            try:
                done = await self.step()
            except Exception:
                log.exception("alerts_stalled")  # the loop must outlive a database that is away
                done = 0
            if not done:
                await self._woken()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(PAUSE_S):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _next(self) -> list[_Body]:
        """Return the oldest bodies, read already."""
        table = alert_intake.c
        oldest = select(alert_intake).where(~table.failed).order_by(table.id).limit(BODIES)
        async with self._database.read() as connection:
            rows = (await connection.execute(oldest)).all()
        found: list[_Body] = []
        alerts = 0
        for row in rows:
            if alerts >= ALERTS:
                break
            received_at = moment(row.received_at)
            delivery = await _read(row.body, received_at)
            alerts += len(delivery.alerts) if delivery else 0
            found.append(_Body(row.id, row.attempts, received_at, delivery))
        return found

    async def _is_anything_due(self) -> bool:
        async with self._database.read() as connection:
            return await self._deciding.is_due(connection, self._clock())

    async def _take(self, connection: AsyncConnection, body: _Body) -> int:
        """Return how many alerts it told of. Whatever is wrong with it stays within it."""
        mine = alert_intake.c.id == body.id
        if body.delivery is None:
            log.warning("alert_body_odd", extra={"intake": body.id})
            await connection.execute(update(alert_intake).where(mine).values(failed=True))
            return 0
        try:
            async with connection.begin_nested():
                await self._applying.take(connection, body.delivery, body.received_at)
                await connection.execute(delete(alert_intake).where(mine))
        except Exception as error:  # noqa: BLE001  # one body that we cannot work on must not stop the others
            attempts = body.attempts + 1
            extra = {"intake": body.id, "kind": type(error).__name__, "attempts": attempts}
            log.error("alert_body_failed", extra=extra)  # noqa: TRY400  # a traceback could show what stands in it
            values = {"attempts": attempts, "failed": attempts >= MAX_ATTEMPTS}
            await connection.execute(update(alert_intake).where(mine).values(values))
            return 0
        return len(body.delivery.alerts)


async def _still_there(connection: AsyncConnection, bodies: Sequence[_Body]) -> list[_Body]:
    """Another replica may have been quicker."""
    if not bodies:
        return []
    ids = [body.id for body in bodies]
    found = await connection.execute(select(alert_intake.c.id).where(alert_intake.c.id.in_(ids)))
    left = set(found.scalars())
    return [body for body in bodies if body.id in left]


async def _read(body: str, now: datetime) -> Delivery | None:
    try:
        if len(body) > LARGE:
            return await asyncio.to_thread(read_body, body, now)
        return read_body(body, now)
    except Malformed:
        return None
    except Exception as error:  # noqa: BLE001  # a body that breaks us must not stop the others
        log.error("alert_body_unread", extra={"kind": type(error).__name__})  # noqa: TRY400  # it could show the body
        return None
