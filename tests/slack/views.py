"""Operation views for tests: one small story, at any of its moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model.effect import Outcome, StoredEffect, Undo, Undone
from bot.model.operation import (
    Approval,
    Behind,
    Need,
    OperationView,
    Origin,
    Patience,
    Reason,
    State,
    StepState,
    StepView,
    Voided,
)
from bot.model.plan import Detail, Offer, Plan, Revision, Step
from bot.model.principal import Door, Principal

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AUTHOR = Principal(user="user:default/author", display_name="Sample Author", slack_user="U0AUTHOR")
LEAD = Principal(user="user:default/approver", display_name="Sample Lead")

_TEXTS = {
    "publish": "Create the private repository acme/orders with 24 files",
    "protect": "Protect the branch main of acme/orders",
    "access": "Give team-orders write access to acme/orders",
    "register": "Register component orders in the catalog",
}
_SEEN = {
    "publish": "repository acme/orders, private, main at 1a2b3c4",
    "protect": "main needs one review and a green build",
    "access": "team-orders may write",
    "register": "component:default/orders is in the catalog",
}


def plan(**changes: Any) -> Plan:
    steps = [
        Step(id=name, text=text, effect=StoredEffect(kind=f"test.{name}", version=1, body={"id": name}))
        for name, text in _TEXTS.items()
    ]
    values: dict[str, Any] = {
        "summary": "Create service orders from Python Microservice for team-orders",
        "steps": tuple(steps),
        "revisions": (Revision(of="github:acme/orders", at="absent"),),
        "owner": "group:default/team-orders",
        "details": (Detail(title="platform.yaml", text="kind: WebService\nmetadata: {name: orders}\n"),),
        "links": {"Documentation": "https://docs.example.com/orders"},
        "notes": ("Your first deploy begins when the build is green.",),
    }
    return Plan(**(values | changes))


def steps(*states: StepState, problem: str = "") -> tuple[StepView, ...]:
    """One step for each state, in the story's order."""
    return tuple(_step(name, state, problem) for name, state in zip(_TEXTS, states, strict=True))


def _step(name: str, state: StepState, problem: str) -> StepView:
    values: dict[str, Any] = {}
    if state is StepState.DONE:
        links = {"Repository": "https://github.com/acme/orders"} if name == "publish" else {}
        values["outcome"] = Outcome(seen=_SEEN[name], links=links)
    elif state is StepState.UNDONE:
        values["undone"] = Undone(how=Undo.UNDONE, seen=f"gone: {_SEEN[name]}")
    elif state is StepState.KEPT:
        command = "gh repo delete acme/orders"
        values["undone"] = Undone(how=Undo.KEPT, seen="Two commits by teammate stand in it.", command=command)
    elif state is StepState.STUCK:
        values |= {"problem": "GitHub did not answer.", "command": "gh repo delete acme/orders"}
        values["retry_at"] = MONDAY + timedelta(minutes=5)
    elif state is StepState.FAILED:
        values["problem"] = problem
    return StepView(id=name, text=_TEXTS[name], state=state, **values)


def view(state: State, **changes: Any) -> OperationView:
    made = plan()
    values: dict[str, Any] = {
        "id": "op-7f3k2",
        "command": "service.create",
        "request": {"name": "orders"},
        "principal": AUTHOR,
        "door": Door.SLACK,
        "origin": Origin(slack_channel="C0ORDERS", slack_user="U0AUTHOR"),
        "state": state,
        "plan": made,
        "digest": "3f9a1c2b" * 8,
        "created_at": MONDAY,
        "updated_at": MONDAY + timedelta(minutes=2),
        "revision": 1,
    }
    return OperationView(**(values | changes))


def approved(yes: bool = True, reason: str = "") -> Approval:
    return Approval(
        principal=LEAD, digest="3f9a1c2b" * 8, approved=yes, at=MONDAY + timedelta(minutes=1), reason=reason
    )


NEED = Need(approvers=frozenset({"user:default/approver", "group:default/platform"}), rule="New services need a lead.")
_P, _R, _D, _F, _U = StepState.PENDING, StepState.RUNNING, StepState.DONE, StepState.FAILED, StepState.UNDONE
_FAILURE = "GitHub refused the branch rule: the plan of acme does not allow it. Ask the platform team."

DEPLOY = plan(
    summary="Deploy orders 1a2b3c4 to staging",
    highlights=(
        "Brings 2 commits:",
        "• 1a2b3c4 Keep two decimals (Sample Author)",
        "• 9f8e7d6 Add a column (Sample Lead)",
        "Settings that change:",
        "• replicas: 2 → 4",
        "Database migrations are touched: app/migrations/0007_column.py.",
    ),
    environment="staging",
    offers=(
        Offer(
            action="rollback",
            label="Roll back",
            command="service.rollback",
            request={"service": "orders", "environment": "staging"},
            confirm="orders in staging goes back to the version before, and stays there until a fix is merged.",
            ends_wait=True,
        ),
    ),
    notes=(),
)
CRASHES = (
    "orders in staging is not healthy: 1 of 2 pods of 1a2b3c4 crashes at start (exit code 1, 4 restarts); its last "
    "line is `KeyError: 'DATABASE_URL'`. Set DATABASE_URL in platform.yaml and deploy again, or roll back."
)


