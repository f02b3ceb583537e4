"""The sentences of a card: what goes on, in words that also stand alone in a notification. Plain text, unescaped."""

from __future__ import annotations

from bot.model.operation import Approval, OperationView, Reason, State, StepState, StepView
from bot.model.principal import Door

STEP_WORDS: dict[StepState, tuple[str, str]] = {
    StepState.PENDING: ("○", "To do"),
    StepState.RUNNING: ("▶", "Working"),
    StepState.DONE: ("✓", "Done"),
    StepState.FAILED: ("✗", "Failed"),
    StepState.UNDOING: ("↺", "Taking back"),
    StepState.UNDONE: ("↩", "Taken back"),
    StepState.KEPT: ("■", "Kept"),
    StepState.STUCK: ("!", "Stuck"),
}
"""A sign for the eye and a word for the ear."""

_UNDOING = frozenset({StepState.FAILED, StepState.UNDOING, StepState.UNDONE, StepState.KEPT, StepState.STUCK})


def title(view: OperationView) -> str:
    """Return what it is about; without a plan, what was asked for."""
    if view.plan:
        return view.plan.summary
    service = view.request.get("service")
    return f"{spoken(view.command)} {service}" if service else spoken(view.command)


def spoken(command: str) -> str:
    """`service.create` → `/service create`."""
    return "/" + command.replace(".", " ")


def name(reference: str) -> str:
    """Return how people call what an entity reference names: `team-orders` for `group:default/team-orders`."""
    return reference.rpartition("/")[2].rpartition(":")[2]


def either(names: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def approvers(view: OperationView) -> str:
    return either(sorted(map(name, view.need.approvers))) if view.need and view.need.approvers else "nobody yet known"


def rejection(view: OperationView) -> Approval | None:
    return next((a for a in reversed(view.approvals) if not a.approved), None)


def undoing(view: OperationView) -> bool:
    """Return whether the operation has turned round: steps are being taken back."""
    return any(step.state in _UNDOING for step in view.steps)


def kept(view: OperationView) -> str:
    """Return what was seen when a person ended a wait with `keep`; empty where nobody did."""
    return next((step.outcome.seen for step in view.steps if step.outcome and step.outcome.kept), "")


def begun(view: OperationView) -> bool:
    return any(step.state is not StepState.PENDING for step in view.steps)


def count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def headline(view: OperationView) -> tuple[str, str]:
    """Return the state in a few words, and the sentence that follows them (may be empty)."""
    match view.state:
        case State.PLANNED if view.behind:
            return "In line.", f"It begins when “{view.behind.summary}”, asked by {view.behind.by}, has ended."
        case State.PLANNED:
            return "Working out the plan.", "Nothing has been changed yet."
        case State.AWAITING_APPROVAL:
            return f"Waiting for approval by {approvers(view)}.", "Nothing has been changed yet."
        case State.RUNNING:
            return _running(view)
        case State.SUCCEEDED:
            return _succeeded(view)
        case State.UNDONE if not begun(view):
            return "Withdrawn, as asked.", "Nothing was changed."
        case State.UNDONE if view.reason is Reason.ASKED_TO_UNDO:
            return "Undone, as asked.", "Everything this had made was taken back."
        case State.UNDONE:
            return "Failed, and nothing is left behind.", "Everything done before the failure was taken back."
        case State.EXPIRED:
            return (
                "Expired.",
                f"Nobody decided in time, and nothing was changed. Ask again with {spoken(view.command)}.",
            )
        case State.REJECTED:
            return _rejected(view)
        case State.FAILED if view.leftovers:
            return (
                "Failed, and something is left behind.",
                "A person is needed: see what is left, and how to remove it.",
            )
        case _:
            return "Failed.", "" if begun(view) else "Nothing was changed."


def _running(view: OperationView) -> tuple[str, str]:
    if undoing(view):
        left = sum(step.state in (StepState.DONE, StepState.UNDOING, StepState.STUCK) for step in view.steps)
        return "Taking back what was done.", f"{count(left, 'step')} to go." if left else ""
    done = sum(step.state is StepState.DONE for step in view.steps)
    if view.stalled:
        return "Stuck, and still looking.", ended(view.stalled.progress)
    current = next((step.text for step in view.steps if step.state is StepState.RUNNING), "")
    progress = f"{done} of {count(len(view.steps), 'step')} done."
    return "Working.", f"{progress} Now: {ended(current)}" if current else progress


def _succeeded(view: OperationView) -> tuple[str, str]:
    as_it_is = kept(view)
    if as_it_is:
        return "Kept as it is, and not followed any more.", ended(as_it_is)
    return "Done.", f"{_all(len(view.steps))} finished." if view.steps else ""


def _rejected(view: OperationView) -> tuple[str, str]:
    rejected = rejection(view)
    if rejected is None:
        return "Not allowed.", "Nothing was changed."
    reason = f" Reason given: {ended(rejected.reason)}" if rejected.reason else ""
    return f"Rejected by {rejected.principal.display_name}.", f"Nothing was changed.{reason}"


def _all(steps: int) -> str:
    return "The step" if steps == 1 else "Both steps" if steps == 2 else f"All {steps} steps"


def ended(sentence: str) -> str:
    """Return the sentence with a full stop, if it has no ending yet."""
    return sentence if sentence.endswith((".", "!", "?", "…", ":")) else f"{sentence}."


def seen(step: StepView, state: State) -> str:
    """Return what a step's line says: what it will do, or, on the receipt, what was seen of it."""
    if step.state is StepState.UNDONE and step.undone:
        return step.undone.seen
    if step.state is StepState.DONE and step.outcome and state.final:
        return step.outcome.seen
    return step.text


def door(view: OperationView) -> str:
    match view.door:
        case Door.SLACK:
            return f"with {spoken(view.command)}"
        case Door.CLI:
            return "from the command line"
        case Door.HTTP:
            return "through the API"
        case Door.FORGE:
            return "by a pull request" if view.command.startswith("preview.") else "by merging a change"
        case Door.AGENDA:
            return "when its time had come"


def sentence(view: OperationView) -> str:
    """Return the whole state as one line of text, for notifications and screen readers."""
    status, more = headline(view)
    problem = view.problem.partition("\n")[0] if view.state.final or undoing(view) else ""
    left = "; ".join(step.text for step in view.leftovers) if view.state.final else ""
    voided = "The plan changed, so earlier approvals no longer count." if waiting_again(view) else ""
    parts = [
        f"{title(view)}:",
        status[:1].lower() + status[1:],
        problem,
        more,
        voided,
        f"Left behind: {ended(left)}" if left else "",
    ]
    asked = f"Asked by {view.principal.display_name}."
    return " ".join(part for part in (*parts, asked) if part)


def waiting_again(view: OperationView) -> bool:
    return bool(view.voided) and view.state in (State.PLANNED, State.AWAITING_APPROVAL)
