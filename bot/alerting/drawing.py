"""Which cards have to be drawn anew when a group changes: its own, that of its cause, the digest it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.slack.outbox import Outbox, Turn
from bot.storage.alerts import alert_digests, alert_groups


class Drawing:
    """Asks the outbox, inside the transaction of the change."""

    def __init__(self, outbox: Outbox) -> None:
        self.threads = outbox

    async def changed(self, connection: AsyncConnection, row: Mapping[Any, Any], *, urgent: bool) -> None:
        """`row` is the group as it is now, its revision included."""
        if row["carded_at"] is not None:
            await self.threads.operation_changed(connection, row["id"], row["revision"], urgent=urgent)
        if row["cause"]:
            await self.redraw(connection, row["cause"])
        if row["digest"]:
            await self.redraw_digest(connection, row["digest"])

    async def redraw(self, connection: AsyncConnection, group: str, *, turn: Turn | None = None) -> None:
        """Draw a group's card anew because of others."""
        newer = update(alert_groups).where(alert_groups.c.id == group).values(revision=alert_groups.c.revision + 1)
        found = await connection.execute(newer.returning(alert_groups.c.revision, alert_groups.c.carded_at))
        row = found.first()
        if row is not None and row.carded_at is not None:
            await self.threads.operation_changed(connection, group, row.revision, turn=turn)

    async def redraw_digest(self, connection: AsyncConnection, digest: str, *, turn: Turn | None = None) -> None:
        newer = update(alert_digests).where(alert_digests.c.id == digest).values(revision=alert_digests.c.revision + 1)
        row = (await connection.execute(newer.returning(alert_digests.c.revision))).first()
        if row is not None:
            await self.threads.operation_changed(connection, digest, row.revision, turn=turn)
