"""What becomes due: approvals that expire, stuck undos, operations of replicas that fell silent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Row, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.operation import Reason, State
from bot.operations.held import SYSTEM, Means, entry
from bot.operations.overtaking import make_way
from bot.operations.planning import QUEUE_LOOK
from bot.operations.record import Record, Stage
from bot.storage.operations import operations

BATCH = 50
"""Most operations one tick takes on; the next tick goes on."""

Begin = Callable[[Record], None]
Forget = Callable[[str, int], Awaitable[None]]


async def act_on_due(means: Means, begin: Begin, forget: Forget) -> int:
    """Do what is due now; return for how many operations something was done."""
    store = means.store
    now, lease_now = store.clock().timestamp(), means.settings.lease_clock().timestamp()
    due = and_(operations.c.due_at <= now, operations.c.lease_until.is_(None))
    lapsed = operations.c.lease_until <= lease_now
    statement = select(operations.c.id, operations.c.lease_token, operations.c.lease_until).limit(BATCH)
    async with store.database.read() as connection:
        rows = (await connection.execute(statement.where(or_(due, lapsed)).order_by(operations.c.updated_at))).all()
    done = 0
    for row in rows:
        changed = await _one(means, row)
        if changed is None:
            continue
        done += 1
        store.changes.notify(changed)
        if changed.stage not in (Stage.DONE, Stage.QUEUE):
            begin(changed)
            if row.lease_until is not None:
                await forget(row.id, row.lease_token)
    return done


async def _one(means: Means, seen: Row[Any, Any, Any]) -> Record | None:
    """Act on one row under its lock; return None when another replica was quicker."""
    store = means.store
    async with store.database.write() as connection:
        current = await store.get(connection, seen.id, lock=True)
        if current.lease_token != seen.lease_token:
            return None
        if seen.lease_until is not None:
            if not await _still_lapsed(means, connection, seen.id):
                return None
            taken = entry(store, current, "operation.taken_over", SYSTEM, {"by": store.replica})
            return await store.change(connection, current, [taken], grant=True)
        if current.due_at is None or current.due_at > store.clock():
            return None
        if current.stage is Stage.AWAIT:
            problem = "Nobody approved it in time. Nothing was changed; ask again with the command."
            expired = entry(store, current, "operation.expired", SYSTEM, {"problem": problem})
            return await store.change(
                connection,
                current,
                [expired],
                state=State.EXPIRED,
                stage=Stage.DONE,
                reason=Reason.EXPIRED,
                cause=problem,
                problem=problem,
                due_at=None,
            )
        if current.stage is Stage.QUEUE:
            return await _in_line(means, connection, current)
        return await store.change(connection, current, [], grant=True, due_at=None)


async def _in_line(means: Means, connection: AsyncConnection, current: Record) -> Record | None:
    """Let an operation go on whose turn has come: its facts are read again. Otherwise look again later."""
    store = means.store
    ahead = await store.lanes.ahead(connection, current)
    if ahead is None:
        return await store.change(connection, current, [], grant=True, stage=Stage.RECHECK, due_at=None)
    await make_way(means, connection, ahead.operation, current)
    if ahead != current.behind:
        return await store.change(connection, current, [], behind=ahead, due_at=store.clock() + QUEUE_LOOK)
    later = (store.clock() + QUEUE_LOOK).timestamp()
    await connection.execute(update(operations).where(operations.c.id == current.id).values(due_at=later))
    return None


async def _still_lapsed(means: Means, connection: AsyncConnection, operation: str) -> bool:
    until = select(operations.c.lease_until).where(operations.c.id == operation)
    found = (await connection.execute(until)).scalar_one_or_none()
    return found is not None and found <= means.settings.lease_clock().timestamp()
