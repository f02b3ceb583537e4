"""What people decide about an operation: approve, reject, undo, retry, keep.

Each decision is asked of policy on the one who clicks, then looked at again under the row's lock. The same question
gets the same answer however often it comes; whoever comes too late is told why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.operation import Approval, Decided, OperationView, Patience, Reason, State, StepState
from bot.model.principal import Principal
from bot.operations.contracts import Allowed, Denied
from bot.operations.held import Means, entry
from bot.operations.record import Record, Stage, StepRecord, view
from bot.operations.undoing import ending
from bot.storage.operations import buttons

Begin = Callable[[Record], None]
"""Begins the run that a decision asked for, once the decision is stored."""
Ask = Callable[[OperationView, Principal], Awaitable[Allowed | Denied]]
"""Either of the planner's two questions."""

UNKNOWN_BUTTON = Decided(accepted=False, text="This button is not known any more. Open the operation again.")


@dataclass(frozen=True, slots=True)
class Decisions:
    """Takes decisions, for every door."""

    means: Means
    begin: Begin

    async def decide(
        self,
        operation: str,
        digest: str,
        principal: Principal,
        approved: bool,
        reason: str = "",
        *,
        button: str | None = None,
    ) -> Decided:
        """Approve or reject the plan with `digest`. Raise `NotFound` for an unknown operation.

        `button` is the one that was pressed for it: a button of an earlier card decides nothing any more, even where
        the plan has come to be the same again.
        """
        store = self.means.store
        refused = await self._may(self.means.planner.may_approve, operation, principal)
        async with store.database.write() as connection:
            current = await store.get(connection, operation, lock=True)
            old = button is not None and button not in current.buttons.values()
            answer = late_answer(current, digest, principal, approved, old=old) or refused
            if answer is not None:
                return answer
            now = store.clock()
            if current.due_at is not None and now >= current.due_at:
                return _no(current, "This approval has expired. Ask again with the command.")
            approval = Approval(principal=principal, digest=digest, approved=approved, at=now, reason=reason)
            kind = "approval.given" if approved else "approval.refused"
            told = entry(store, current, kind, principal.user, {"digest": digest, "reason": reason})
            approvals = (*current.approvals, approval)
            if approved:
                changed = await store.change(
                    connection, current, [told], grant=True, approvals=approvals, stage=Stage.RECHECK, due_at=None
                )
            else:
                changed = await store.change(
                    connection, current, [told], approvals=approvals, due_at=None, **_rejected(principal, reason)
                )
        self._stored(changed)
        return _accepted(current, approved)

    async def press(self, button: str, principal: Principal) -> Decided:
        """Do what the button with that id stands for."""
        async with self.means.store.database.read() as connection:
            row = (await connection.execute(select(buttons).where(buttons.c.id == button))).first()
        if row is None:
            return UNKNOWN_BUTTON
        match row.action:
            case "approve" | "reject":
                approved = row.action == "approve"
                return await self.decide(row.operation, row.digest, principal, approved, button=button)
            case "undo":
                return await self.undo(row.operation, principal)
            case "retry":
                return await self.retry(row.operation, principal)
            case "wait":
                return await self.wait_on(row.operation, principal)
            case _:
                return await self.keep(row.operation, principal)

    async def undo(self, operation: str, principal: Principal) -> Decided:
        """Take everything back, or withdraw what has not begun. Raise `NotFound` for an unknown operation."""
        store = self.means.store
        refused = await self._may(self.means.planner.may_undo, operation, principal)
        begin = False
        async with store.database.write() as connection:
            current = await store.get(connection, operation, lock=True)
            answer = _undo_answer(current, principal) or refused
            if answer is not None:
                return answer
            told = entry(store, current, "undo.asked", principal.user, {})
            cause = f"{principal.display_name} asked to undo it."
            if current.stage is Stage.APPLY:  # the run sees it as soon as the effect at hand is recorded
                changed = await store.note(connection, current, [told], undo_by=principal)
            elif current.state is State.SUCCEEDED:
                begin = True
                undoing: dict[str, Any] = {"state": State.RUNNING, "stage": Stage.UNDO, "reason": Reason.ASKED_TO_UNDO}
                changed = await store.change(
                    connection, current, [told], grant=True, undo_by=principal, cause=cause, problem=cause, **undoing
                )
            else:
                withdrawn: dict[str, Any] = {"state": State.UNDONE, "stage": Stage.DONE, "reason": Reason.ASKED_TO_UNDO}
                problem = f"{principal.display_name} withdrew it. Nothing was changed."
                ended = entry(store, current, "operation.undone", principal.user, {"problem": problem})
                changed = await store.change(
                    connection,
                    current,
                    [told, ended],
                    undo_by=principal,
                    cause=problem,
                    problem=problem,
                    due_at=None,
                    **withdrawn,
                )
        self._stored(changed, begin=begin)
        return _yes(current, "It is being undone.")

    async def retry(self, operation: str, principal: Principal) -> Decided:
        """Try stuck undos now rather than at their time."""
        store = self.means.store
        refused = await self._may(self.means.planner.may_undo, operation, principal)
        async with store.database.write() as connection:
            current = await store.get(connection, operation, lock=True)
            if not _stuck(current):
                return _no(current, "Nothing is stuck here any more.")
            if refused is not None:
                return refused
            if current.due_at is None:
                return _yes(current, "It is being tried again.")
            told = entry(store, current, "retry.asked", principal.user, {})
            changed = await store.change(connection, current, [told], grant=True, due_at=None)
        self._stored(changed, begin=True)
        return _yes(current, "It is being tried again.")

    async def wait_on(self, operation: str, principal: Principal) -> Decided:
        """Note that somebody has seen why a step is stuck, and waits."""
        store = self.means.store
        refused = await self._may(self.means.planner.may_undo, operation, principal)
        async with store.database.write() as connection:
            current = await store.get(connection, operation, lock=True)
            step = _waiting(current)
            if step is None:
                return _no(current, "Nothing is stuck here any more.")
            if refused is not None:
                return refused
            patience = Patience(principal=principal, progress=step.progress)
            told = entry(store, current, "wait.seen", principal.user, {"problem": step.progress})
            changed = await store.note(connection, current, [told], patience=patience)
        self._stored(changed, begin=False)
        return _yes(current, "It goes on waiting; the card says so when it moves.")

    async def keep(self, operation: str, principal: Principal) -> Decided:
        """Leave what is stuck as it is: a wait ends there, and nothing tries to remove what could not be removed."""
        store = self.means.store
        refused = await self._may(self.means.planner.may_undo, operation, principal)
        async with store.database.write() as connection:
            current = await store.get(connection, operation, lock=True)
            waiting = _waiting(current)
            if not _stuck(current) and waiting is None:
                return _no(current, "Nothing is stuck here any more.")
            if refused is not None:
                return refused
            if waiting is not None:
                return await self._keep_waiting_step(connection, current, waiting, principal)
            steps = tuple(
                step.model_copy(update={"state": StepState.KEPT, "retry_at": None})
                if step.state is StepState.STUCK
                else step
                for step in current.steps
            )
            state, stage, problem, _ = ending(current.model_copy(update={"steps": steps}))
            told = entry(store, current, "keep.asked", principal.user, {"problem": problem})
            changed = await store.change(
                connection, current, [told], steps=steps, state=state, stage=stage, problem=problem, due_at=None
            )
        self._stored(changed)
        return _yes(current, "What could not be removed is kept.")

    async def _keep_waiting_step(
        self, connection: AsyncConnection, current: Record, step: StepRecord, principal: Principal
    ) -> Decided:
        """Note it for the run, which ends the wait."""
        if not step.keepable:
            return _no(current, "This step cannot be passed over: wait for it, or undo.")
        told = entry(self.means.store, current, "keep.asked", principal.user, {"problem": step.progress})
        changed = await self.means.store.note(connection, current, [told], keep_by=principal)
        self.means.store.changes.notify(changed)
        return _yes(current, "It stays as it is.")

    def _stored(self, changed: Record, *, begin: bool | None = None) -> None:
        self.means.store.changes.notify(changed)
        if begin or (begin is None and changed.stage is Stage.RECHECK):
            self.begin(changed)

    async def _may(self, ask: Ask, operation: str, principal: Principal) -> Decided | None:
        current = await self.means.store.read(operation)
        decision = await ask(view(current), principal)
        if isinstance(decision, Denied):
            return Decided(accepted=False, text=decision.sentence, operation=operation, refused=True)
        return None


