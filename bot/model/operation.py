"""An operation: one durable run of one plan, as doors and cards see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from bot.model.canonical import JSON
from bot.model.effect import Outcome, Undone
from bot.model.plan import Plan
from bot.model.principal import Door, Principal


class State(StrEnum):
    """`planned → awaiting_approval → running → succeeded | failed | undone | expired | rejected`."""

    PLANNED = "planned"
    """Stored; facts are being read and the plan is being made, or it has just been made."""
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    """Effects are being applied, or undone after a failure (see the steps)."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Could not be planned, or something is left that needs a person (see `leftovers`)."""
    UNDONE = "undone"
    """An effect failed or a person asked for undo, and everything was taken back."""
    EXPIRED = "expired"
    REJECTED = "rejected"
    """Refused by policy, or by an approver."""

    @property
    def final(self) -> bool:
        return self not in (State.PLANNED, State.AWAITING_APPROVAL, State.RUNNING)


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    KEPT = "kept"
    """Not undone because others changed it since, or because a person chose to keep it."""
    STUCK = "stuck"
    """The undo failed; it is tried again on a schedule and shown until proved gone."""


class Reason(StrEnum):
    """Why an operation ended as it did; doors turn it into exit codes and HTTP statuses."""

    WRONG_REQUEST = "wrong_request"
    REFUSED_BY_POLICY = "refused_by_policy"
    REJECTED = "rejected"
    EXPIRED = "expired"
    EFFECT_FAILED = "effect_failed"
    ASKED_TO_UNDO = "asked_to_undo"
    FAULT = "fault"
    """Our defect; the text holds a reference to quote."""


class Origin(BaseModel, frozen=True, extra="forbid"):
    """Where the answer belongs. All parts are optional: a CLI request has no channel."""

    slack_channel: str | None = None
    """The channel (`C…`) in which the command was typed."""
    slack_user: str | None = None
    slack_draft: str | None = None
    """The kept form that made the request, to open it again if the request is refused."""
    beside: str = ""
    """The card, by its id in the outbox, in whose thread the outcome is told. The operation then has a card of its own
    only where somebody has to decide about it. Empty: it has one."""


class Asked(BaseModel, frozen=True, extra="forbid"):
    """A request as it is stored before it is acknowledged. Time and id are frozen here and are facts from then on."""

    operation: str
    command: str
    """`service.create`."""
    request: dict[str, JSON]
    """The typed request's JSON form."""
    principal: Principal
    door: Door
    now: datetime
    origin: Origin = Origin()


class Need(BaseModel, frozen=True, extra="forbid"):
    """Who must approve, as policy decided it for this plan."""

    approvers: frozenset[str]
    """Full entity references of users and groups, any one of whom suffices."""
    rule: str
    """The configured rule that decided, in words for a person."""
    self_approval: bool = False


class Approval(BaseModel, frozen=True, extra="forbid"):
    """One decision of one person on one digest."""

    principal: Principal
    digest: str
    approved: bool
    at: datetime
    reason: str = ""


class StepView(BaseModel, frozen=True, extra="forbid"):
    id: str
    text: str
    state: StepState
    outcome: Outcome | None = None
    undone: Undone | None = None
    problem: str = ""
    """One sentence a person may read."""
    progress: str = ""
    """How a step that takes its time is getting on; of a stalled one, why nothing moves and what to do next."""
    stalled: bool = False
    passive: bool = False
    """It only waits, asks or tells."""
    command: str = ""
    """What a person runs when the step is stuck or kept."""
    retry_at: datetime | None = None


class Behind(BaseModel, frozen=True, extra="forbid"):
    """The operation of the same lane that has to end first."""

    operation: str
    summary: str
    by: str
    """Display name of who asked for it."""


class Patience(BaseModel, frozen=True, extra="forbid"):
    """Somebody has seen that a step is stuck, and waits."""

    principal: Principal
    progress: str
    """What was reported then: another report is another question."""


class Voided(BaseModel, frozen=True, extra="forbid"):
    """An earlier plan of the same operation whose approval no longer counts, and what moved."""

    digest: str
    changes: tuple[str, ...]
    at: datetime


class OperationView(BaseModel, frozen=True, extra="forbid"):
    """Everything a card, an API answer or a receipt says about one operation."""

    id: str
    command: str
    request: dict[str, JSON]
    principal: Principal
    door: Door
    origin: Origin
    state: State
    reason: Reason | None = None
    problem: str = ""
    """Why it did not succeed: what happened, then what to do. Empty while all is well."""
    plan: Plan | None = None
    digest: str | None = None
    need: Need | None = None
    approvals: tuple[Approval, ...] = ()
    voided: tuple[Voided, ...] = ()
    steps: tuple[StepView, ...] = ()
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None = None
    """When the wait for approval expires."""
    behind: Behind | None = None
    """Planned, perhaps approved, and waiting for its turn."""
    patience: Patience | None = None
    buttons: Mapping[str, str] = Field(default_factory=dict)
    """Action (`approve`, `undo`, `wait`, …) → opaque single-use id, for the state the operation is in now."""
    revision: int = 0
    """Grows with every change; a card never goes back to a lower one."""

    @property
    def stalled(self) -> StepView | None:
        """The step that is being waited for and does not move."""
        return next((step for step in self.steps if step.stalled and step.state is StepState.RUNNING), None)

    @property
    def leftovers(self) -> tuple[StepView, ...]:
        """Steps whose result still exists although the operation should have left nothing."""
        return tuple(step for step in self.steps if step.state in (StepState.STUCK, StepState.KEPT))


class Decided(BaseModel, frozen=True, extra="forbid"):
    """The answer to a click or call that decides something. The same question gets the same answer every time."""

    accepted: bool
    text: str
    operation: str | None = None
    refused: bool = False
    """True when the person may not decide this (policy), as opposed to being late or mistaken."""
