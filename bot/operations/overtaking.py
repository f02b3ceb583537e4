"""What stands in line may change what is before it: end a wait that is stuck, or have all of it taken back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.operation import Reason, State, StepState
from bot.operations.held import Means, entry
from bot.operations.record import Record, Stage, record
from bot.storage.operations import operations


async def make_way(means: Means, connection: AsyncConnection, ahead: str, current: Record) -> None:
    """Do what `current` may do about the operation `ahead` of it in its lane, and about those before that one."""
    if current.plan is None or not current.plan.takes_over:
        await _pass_over(means, connection, ahead, current)
        return
    for one in await means.store.lanes.everybody(connection, current.lane or ""):
        if one.operation == current.id:
            break  # first come first: whoever stands behind us is none of our business
        await _take_back(means, connection, one.operation, current)


async def _pass_over(means: Means, connection: AsyncConnection, operation: str, current: Record) -> None:
    """End a wait that is stuck and holds up the line, as if whoever comes next had said that it stays as it is.

    What is asked now takes the place of what does not become healthy: a fix must not wait for what it mends.
    """
    store = means.store
    first = await _free(means, connection, operation)
    if first is None:
        return
    stuck = next((step for step in first.steps if step.stalled and step.state is StepState.RUNNING), None)
    if stuck is None or not stuck.keepable or first.stage is not Stage.APPLY or first.keep_by or first.undo_by:
        return
    by = current.asked.principal
    told = entry(store, first, "keep.asked", by.user, {"problem": stuck.progress, "for": current.id})
    store.changes.notify(await store.note(connection, first, [told], keep_by=by))


async def _take_back(means: Means, connection: AsyncConnection, operation: str, current: Record) -> None:
    """Have undone what runs, and withdraw what has not begun, as if whoever comes next had asked for it. What takes
    over itself is left alone: two ends of one thing do not take one another back."""
    store = means.store
    first = await _free(means, connection, operation)
    if first is None or first.undo_by is not None or (first.plan is not None and first.plan.takes_over):
        return
    by = current.asked.principal
    told = entry(store, first, "undo.asked", by.user, {"for": current.id})
    if first.stage is Stage.APPLY:  # the run sees it as soon as the effect at hand is recorded
        store.changes.notify(await store.note(connection, first, [told], undo_by=by))
    elif first.stage is Stage.QUEUE:
        problem = (
            f"{current.plan.summary if current.plan else 'What was asked since'} takes its place. Nothing was changed."
        )
        ended = entry(store, first, "operation.undone", by.user, {"problem": problem})
        changed = await store.change(
            connection,
            first,
            [told, ended],
            state=State.UNDONE,
            stage=Stage.DONE,
            reason=Reason.ASKED_TO_UNDO,
            undo_by=by,
            cause=problem,
            problem=problem,
            due_at=None,
        )
        store.changes.notify(changed)


async def _free(means: Means, connection: AsyncConnection, operation: str) -> Record | None:
    """Return an operation, locked; None while its own run is writing it. We hold our own row, and that run may be about
    to write to it: whoever waited here would wait for one another. It is looked at again soon."""
    statement = select(operations).where(operations.c.id == operation).with_for_update(skip_locked=True)
    row = (await connection.execute(statement)).first()
    return record(row) if row is not None else None