def late_answer(
    current: Record, digest: str, principal: Principal, approved: bool, *, old: bool = False
) -> Decided | None:
    """Return the answer to a decision that changes nothing (repeated, late, about another plan), else None."""
    if current.stage is Stage.AWAIT and digest == current.digest and not old:
        return None
    if digest != current.digest and any(one.digest == digest for one in current.voided):
        return _no(current, "The plan has changed since. Look at the new one and decide on that.")
    earlier = next((one for one in reversed(current.approvals) if one.digest == digest), None)
    if earlier is not None:
        if earlier.principal.user == principal.user and earlier.approved == approved:
            return _accepted(current, approved)
        who = "You have" if earlier.principal.user == principal.user else f"{earlier.principal.display_name} has"
        what = "approved" if earlier.approved else "rejected"
        return _no(current, f"{who} already {what} this plan; your click changed nothing.")
    if digest != current.digest or current.stage is Stage.AWAIT:
        return _no(current, "The plan has changed since. Look at the new one and decide on that.")
    match current.state:
        case State.EXPIRED:
            return _no(current, "This approval has expired. Ask again with the command.")
        case State.UNDONE:
            return _no(current, "It was withdrawn before anybody decided.")
        case _:
            return _no(current, "This plan does not wait for an approval.")


def _undo_answer(current: Record, principal: Principal) -> Decided | None:
    if current.undo_by is not None:
        if current.undo_by.user == principal.user:
            return _yes(current, "It is being undone.")
        return _no(current, f"{current.undo_by.display_name} has already asked to undo it.")
    if current.stage is Stage.UNDO:
        return _no(current, "It is being undone already.")
    match current.state:
        case State.UNDONE:
            return _no(current, "It is undone already; nothing is left.")
        case State.FAILED | State.EXPIRED | State.REJECTED:
            return _no(current, "There is nothing to undo.")
        case _:
            return None


def _rejected(principal: Principal, reason: str) -> dict[str, Any]:
    because = f": {reason.rstrip('.')}." if reason else "."
    problem = f"{principal.display_name} rejected it{because} Nothing was changed."
    return {
        "state": State.REJECTED,
        "stage": Stage.DONE,
        "reason": Reason.REJECTED,
        "cause": problem,
        "problem": problem,
    }


def _stuck(current: Record) -> bool:
    return any(step.state is StepState.STUCK for step in current.steps)


def _waiting(current: Record) -> StepRecord | None:
    """Return the step that is being waited for and does not move."""
    if current.stage is not Stage.APPLY:
        return None
    return next((step for step in current.steps if step.stalled and step.state is StepState.RUNNING), None)


def _accepted(current: Record, approved: bool) -> Decided:
    return _yes(current, "You approved it." if approved else "You rejected it.")


def _yes(current: Record, text: str) -> Decided:
    return Decided(accepted=True, text=text, operation=current.id)


def _no(current: Record, text: str) -> Decided:
    return Decided(accepted=False, text=text, operation=current.id)