def deploying(progress: str, *, stalled: bool = False, **changes: Any) -> OperationView:
    """A deploy in its second step, which waits."""
    first, second, *rest = steps(_D, _R, _P, _P)
    waits = second.model_copy(update={"progress": progress, "stalled": stalled, "text": "Wait until orders is healthy"})
    return view(State.RUNNING, command="service.deploy", plan=DEPLOY, steps=(first, waits, *rest), **changes)


def kept_as_it_is() -> OperationView:
    """A deploy that never became healthy, and that a person left so."""
    first, waited, *rest = steps(_D, _D, _D, _D)
    seen = f"Sample Lead ended the wait: {CRASHES}"
    text = "Wait until orders is healthy"
    waited = waited.model_copy(
        update={"text": text, "passive": True, "outcome": Outcome(seen=seen, changed=False, kept=True)}
    )
    return view(State.SUCCEEDED, command="service.deploy", plan=DEPLOY, steps=(first, waited, *rest))


STORIES: dict[str, OperationView] = {
    "in-line": view(
        State.PLANNED,
        command="service.deploy",
        plan=DEPLOY,
        behind=Behind(operation="op-1", summary="Deploy orders 9f8e7d6 to staging", by="Sample Lead"),
        buttons={"undo": "b-7"},
    ),
    "waiting": deploying("1 of 2 pods are ready.", buttons={"undo": "b-8"}),
    "stalled": deploying(CRASHES, stalled=True, buttons={"wait": "b-9", "keep": "b-10", "undo": "b-11"}),
    "stalled-and-seen": deploying(
        CRASHES,
        stalled=True,
        patience=Patience(principal=LEAD, progress=CRASHES),
        buttons={"keep": "b-10", "undo": "b-11"},
    ),
    "kept": kept_as_it_is(),
    "deployed": view(State.SUCCEEDED, command="service.deploy", plan=DEPLOY, steps=steps(_D, _D, _D, _D)),
    "planned": view(State.PLANNED, plan=None, digest=None),
    "could-not-be-planned": view(
        State.FAILED, plan=None, digest=None, problem="The repository acme/orders exists. Choose another name."
    ),
    "awaiting-approval": view(
        State.AWAITING_APPROVAL,
        need=NEED,
        due_at=MONDAY + timedelta(hours=24),
        buttons={"approve": "b-1", "reject": "b-2"},
        steps=steps(_P, _P, _P, _P),
    ),
    "awaiting-again-after-a-change": view(
        State.AWAITING_APPROVAL,
        need=NEED,
        due_at=MONDAY + timedelta(minutes=50),
        buttons={"approve": "b-4", "reject": "b-5"},
        voided=(Voided(digest="0" * 64, changes=("platform.yaml of the template changed",), at=MONDAY),),
        approvals=(Approval(principal=LEAD, digest="0" * 64, approved=True, at=MONDAY),),
    ),
    "running": view(State.RUNNING, need=NEED, approvals=(approved(),), steps=steps(_D, _R, _P, _P), buttons={}),
    "taking-back": view(State.RUNNING, steps=steps(StepState.UNDOING, _F, _P, _P, problem=_FAILURE), problem=_FAILURE),
    "succeeded": view(State.SUCCEEDED, approvals=(approved(),), steps=steps(_D, _D, _D, _D), buttons={"undo": "b-6"}),
    "undone-after-failure": view(
        State.UNDONE, reason=Reason.EFFECT_FAILED, steps=steps(_U, _F, _P, _P, problem=_FAILURE), problem=_FAILURE
    ),
    "undone-as-asked": view(State.UNDONE, reason=Reason.ASKED_TO_UNDO, steps=steps(_U, _U, _U, _U)),
    "withdrawn": view(State.UNDONE, reason=Reason.ASKED_TO_UNDO, steps=steps(_P, _P, _P, _P)),
    "failed-with-leftovers": view(
        State.FAILED,
        reason=Reason.EFFECT_FAILED,
        steps=steps(StepState.KEPT, StepState.STUCK, _F, _P, problem=_FAILURE),
        problem=_FAILURE,
    ),
    "rejected-by-a-person": view(
        State.REJECTED, reason=Reason.REJECTED, approvals=(approved(False, "Use the existing orders service"),)
    ),
    "refused-by-policy": view(
        State.REJECTED,
        reason=Reason.REFUSED_BY_POLICY,
        plan=None,
        digest=None,
        problem="Only members of team-orders may create services for it. Ask Sample Lead.",
    ),
    "expired": view(State.EXPIRED, need=NEED),
    "fault": view(
        State.FAILED,
        reason=Reason.FAULT,
        steps=steps(_U, _F, _P, _P),
        problem="That did not work, and it is our fault. Quote `a1b2c3` in #platform-help.",
    ),
}
