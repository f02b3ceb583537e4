"""The stages before the first effect: plan, wait for approval, read the facts again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.errors import PlatformError, Refused, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.operation import Reason, State, StepState, Voided
from bot.model.plan import Plan
from bot.operations.contracts import Allowed, Denied, NeedsApproval, Planned
from bot.operations.defects import readable
from bot.operations.held import Held
from bot.operations.ledger import Entry
from bot.operations.record import Stage, StepRecord
from bot.operations.store import LaneBusy

QUEUE_LOOK = timedelta(seconds=5)
"""How long an operation that stands in line waits before it is looked at, if nobody wakes it earlier."""


async def make_plan(held: Held) -> None:
    """Read the facts, plan, and let policy decide what comes next. Leaves the operation at its next stage."""
    planned = await _planned(held)
    if planned is None:
        return
    made = held.entry("operation.planned", digest=planned.plan.digest, summary=planned.plan.summary)
    await _go_on(held, planned, made)


async def recheck(held: Held) -> None:
    """Read the facts again. What was approved is run; if it is not the same any more, ask again."""
    planned = await _planned(held)
    if planned is None:
        return
    digest = planned.plan.digest
    if digest == held.record.digest and not isinstance(planned.decision, Denied):
        await _run_in_turn(held, [held.entry("operation.running", digest=digest)], steps=held.record.steps)
        return
    changes = what_changed(held.plan, planned.plan)
    voided = Voided(digest=held.record.digest or "", changes=changes, at=held.means.store.clock())
    told: list[JSON] = list(changes)
    made = held.entry("approval.voided", old=held.record.digest, new=digest, changes=told)
    await _go_on(held, planned, made, voided=(*held.record.voided, voided) if changes else held.record.voided)


async def _planned(held: Held) -> Planned | None:
    """Return the plan as the facts are now, or end the operation and return None."""
    asked = held.record.asked

    async def waiting(message: str) -> None:
        if not held.record.problem:  # once: whoever asked should not wonder, nor be told at each try
            await held.save(problem=f"{message} Nothing has been changed yet.")

    try:
        return await held.patiently(lambda _: held.means.planner.plan(asked), waiting)
    except Refused as error:
        await _end(held, State.REJECTED, Reason.REFUSED_BY_POLICY, str(error))
    except UpstreamUnavailable as error:
        text = f"{error} Nothing was changed: what the plan needs could not be read."
        await _end(held, State.FAILED, Reason.EFFECT_FAILED, text)
    except PlatformError as error:
        await _end(held, State.FAILED, Reason.WRONG_REQUEST, str(error))
    except Exception as error:  # noqa: BLE001  # a defect in planning ends this operation, not the replica
        text = readable(error, "planning_failed", operation=held.record.id, command=asked.command)
        await _end(held, State.FAILED, Reason.FAULT, text)
    return None


async def _go_on(held: Held, planned: Planned, made: Entry, voided: tuple[Voided, ...] = ()) -> None:
    plan = planned.plan
    common: dict[str, Any] = {
        "plan": plan,
        "digest": plan.digest,
        "steps": tuple(StepRecord() for _ in plan.steps),
        "voided": voided,
        "need": None,
        "lane": plan.lane or None,
    }
    mended = {"problem": ""}
    match planned.decision:
        case Allowed():
            await _run_in_turn(held, [made], **common)
        case NeedsApproval(need=need, expires_after=expires_after):
            due = held.means.store.clock() + expires_after
            awaiting = {"state": State.AWAITING_APPROVAL, "stage": Stage.AWAIT, "need": need, "due_at": due}
            approvers: list[JSON] = sorted(need.approvers)  # type: ignore[assignment]  # texts are JSON
            asked = held.entry("approval.asked", digest=plan.digest, approvers=approvers, rule=need.rule)
            await held.save(made, asked, let_go=True, **common | mended | awaiting)
        case Denied(sentence=sentence):
            await _end(held, State.REJECTED, Reason.REFUSED_BY_POLICY, sentence, made, **common)


async def _run_in_turn(held: Held, entries: Sequence[Entry], **changes: Any) -> None:
    """Begin to apply, or, where another operation of the lane has to end first, stand in line behind it."""
    running = {"state": State.RUNNING, "stage": Stage.APPLY, "steps": _first_running(changes["steps"])}
    free = {"problem": "", "behind": None}
    try:
        await held.save(*entries, in_turn=True, **changes | free | running)
    except LaneBusy as busy:
        queued = {
            "state": State.PLANNED,
            "stage": Stage.QUEUE,
            "behind": busy.behind,
            "problem": "",
            "due_at": held.means.store.clock() + QUEUE_LOOK,
        }
        told = held.entry("operation.queued", behind=busy.behind.operation)
        await held.save(*entries, told, let_go=True, **changes | queued)


async def _end(held: Held, state: State, reason: Reason, problem: str, *entries: Entry, **changes: Any) -> None:
    text = problem.replace("\x00", "�")
    ended = held.entry(f"operation.{state.value}", reason=reason.value, problem=text)
    ending: dict[str, Any] = {"reason": reason, "cause": text, "problem": text, "due_at": None}
    await held.save(*entries, ended, let_go=True, state=state, stage=Stage.DONE, **ending | changes)


def _first_running(steps: tuple[StepRecord, ...]) -> tuple[StepRecord, ...]:
    """Mark the first step as running in the write that starts the operation: one transaction less."""
    return steps and (steps[0].model_copy(update={"state": StepState.RUNNING}), *steps[1:])


def what_changed(old: Plan, new: Plan) -> tuple[str, ...]:
    """Return one line for each revision and each effect in which two plans differ."""
    before, after = ({r.of: r.at for r in plan.revisions} for plan in (old, new))
    lines = [
        _moved(of, before.get(of), after.get(of)) for of in sorted({*before, *after}) if before.get(of) != after.get(of)
    ]
    was, now = ({step.id: step for step in plan.steps} for plan in (old, new))
    for id_ in dict.fromkeys([*was, *now]):
        if id_ not in now:
            lines.append(f"No longer planned: {was[id_].text}.")
        elif id_ not in was:
            lines.append(f"New: {now[id_].text}.")
        elif was[id_].effect != now[id_].effect:
            lines.append(f"Different: {now[id_].text}.")
    if not lines and [step.id for step in old.steps] != [step.id for step in new.steps]:
        lines.append("The steps are in another order.")
    return tuple(lines)


def _moved(of: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"`{of}` is read now ({after})."
    if after is None:
        return f"`{of}` is not read any more."
    return f"`{of}` changed from {before} to {after}."
