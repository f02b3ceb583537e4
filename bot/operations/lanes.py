"""Lanes: operations that must not run beside one another, such as two deploys of one service to one environment."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.operation import Behind, State
from bot.operations.record import Record, Stage, record
from bot.storage.database import Database
from bot.storage.operations import operations


class Lanes:
    """Who has to end before whom. First come, first served; an operation that waits for approval is not in line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ahead(self, connection: AsyncConnection, of: Record) -> Behind | None:
        """Return the operation that has to end before `of` may run, if there is one.

        Within the transaction of `connection` nobody else gets an answer for the same lane.
        """
        if not of.lane:
            return None
        if not self._database.is_sqlite:  # SQLite lets only one write anyway
            await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(of.lane))))
        table = operations.c
        running = and_(table.stage.in_((Stage.APPLY, Stage.UNDO)), table.state == State.RUNNING)
        mine = of.created_at.timestamp()
        earlier = or_(table.created_at < mine, and_(table.created_at == mine, table.id < of.id))
        # Whoever has been called up and reads the facts again keeps the place in the line.
        queued = and_(table.stage.in_((Stage.QUEUE, Stage.RECHECK)), table.state == State.PLANNED, earlier)
        statement = (
            select(operations)
            .where(table.lane == of.lane, table.id != of.id, or_(running, queued))
            # Behind whoever stands last in line before us; behind the one that runs where nobody else waits.
            .order_by((table.stage == Stage.QUEUE).desc(), table.created_at.desc(), table.id.desc())
            .limit(1)
        )
        row = (await connection.execute(statement)).first()
        return _behind(record(row)) if row is not None else None

    async def everybody(self, connection: AsyncConnection, lane: str) -> tuple[Behind, ...]:
        """Return those that run or stand in line, first come first."""
        table = operations.c
        taking_part = and_(
            table.stage.in_((Stage.APPLY, Stage.UNDO, Stage.QUEUE)), table.state.in_((State.RUNNING, State.PLANNED))
        )
        statement = select(operations).where(table.lane == lane, taking_part).order_by(table.created_at, table.id)
        return tuple(_behind(record(row)) for row in await connection.execute(statement))

    async def history(
        self, connection: AsyncConnection, lanes: Collection[str], begin: datetime, end: datetime, limit: int
    ) -> list[Record]:
        """Return the operations of these lanes that were under way at some time in between, newest first."""
        table = operations.c
        statement = (
            select(operations)
            .where(table.lane.in_(sorted(lanes)))
            .where(table.created_at <= end.timestamp(), table.updated_at >= begin.timestamp())
            .order_by(table.created_at.desc(), table.id.desc())
            .limit(limit)
        )
        return [record(row) for row in await connection.execute(statement)]

    async def freed(self, connection: AsyncConnection, lane: str, now: datetime) -> None:
        """Let everybody in line be looked at with the next tick."""
        waiting = and_(operations.c.lane == lane, operations.c.stage == Stage.QUEUE)
        await connection.execute(update(operations).where(waiting).values(due_at=now.timestamp()))


def _behind(found: Record) -> Behind:
    summary = found.plan.summary if found.plan else found.asked.command
    return Behind(operation=found.id, summary=summary, by=found.asked.principal.display_name)
