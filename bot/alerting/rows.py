"""Groups of alerts as they stand in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.links import outside_url, web_url
from bot.alerting.steps import runbook_step
from bot.model.alerts import Alert, AlertGroup, AlertState, Folded, Quieted, Severity
from bot.storage.alerts import alert_groups, alert_members

SHOWN = 20
"""Alerts of a group that are read with it."""
MOST_GROUPS = 1_000
_FOLDED = 50


async def read_groups(
    connection: AsyncConnection, *where: ColumnElement[bool], newest_first: bool = True, limit: int = MOST_GROUPS
) -> tuple[AlertGroup, ...]:
    """Return the groups that fit, each with its alerts and what is folded into it."""
    table = alert_groups.c
    order = table.number.desc() if newest_first else table.number
    found = await connection.execute(select(alert_groups).where(*where).order_by(order).limit(limit))
    rows = list(found.mappings())
    ids = [row["id"] for row in rows]
    alerts, folded = await _alerts(connection, ids), await _folded(connection, ids)
    return tuple(group_of(row, alerts.get(row["id"], ()), folded.get(row["id"], ())) for row in rows)


async def read_group(connection: AsyncConnection, id: str) -> AlertGroup | None:  # noqa: A002  # as in the port
    found = await read_groups(connection, alert_groups.c.id == id, limit=1)
    return found[0] if found else None


def group_of(row: Mapping[Any, Any], alerts: Sequence[Alert], folded: Sequence[Folded]) -> AlertGroup:
    """Return a row with its parts as what the rest of us knows."""
    firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
    told = {name: text for alert in reversed(firing or list(alerts)) for name, text in alert.annotations.items()}
    return AlertGroup(
        id=row["id"],
        key=row["key"],
        number=row["number"],
        labels=json.loads(row["labels"]),
        state=AlertState(row["state"]),
        title=row["title"],
        severity=Severity(row["severity"]),
        service=row["service"],
        environment=row["environment"],
        owner=row["owner"],
        channel=row["channel"],
        alerts=tuple(alerts),
        firing=row["firing"],
        total=row["total"],
        left_out=row["left_out"],
        silenced=bool(firing) and all(alert.silenced for alert in firing),
        started_at=moment(row["started_at"]),
        ended_at=maybe(row["ended_at"]),
        acknowledged_by=row["acknowledged_by"],
        acknowledged_at=maybe(row["acknowledged_at"]),
        assigned_to=row["assigned_to"],
        escalated_to=row["escalated_to"],
        quieted=Quieted.model_validate_json(row["quieted"]) if row["quieted"] else None,
        flapping=row["flapping"],
        has_card=row["carded_at"] is not None,
        cause=row["cause"],
        folded=tuple(folded[:_FOLDED]),
        folded_total=len(folded),
        digest=row["digest"],
        summary=told.get("summary", "") or told.get("message", ""),
        description=told.get("description", ""),
        incident_channel=row["incident_channel"],
        runbook_url=web_url(told.get("runbook_url", "") or told.get("runbook", "")),
        dashboard_url=web_url(told.get("dashboard_url", "") or told.get("dashboard", "")),
        source_url=outside_url(told.get("source_url", "")),
        runbook_step=runbook_step(told.get("runbook_step", "")),
        revision=row["revision"],
    )


def alert_of(row: Mapping[Any, Any]) -> Alert:
    return Alert(
        fingerprint=row["fingerprint"],
        name=row["name"],
        state=AlertState(row["state"]),
        starts_at=moment(row["starts_at"]),
        ends_at=maybe(row["ends_at"]),
        labels=json.loads(row["labels"]),
        annotations=json.loads(row["annotations"]),
        silenced=row["silenced"],
    )


async def _alerts(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Alert]]:
    """Return the first `SHOWN` alerts of each group, in one question: firing ones first, newest first."""
    if not ids:
        return {}
    table = alert_members.c
    order = (case((table.state == AlertState.FIRING.value, 0), else_=1), table.starts_at.desc(), table.fingerprint)
    place = func.row_number().over(partition_by=table.group, order_by=order).label("place")
    ranked = select(alert_members, place).where(table.group.in_(ids)).subquery()
    chosen = select(ranked).where(ranked.c.place <= SHOWN).order_by(ranked.c.group, ranked.c.place)
    found: dict[str, list[Alert]] = {}
    for row in (await connection.execute(chosen)).mappings():
        found.setdefault(row["group"], []).append(alert_of(row))
    return found


async def _folded(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Folded]]:
    if not ids:
        return {}
    table = alert_groups.c
    columns = (table.cause, table.id, table.title, table.service, table.state)
    found: dict[str, list[Folded]] = {}
    for row in await connection.execute(select(*columns).where(table.cause.in_(ids)).order_by(table.number)):
        one = Folded(id=row.id, title=row.title, service=row.service, state=AlertState(row.state))
        found.setdefault(row.cause, []).append(one)
    return found


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
