"""Applies the effects of a plan, one after the other, and records each outcome in one transaction."""

from __future__ import annotations

from typing import Any

from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome
from bot.model.operation import Reason, State, StepState
from bot.operations.attending import Ended, attended
from bot.operations.defects import readable
from bot.operations.held import Held, entry
from bot.operations.record import Stage, StepRecord
from bot.operations.store import LeaseLost

SUCCEEDED: dict[str, Any] = {"state": State.SUCCEEDED, "stage": Stage.DONE}


async def apply_all(held: Held) -> None:
    """Apply what is not done yet. Leaves the operation succeeded, or at the stage of undoing."""
    while True:
        if held.record.undo_by is not None:
            await begin_undo(held, Reason.ASKED_TO_UNDO, f"{held.record.undo_by.display_name} asked to undo it.")
            return
        index = _next(held)
        if index is None:
            if await held.save(held.entry("operation.succeeded"), let_go=True, unless_undo=True, **SUCCEEDED):
                return
        elif not await _apply(held, index) or held.record.stage is Stage.DONE:
            return


def _next(held: Held) -> int | None:
    return next((i for i, step in enumerate(held.record.steps) if step.state is not StepState.DONE), None)


async def _apply(held: Held, index: int) -> bool:
    """Apply one effect; return False when it failed and undoing has begun."""
    if held.record.steps[index].state is not StepState.RUNNING:
        await held.step(index, state=StepState.RUNNING)
    try:
        effect = held.bound(held.effect(index))
        outcome = await held.patiently(
            lambda attempt: _applied(held, index, effect, attempt),
            lambda message: held.step(index, problem=message),
            for_ever=effect.patient,
        )
    except LeaseLost:
        raise
    except Ended:
        return True  # the loop sees that undo was asked for
    except Exception as error:  # noqa: BLE001  # whatever an effect raises, what was done must be undone
        await _failed(held, index, error)
        return False
    await _done(held, index, effect, outcome)
    return True


async def _applied(held: Held, index: int, effect: Effect, attempt: int) -> Outcome:
    if effect.waits:
        return await attended(held, index, effect, attempt)
    return await effect.apply(held.means.ports, held.run(effect, attempt))


async def _done(held: Held, index: int, effect: Effect, outcome: Outcome) -> None:
    """Record the outcome; the next step is marked as running, or the operation as succeeded, in the same write."""
    done = StepRecord(state=StepState.DONE, outcome=outcome)
    steps = held.record.with_step(index, done)
    entries = [
        held.entry(
            "effect.done",
            effect=effect.id,
            kind=effect.kind,
            seen=outcome.seen,
            changed=outcome.changed,
            made=dict(outcome.made),
        )
    ]
    following = index + 1
    settled: dict[str, Any] = {} if held.record.keep_by is None else {"keep_by": None, "patience": None}
    if settled and held.record.keep_by is not None:
        entries.append(
            entry(held.means.store, held.record, "wait.kept", held.record.keep_by.user, {"effect": effect.id})
        )
    if following < len(steps):
        running = steps[following].model_copy(update={"state": StepState.RUNNING})
        await held.save(*entries, steps=(*steps[:following], running, *steps[following + 1 :]), **settled)
        return
    entries.append(held.entry("operation.succeeded"))
    if not await held.save(*entries, let_go=True, unless_undo=True, steps=steps, **SUCCEEDED, **settled):
        await held.save(*entries[:-1], steps=steps, **settled)


async def _failed(held: Held, index: int, error: Exception) -> None:
    planned = held.plan.steps[index]
    problem = readable(error, "effect_failed", operation=held.record.id, effect=planned.id)
    failed = held.record.steps[index].model_copy(update={"state": StepState.FAILED, "problem": problem})
    told: dict[str, JSON] = {"effect": planned.id, "kind": planned.effect.kind, "problem": problem}
    steps = held.record.with_step(index, failed)
    if held.record.undo_by is not None:
        by = held.record.undo_by
        await begin_undo(held, Reason.ASKED_TO_UNDO, f"{by.display_name} asked to undo it.", steps, told)
    else:
        await begin_undo(held, Reason.EFFECT_FAILED, f"“{planned.text}” did not work: {problem}", steps, told)


async def begin_undo(
    held: Held,
    reason: Reason,
    cause: str,
    steps: tuple[StepRecord, ...] | None = None,
    failed: dict[str, JSON] | None = None,
) -> None:
    """Turn round: from here on the operation is undone."""
    entries = [held.entry("effect.failed", **failed)] if failed else []
    entries.append(held.entry("operation.undoing", reason=reason.value, cause=cause))
    await held.save(
        *entries,
        state=State.RUNNING,
        stage=Stage.UNDO,
        reason=reason,
        cause=cause,
        problem=cause,
        steps=steps or held.record.steps,
    )
