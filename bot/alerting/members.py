"""The alerts of a group in their rows, and what they say of it together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerting.folding import RANK
from bot.alerting.merging import Known
from bot.alerting.reading import Heard
from bot.alerting.rows import moment
from bot.model.alerts import AlertState, Severity
from bot.slack.mrkdwn import cut, plain
from bot.storage.alerts import alert_members

FIRING, RESOLVED = AlertState.FIRING.value, AlertState.RESOLVED.value
TITLE = 120
"""Longest title, in code points."""
_CHUNK = 500

Row = Mapping[Any, Any]


async def known_of(connection: AsyncConnection, group: str, alerts: Sequence[Heard]) -> dict[str, Known]:
    table = alert_members.c
    found: dict[str, Known] = {}
    prints = [alert.fingerprint for alert in alerts]
    for start in range(0, len(prints), _CHUNK):
        some = select(alert_members).where(table.group == group, table.fingerprint.in_(prints[start : start + _CHUNK]))
        for row in (await connection.execute(some)).mappings():
            found[row["fingerprint"]] = Known(
                firing=row["state"] == FIRING,
                starts_at=moment(row["starts_at"]),
                changed_at=moment(row["changed_at"]),
                silenced=row["silenced"],
                annotations=json.loads(row["annotations"]),
            )
    return found


async def close(connection: AsyncConnection, group: str, ended: Iterable[Heard], now: datetime) -> None:
    """Note that these have ended; what is known of them stays."""
    table = alert_members.c
    rows = [
        {"one": alert.fingerprint, "at": (alert.ends_at or now).timestamp(), "heard": now.timestamp()}
        for alert in ended
    ]
    if rows:
        mark = update(alert_members).where(table.group == group, table.fingerprint == bindparam("one"))
        values = {"state": RESOLVED, "ends_at": bindparam("at"), "changed_at": bindparam("heard"), "unheard": 0}
        await connection.execute(mark.values(values), rows)


async def store(connection: AsyncConnection, group: str, alerts: Iterable[Heard], now: datetime) -> None:
    rows = [_member(group, alert, now) for alert in alerts]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(alert_members)
    new = {name: statement.excluded[name] for name in rows[0] if name not in ("group", "fingerprint")}
    await connection.execute(statement.on_conflict_do_update(index_elements=["group", "fingerprint"], set_=new), rows)


def _member(group: str, alert: Heard, now: datetime) -> dict[str, Any]:
    return {
        "group": group,
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "severity": alert.severity.value,
        "state": FIRING if alert.firing else RESOLVED,
        "starts_at": alert.starts_at.timestamp(),
        "ends_at": alert.ends_at.timestamp() if alert.ends_at else None,
        "labels": json.dumps(dict(alert.labels)),
        "annotations": json.dumps(dict(alert.annotations)),
        "silenced": alert.silenced,
        "unheard": 0,
        "changed_at": now.timestamp(),
    }


async def counts_of(connection: AsyncConnection, row: Row) -> dict[str, Any]:
    """Return what a group's alerts say of it together, as they stand now."""
    table = alert_members.c
    grouped = select(table.state, table.severity, table.name, func.count().label("many")).where(
        table.group == row["id"]
    )
    found = (await connection.execute(grouped.group_by(table.state, table.severity, table.name))).all()
    firing = [one for one in found if one.state == FIRING]
    counted = sum(one.many for one in firing)
    severity = min((Severity(one.severity) for one in firing), key=lambda one: RANK[one], default=Severity.INFO)
    return {
        "firing": counted,
        "total": sum(one.many for one in found),
        "severity": severity.value,
        "title": _title({one.name for one in firing}, counted, json.loads(row["labels"])) or row["title"],
    }


def _title(names: set[str], count: int, labels: Mapping[str, str]) -> str:
    """The alert's name; where there are several, how many alerts there are. One line: it stands in sentences."""
    if grouped_by := _line(labels.get("alertname", "")):
        return grouped_by
    if len(names) == 1 and (only := _line(next(iter(names)))):
        return only
    return alerts_said(count) if count else ""


def _line(name: str) -> str:
    return cut(" ".join(plain(name).split()), TITLE)


def alerts_said(count: int) -> str:
    return f"{count} alert{'' if count == 1 else 's'}"
