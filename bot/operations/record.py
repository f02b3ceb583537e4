"""An operation as its row holds it, and the view that doors and cards get of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Row

from bot.model.effect import Outcome, Undone
from bot.model.operation import (
    Approval,
    Asked,
    Behind,
    Need,
    OperationView,
    Patience,
    Reason,
    State,
    StepState,
    StepView,
    Voided,
)
from bot.model.plan import Plan
from bot.model.principal import Principal


class Stage(StrEnum):
    """What a run of the operation has to do next."""

    PLAN = "plan"
    AWAIT = "await"
    """Nothing: a person decides first."""
    QUEUE = "queue"
    """Nothing: another operation of the same lane ends first."""
    RECHECK = "recheck"
    """Approved: read the facts again, then apply."""
    APPLY = "apply"
    UNDO = "undo"
    DONE = "done"


class StepRecord(BaseModel, frozen=True, extra="forbid"):
    """How far one effect of the plan has come."""

    state: StepState = StepState.PENDING
    outcome: Outcome | None = None
    undone: Undone | None = None
    problem: str = ""
    progress: str = ""
    stalled: bool = False
    keepable: bool = False
    command: str = ""
    tries: int = 0
    """How often the undo was given up."""
    retry_at: datetime | None = None


class Record(BaseModel, frozen=True):
    """One row of `operations`, parsed."""

    asked: Asked
    state: State = State.PLANNED
    stage: Stage = Stage.PLAN
    reason: Reason | None = None
    cause: str = ""
    """Why it did not succeed; `problem` adds what that led to."""
    problem: str = ""
    plan: Plan | None = None
    digest: str | None = None
    need: Need | None = None
    approvals: tuple[Approval, ...] = ()
    voided: tuple[Voided, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    buttons: Mapping[str, str] = {}
    undo_by: Principal | None = None
    keep_by: Principal | None = None
    patience: Patience | None = None
    lane: str | None = None
    behind: Behind | None = None
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None = None
    revision: int = 0
    lease_token: int = 0

    @property
    def id(self) -> str:
        return self.asked.operation

    def with_step(self, index: int, step: StepRecord) -> tuple[StepRecord, ...]:
        return (*self.steps[:index], step, *self.steps[index + 1 :])


_approvals = TypeAdapter(tuple[Approval, ...])
_voided = TypeAdapter(tuple[Voided, ...])
_steps = TypeAdapter(tuple[StepRecord, ...])

_FROM_JSON: dict[str, Any] = {
    "asked": Asked.model_validate_json,
    "plan": Plan.model_validate_json,
    "need": Need.model_validate_json,
    "undo_by": Principal.model_validate_json,
    "keep_by": Principal.model_validate_json,
    "patience": Patience.model_validate_json,
    "behind": Behind.model_validate_json,
    "approvals": _approvals.validate_json,
    "voided": _voided.validate_json,
    "steps": _steps.validate_json,
    "buttons": json.loads,
    "state": State,
    "stage": Stage,
    "reason": Reason,
}
_TO_JSON: dict[str, Any] = {
    "asked": Asked.model_dump_json,
    "plan": Plan.model_dump_json,
    "need": Need.model_dump_json,
    "undo_by": Principal.model_dump_json,
    "keep_by": Principal.model_dump_json,
    "patience": Patience.model_dump_json,
    "behind": Behind.model_dump_json,
    "approvals": lambda value: _approvals.dump_json(value).decode(),
    "voided": lambda value: _voided.dump_json(value).decode(),
    "steps": lambda value: _steps.dump_json(value).decode(),
    "buttons": json.dumps,
}
_TIMES = ("created_at", "updated_at", "due_at")


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a `Record` as columns of its row."""
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if value is None:
            values[name] = None
        elif name in _TIMES:
            values[name] = value.timestamp()
        else:
            values[name] = _TO_JSON[name](value) if name in _TO_JSON else value
    return values


def record(row: Row[Any]) -> Record:
    """Parse a row of `operations`. Our own JSON needs no second validation beyond its own types."""
    fields = {name: getattr(row, name) for name in Record.model_fields}
    for name, read in _FROM_JSON.items():
        if fields[name] is not None:
            fields[name] = read(fields[name])
    for name in _TIMES:
        if fields[name] is not None:
            fields[name] = moment(fields[name])
    return Record.model_construct(**fields)


def view(of: Record) -> OperationView:
    """Return what everybody outside of the engine sees."""
    asked = of.asked
    return OperationView(
        id=of.id,
        command=asked.command,
        request=asked.request,
        principal=asked.principal,
        door=asked.door,
        origin=asked.origin,
        state=of.state,
        reason=of.reason,
        problem=of.problem,
        plan=of.plan,
        digest=of.digest,
        need=of.need,
        approvals=of.approvals,
        voided=of.voided,
        steps=_step_views(of),
        created_at=of.created_at,
        updated_at=of.updated_at,
        due_at=of.due_at if of.state is State.AWAITING_APPROVAL else None,
        behind=of.behind if of.stage is Stage.QUEUE else None,
        patience=of.patience,
        buttons=of.buttons,
        revision=of.revision,
    )


def _step_views(of: Record) -> tuple[StepView, ...]:
    if of.plan is None:
        return ()
    return tuple(
        StepView(
            id=planned.id,
            text=planned.text,
            state=step.state,
            outcome=step.outcome,
            undone=step.undone,
            problem=step.problem,
            progress=step.progress if step.state is StepState.RUNNING else "",
            passive=planned.passive,
            stalled=step.stalled and step.state is StepState.RUNNING,
            command=step.command,
            retry_at=step.retry_at,
        )
        for planned, step in zip(of.plan.steps, of.steps, strict=True)
    )
