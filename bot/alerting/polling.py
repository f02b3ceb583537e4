"""Alertmanager is asked what fires: what its webhook has missed appears, and what ended unheard is closed.

One replica asks at a time. When Alertmanager does not answer, nothing is closed: silence is no news.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from bot.alerting.desk import Desk
from bot.alerting.reading import Delivery, Heard, read_group
from bot.alerting.rows import moment
from bot.errors import PlatformError
from bot.model.alerts import AlertState, Severity
from bot.operations.seal import take_duty
from bot.ports import Alerts, Clock, FiringGroup
from bot.storage.alerts import alert_groups, alert_members
from bot.storage.database import Database
from bot.storage.operations import duties

log = logging.getLogger(__name__)

DUTY = "alerts.poll"
EVERY_S = 30.0
UNHEARD = 4
"""So many answers in a row without an alert, and it has ended: more than a minute and a half.

An Alertmanager that has just started knows of no alert until Prometheus tells it again, after a minute and more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An alert that fires, as far as we know."""

    group: str
    key: str
    fingerprint: str
    name: str
    severity: Severity
    starts_at: datetime
    changed_at: datetime
    unheard: int


@dataclass(frozen=True, slots=True)
class RollCall:
    """What an answer of Alertmanager's changes."""

    deliveries: tuple[Delivery, ...]
    missing: tuple[Open, ...] = ()
    """Not named, though not often enough to have ended."""
    back: tuple[Open, ...] = ()
    """Named again after it had been missing."""
    ended: tuple[Delivery, ...] = field(default=())


def roll_call(
    known: Sequence[Open], groups: Iterable[FiringGroup], receivers: Sequence[str], looked_at: datetime
) -> RollCall:
    """Compare what we know with what Alertmanager says. Pure.

    `receivers` are ours, the likelier ones first; without any, each alert counts under the first that has it. What we
    have heard of after we began to look is not judged by what was seen then.
    """
    chosen = [group for group in groups if not receivers or group.receiver in receivers]
    chosen.sort(key=lambda group: (_rank(group.receiver, receivers), group.receiver, sorted(group.labels.items())))
    at_home = {one.fingerprint: one.key for one in known}
    named: set[str] = set()
    deliveries: list[Delivery] = []
    for group in chosen:
        told = read_group(group, looked_at)
        fresh = [
            alert
            for alert in told.alerts
            if alert.fingerprint not in named and at_home.get(alert.fingerprint, told.key) == told.key
        ]
        named.update(alert.fingerprint for alert in told.alerts)
        if fresh:
            deliveries.append(replace(told, alerts=tuple(fresh)))
    judged = [one for one in known if one.changed_at <= looked_at]
    unnamed = [one for one in judged if one.fingerprint not in named]
    return RollCall(
        tuple(deliveries),
        missing=tuple(one for one in unnamed if one.unheard + 1 < UNHEARD),
        back=tuple(one for one in judged if one.fingerprint in named and one.unheard),
        ended=_endings([one for one in unnamed if one.unheard + 1 >= UNHEARD], looked_at),
    )


class Polling:
    """Asked again and again whether it is time. The time is the injected clock's."""

    def __init__(
        self,
        alerts: Alerts,
        desk: Desk,
        database: Database,
        clock: Clock,
        *,
        replica: str,
        receivers: Sequence[str] = (),
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self._alerts = alerts
        self._desk = desk
        self._database = database
        self._clock = clock
        self._replica = replica
        self._receivers = tuple(receivers)
        self._heard = heard

    async def tick(self) -> bool:
        """Ask if it is due and nobody else does; return whether Alertmanager has answered."""
        if not await self._is_ours():
            return False
        looked_at = self._clock()
        try:
            groups = await self._alerts.groups()
        except PlatformError as error:
            log.warning("alertmanager_not_read", extra={"problem": error.message})
            return False
        known, receivers = await self._known()
        seen = roll_call(known, groups, self._receivers or receivers, looked_at)
        await self._mark(seen)
        if seen.deliveries or seen.ended:
            await self._desk.hear((*seen.deliveries, *seen.ended))
        self._heard()
        return True

    async def _is_ours(self) -> bool:
        async with self._database.read() as connection:
            until = (await connection.execute(select(duties.c.until).where(duties.c.name == DUTY))).scalar_one_or_none()
        if until is not None and until >= self._clock().timestamp():
            return False
        async with self._database.write() as connection:
            return await take_duty(connection, DUTY, self._replica, self._clock, EVERY_S)

    async def _known(self) -> tuple[list[Open], tuple[str, ...]]:
        """Return what fires, and the receivers that have called."""
        members, groups = alert_members.c, alert_groups.c
        firing = (
            select(alert_members, groups.key)
            .join_from(alert_members, alert_groups, groups.id == members.group)
            .where(groups.state == AlertState.FIRING.value, members.state == AlertState.FIRING.value)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(firing)).all()
            called = await connection.execute(select(groups.receiver).where(groups.receiver != "").distinct())
            receivers = tuple(sorted(called.scalars()))
        known = [
            Open(
                group=row.group,
                key=row.key,
                fingerprint=row.fingerprint,
                name=row.name,
                severity=Severity(row.severity),
                starts_at=moment(row.starts_at),
                changed_at=moment(row.changed_at),
                unheard=row.unheard,
            )
            for row in rows
        ]
        return known, receivers

    async def _mark(self, seen: RollCall) -> None:
        """Count for each alert how often it was not named."""
        if not seen.missing and not seen.back:
            return
        table = alert_members.c
        mark = update(alert_members).where(table.group == bindparam("of"), table.fingerprint == bindparam("one"))
        polls = [*((one, one.unheard + 1) for one in seen.missing), *((one, 0) for one in seen.back)]
        rows = [{"of": one.group, "one": one.fingerprint, "polls": count} for one, count in polls]
        async with self._database.write() as connection:
            await connection.execute(mark.values(unheard=bindparam("polls")), rows)


def _endings(gone: Iterable[Open], looked_at: datetime) -> tuple[Delivery, ...]:
    by_key: dict[str, list[Open]] = {}
    for one in gone:
        by_key.setdefault(one.key, []).append(one)
    return tuple(
        Delivery(
            key=key,
            labels={},
            receiver="",
            alerts=tuple(
                Heard(
                    fingerprint=one.fingerprint,
                    name=one.name,
                    severity=one.severity,
                    firing=False,
                    starts_at=one.starts_at,
                    ends_at=looked_at,
                )
                for one in ones
            ),
            looked_at=looked_at,
        )
        for key, ones in by_key.items()
    )


def _rank(receiver: str, receivers: Sequence[str]) -> int:
    return receivers.index(receiver) if receiver in receivers else len(receivers)
