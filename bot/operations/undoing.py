"""Takes back what an operation made, in reverse order, and proves that it is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import PlatformError
from bot.model.canonical import JSON
from bot.model.effect import Effect, Undo, Undone
from bot.model.operation import State, StepState
from bot.operations.defects import readable
from bot.operations.held import Held
from bot.operations.record import Record, Stage, StepRecord
from bot.operations.store import LeaseLost

NOTHING_DONE = Undone(how=Undo.NOTHING, seen="nothing was done")


async def undo_all(held: Held) -> None:
    """Undo every step that may have left something. Leaves the operation undone, or failed with its leftovers."""
    for index in reversed(range(len(held.record.steps))):
        if _may_be_left(held.record.steps[index]):
            await _undo(held, index)
    await _finish(held)


def _may_be_left(step: StepRecord) -> bool:
    if step.state in (StepState.PENDING, StepState.UNDONE, StepState.KEPT):
        return False
    return step.undone is None  # a step whose undo found nothing stays `failed` or `done`, with that finding


async def _undo(held: Held, index: int) -> None:
    step = held.record.steps[index]
    if step.state is not StepState.STUCK:  # a stuck one stays visible as stuck while it is tried again
        await held.step(index, state=StepState.UNDOING if step.state is not StepState.FAILED else StepState.FAILED)
    after = await _outcome_of_undo(held, index, step)
    planned = held.plan.steps[index]
    told: dict[str, JSON] = {"effect": planned.id, "kind": planned.effect.kind, "state": after.state.value}
    if after.undone is not None:
        told |= {"how": after.undone.how.value, "seen": after.undone.seen}
    else:
        told |= {"problem": after.problem}
    kind = "effect.stuck" if after.state is StepState.STUCK else "effect.undone"
    known = after.state is StepState.STUCK and step.state is StepState.STUCK and after.problem == step.problem
    await held.save(*([] if known else [held.entry(kind, **told)]), steps=held.record.with_step(index, after))


async def _outcome_of_undo(held: Held, index: int, step: StepRecord) -> StepRecord:
    """Undo one effect and look whether it is gone; return how the step stands then."""
    manual = ""
    try:
        effect = held.effect(index)
        try:
            effect = held.bound(effect)
        except PlatformError:
            if step.outcome is None:  # its late values never came, so it was never applied
                return _settled(step, NOTHING_DONE)
            raise
        manual = effect.manual()
        if not effect.undoable:
            return _settled(step, NOTHING_DONE)
        return await _undone(held, effect, step)
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001  # an undo that fails in any way is kept in sight and tried again
        problem = readable(error, "undo_failed", operation=held.record.id, effect=held.plan.steps[index].id)
        return _stuck(held, step, problem, manual)


async def _undone(held: Held, effect: Effect, step: StepRecord) -> StepRecord:
    ports = held.means.ports
    undone = await held.patiently(lambda attempt: effect.undo(ports, held.run(effect, attempt), step.outcome))
    if undone.how is Undo.KEPT:
        return step.model_copy(
            update={
                "state": StepState.KEPT,
                "undone": undone,
                "command": undone.command or effect.manual(),
                "retry_at": None,
            }
        )
    proof = await held.patiently(lambda attempt: effect.gone(ports, held.run(effect, attempt), step.outcome))
    if not proof.absent:
        return _stuck(held, step, f"It is still there: {proof.seen}.", effect.manual())
    return _settled(step, undone)


def _settled(step: StepRecord, undone: Undone) -> StepRecord:
    """What nothing had to be done about keeps its state, so that one sees which step failed."""
    state = StepState.UNDONE
    if undone.how is Undo.NOTHING and step.state in (StepState.FAILED, StepState.DONE):
        state = step.state
    return step.model_copy(update={"state": state, "undone": undone, "command": "", "retry_at": None})


def _stuck(held: Held, step: StepRecord, problem: str, manual: str) -> StepRecord:
    settings = held.means.settings
    wait_s = min(settings.stuck_first_s * 2.0 ** min(step.tries, 30), settings.stuck_most_s)
    return step.model_copy(
        update={
            "state": StepState.STUCK,
            "problem": problem,
            "command": manual,
            "tries": step.tries + 1,
            "retry_at": held.means.store.clock() + timedelta(seconds=wait_s),
        }
    )


async def _finish(held: Held) -> None:
    state, stage, problem, due_at = ending(held.record)
    entries = []
    if state is not held.record.state or problem != held.record.problem:
        left: list[JSON] = [
            planned.id
            for planned, step in zip(held.plan.steps, held.record.steps, strict=True)
            if step.state in (StepState.STUCK, StepState.KEPT)
        ]
        entries.append(held.entry(f"operation.{state.value}", problem=problem, left=left))
    await held.save(*entries, let_go=True, state=state, stage=stage, problem=problem, due_at=due_at)


def ending(of: Record) -> tuple[State, Stage, str, datetime | None]:
    """Return state, stage, sentence and time of the next try for an operation whose undo has been tried."""
    stuck = [step for step in of.steps if step.state is StepState.STUCK]
    kept = [step for step in of.steps if step.state is StepState.KEPT]
    if stuck:
        left = "One step could" if len(stuck) == 1 else f"{len(stuck)} steps could"
        problem = f"{of.cause} {left} not be undone and will be tried again; the command to do it by hand stands there."
        return State.FAILED, Stage.UNDO, problem, min(step.retry_at for step in stuck if step.retry_at)
    if kept:
        left = "One thing is" if len(kept) == 1 else f"{len(kept)} things are"
        return State.FAILED, Stage.DONE, f"{of.cause} {left} kept; everything else was undone.", None
    return State.UNDONE, Stage.DONE, f"{of.cause} Nothing is left behind.", None
