"""Deliveries become rows: alerts, their group and its episode, what stands in the ledger and in the timeline.

Everything happens inside one transaction of whoever has the duty, so no two replicas judge the same group at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.cards import span
from bot.alerting.drawing import Drawing
from bot.alerting.folding import RANK
from bot.alerting.identity import event_key, group_id
from bot.alerting.members import FIRING, RESOLVED, Row, alerts_said, close, counts_of, known_of, store
from bot.alerting.merging import Merged, flapping_after, merge, returns
from bot.alerting.owning import Owners
from bot.alerting.reading import Delivery, Heard
from bot.alerting.rows import moment
from bot.alerting.timeline import Event, tell
from bot.model.alerts import Severity
from bot.model.canonical import JSON
from bot.operations.ledger import Entry, append
from bot.storage.alerts import alert_groups, alert_members

RISEN = {Severity.CRITICAL: "critical", Severity.WARNING: "a warning", Severity.INFO: "a note"}
ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


class Applying:
    """Takes deliveries into the rows."""

    def __init__(
        self, owners: Owners, channel_of: Callable[[str | None], str], drawing: Drawing, *, wait: timedelta
    ) -> None:
        """`wait`: how long a new group waits for its cause before it is decided where it is told."""
        self._owners = owners
        self._channel_of = channel_of
        self._drawing = drawing
        self._wait = wait

    async def take(self, connection: AsyncConnection, delivery: Delivery, now: datetime) -> bool:
        """Return whether it changed anything."""
        row = await _latest(connection, delivery.key)
        known = await known_of(connection, row["id"], delivery.alerts) if row else {}
        merged = merge(known, delivery)
        if row is not None and row["state"] == FIRING:
            return await self._go_on(connection, row, delivery, merged, now)
        if not merged.began:
            return False
        if row is not None and returns(moment(row["ended_at"]), now):
            await self._come_back(connection, row, delivery, merged, now)
        else:
            await self._begin(connection, row, delivery, merged.began, now)
        return True

    async def _begin(
        self,
        connection: AsyncConnection,
        before: Row | None,
        delivery: Delivery,
        began: Sequence[Heard],
        now: datetime,
    ) -> None:
        """A new episode, and a new card once it is decided where."""
        started = min([now, *(alert.starts_at for alert in began)])
        owned = self._owners.of_all([{**delivery.labels, **alert.labels} for alert in began])
        adopted = before is not None and before["adopted"]
        owner = before["owner"] if before is not None and adopted else owned.owner
        number = (await connection.execute(select(func.max(alert_groups.c.number)))).scalar_one_or_none()
        row: dict[str, Any] = {
            "id": await _free_id(connection, delivery.key, started, now),
            "key": delivery.key,
            "number": (number or 0) + 1,
            "receiver": delivery.receiver if delivery.looked_at is None else "",
            "labels": json.dumps(dict(delivery.labels)),
            "state": FIRING,
            "title": "",
            "severity": Severity.INFO.value,
            "service": owned.service,
            "environment": owned.environment,
            "owner": owner,
            "adopted": adopted,
            "channel": self._channel_of(owner),
            "firing": 0,
            "total": 0,
            "left_out": delivery.left_out,
            "started_at": started.timestamp(),
            "fired_at": now.timestamp(),
            "incident_channel": "",
            "flapping": 0,
            "cause": "",
            "digest": "",
            "due_at": (now + self._wait).timestamp(),
            "carded_at": None,
            "told_firing": len(began),
            "urged": False,
            "revision": 0,
        }
        await connection.execute(insert(alert_groups).values(row))
        await store(connection, row["id"], began, now)
        counts = await counts_of(connection, row)
        await _set(connection, row["id"], counts)
        line = f"It fires: {alerts_said(len(began))}."
        await self._tell(connection, row, Event(event_key("fired", "0"), now, line))
        await append(connection, [_entry({**row, **counts}, "alert.fired", now)])

    async def _come_back(
        self, connection: AsyncConnection, row: Row, delivery: Delivery, merged: Merged, now: datetime
    ) -> None:
        """The same episode goes on, on the same card."""
        await store(connection, row["id"], merged.began, now)
        times = row["flapping"] + 1
        counts = await counts_of(connection, row)
        changes = {
            **counts,
            "state": FIRING,
            "ended_at": None,
            "fired_at": now.timestamp(),
            "flapping": times,
            "told_firing": counts["firing"],
            "left_out": delivery.left_out,
        }
        if not (row["due_at"] or row["carded_at"] or row["cause"] or row["digest"]):
            # It was over before anybody wanted to hear of it: that is asked again.
            changes["due_at"] = (now + self._wait).timestamp()
        line = f"It fires again, for the {ORDINALS.get(times, f'{times}th')} time within a short while."
        await self._changed(connection, row, changes, urgent=True)
        await self._tell(connection, row, Event(event_key("fired", str(row["revision"] + 1)), now, line))
        await append(connection, [_entry({**row, **changes}, "alert.fired", now)])

    async def _go_on(
        self, connection: AsyncConnection, row: Row, delivery: Delivery, merged: Merged, now: datetime
    ) -> bool:
        changes: dict[str, Any] = {}
        if delivery.looked_at is None:
            told = {"left_out": delivery.left_out, "receiver": delivery.receiver}
            changes = {name: value for name, value in told.items() if row[name] != value}
        if not merged and not changes:
            return False
        await store(connection, row["id"], (*merged.began, *merged.mended), now)
        await close(connection, row["id"], merged.ended, now)
        changes |= await counts_of(connection, row)
        if row["owner"] is None and merged.began:
            changes |= self._found_owner(row, delivery, merged.began)
        if changes["firing"] == 0:
            await self._end(connection, row, changes, now)
            return True
        grown = changes["firing"] >= 2 * max(row["told_firing"], 1)
        if grown:
            changes["told_firing"] = changes["firing"]
        rises = RANK[Severity(changes["severity"])] < RANK[Severity(row["severity"])]
        again = rises and changes["severity"] == Severity.CRITICAL.value and row["cause"]
        if again:  # whoever owns it has to hear of it: where it is told is decided anew
            changes |= {"cause": "", "digest": "", "due_at": now.timestamp()}
        await self._changed(connection, row, changes, urgent=rises)
        if again:
            await self._drawing.redraw(connection, row["cause"])
            await self._drawing.redraw_digest(connection, row["digest"])
        if rises:
            line = f"It is {RISEN[Severity(changes['severity'])]} now."
            await self._tell(connection, row, Event(event_key("risen", str(row["revision"] + 1)), now, line))
        if grown:
            line = f"It has grown: {alerts_said(changes['firing'])} now."
            await self._tell(connection, row, Event(event_key("grown", str(row["revision"] + 1)), now, line))
        return True

    async def _end(self, connection: AsyncConnection, row: Row, changes: dict[str, Any], now: datetime) -> None:
        newest = select(func.max(alert_members.c.ends_at)).where(alert_members.c.group == row["id"])
        ended = (await connection.execute(newest)).scalar_one_or_none() or now.timestamp()
        ended = max(min(ended, now.timestamp()), row["started_at"])
        changes |= {
            "state": RESOLVED,
            "ended_at": ended,
            "severity": row["severity"],
            "title": row["title"],
            "left_out": 0,
            "flapping": flapping_after(row["flapping"], moment(row["fired_at"]), now),
        }
        await self._changed(connection, row, changes, urgent=True)
        line = f"Resolved after {span(timedelta(seconds=ended - row['started_at']))}."
        await self._tell(connection, row, Event(event_key("resolved", str(row["revision"] + 1)), now, line))
        await append(connection, [_entry({**row, **changes}, "alert.resolved", now)])

    def _found_owner(self, row: Row, delivery: Delivery, began: Iterable[Heard]) -> dict[str, Any]:
        """What was nobody's may become somebody's while it has not been told yet."""
        owned = self._owners.of_all([{**delivery.labels, **alert.labels} for alert in began])
        if owned.owner is None or row["carded_at"] is not None:
            return {}
        service = row["service"] or owned.service
        return {"owner": owned.owner, "channel": self._channel_of(owned.owner), "service": service}

    async def _changed(
        self, connection: AsyncConnection, row: Row, changes: Mapping[str, Any], *, urgent: bool
    ) -> None:
        # Counted by the database: people may have decided something since the row was read.
        newer = update(alert_groups).where(alert_groups.c.id == row["id"])
        newer = newer.values(**changes, revision=alert_groups.c.revision + 1)
        revision = (await connection.execute(newer.returning(alert_groups.c.revision))).scalar_one()
        await self._drawing.changed(connection, {**row, **changes, "revision": revision}, urgent=urgent)

    async def _tell(self, connection: AsyncConnection, row: Row, event: Event) -> None:
        await tell(connection, self._drawing.threads if row["carded_at"] is not None else None, row["id"], event)


async def _latest(connection: AsyncConnection, key: str) -> Row | None:
    newest = select(alert_groups).where(alert_groups.c.key == key).order_by(alert_groups.c.number.desc()).limit(1)
    return (await connection.execute(newest)).mappings().first()


async def _set(connection: AsyncConnection, group: str, values: Mapping[str, Any]) -> None:
    await connection.execute(update(alert_groups).where(alert_groups.c.id == group).values(**values))


async def _free_id(connection: AsyncConnection, key: str, started: datetime, now: datetime) -> str:
    """Return the id of an episode that began then. One that began at the same time is another if it ended between."""
    wanted = group_id(key, started)
    while (await connection.execute(select(alert_groups.c.id).where(alert_groups.c.id == wanted))).first() is not None:
        wanted = group_id(key, now)
        now += timedelta(milliseconds=1)
    return wanted


def _entry(row: Row, kind: str, now: datetime) -> Entry:
    body: dict[str, JSON] = {name: row[name] for name in ("title", "service", "environment", "severity", "owner")}
    body |= {"started_at": moment(row["started_at"]).isoformat(), "alerts": row["total"]}
    if kind == "alert.resolved":
        body["ended_at"] = moment(row["ended_at"]).isoformat()
    elif row["flapping"]:
        body["returns"] = row["flapping"]
    return Entry(at=now, actor="system", door="alertmanager", operation=row["id"], kind=kind, body=body)
