"""The card: one message for one operation, from "asked" to the receipt. Pure: a view in, a message out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.model.canonical import JSON
from bot.model.operation import OperationView, State, StepState, StepView
from bot.model.plan import Detail, Offer
from bot.slack import blocks, limits, words
from bot.slack.message import CARD_EVENT, MESSAGE_EVENT, Block, Message, TextFile
from bot.slack.mrkdwn import code, cut, escape, link, local_time, mention, said

ACTIONS = "operation"
"""The block with the buttons."""

STEPS_SHOWN = 40
"""More steps than this are counted, not listed; the thread has them all."""

_LINE = 400
"""Longest line of a step, in code points."""


def card(view: OperationView, *, now: datetime) -> Message:
    """Return the card for an operation as it is at `now`."""
    body = [
        blocks.header(words.title(view)),
        _status(view, now),
        *_voided(view),
        *_problem(view),
        *_highlights(view),
        *_steps(view),
        *_leftovers(view),
        *_links(view),
        *_notes(view),
        _people(view),
        *_buttons(view),
    ]
    return Message(
        text=cut(escape(words.sentence(view).replace("`", "")), limits.MESSAGE_TEXT),
        blocks=tuple(blocks.guarded(body, keep_last=2)),
        metadata=_metadata(view),
    )


def thread(view: OperationView) -> list[Message]:
    """Return the details for the card's thread: the whole plan, then the contents it speaks of."""
    if view.plan is None:
        return [_note(view, "There is no plan yet, so there are no details. Ask again in a moment.")]
    steps = [f"{number}. {said(cut(step.text, _LINE))}" for number, step in enumerate(view.plan.steps, 1)]
    read = [f"• {escape(cut(revision.of, _LINE))} at {code(revision.at[:12])}" for revision in view.plan.revisions]
    body = [
        *blocks.lines([f"*The plan:* {words.count(len(steps), 'step')}", *steps]),
        *(blocks.lines(["*What was read to make it*", *read]) if read else []),
        blocks.context(f"Digest {code(view.digest or view.plan.digest)}: an approval holds for exactly this plan."),
    ]
    listing = _note(view, f"The plan of {words.title(view)}, {words.count(len(steps), 'step')}.", body)
    return [listing, *_details(view, view.plan.details)]


# --- What is going on -----------------------------------------------------------------------------------------------


def _status(view: OperationView, now: datetime) -> Block:
    status, more = words.headline(view)
    # Why a step is stuck, or was, is told with code in it, as problems are.
    told = said(more) if view.stalled or words.kept(view) else escape(more)
    text = f"*{escape(status)}* {told}".rstrip()
    if view.state is State.AWAITING_APPROVAL and view.due_at:
        text += f"\nIt expires {_until(view.due_at, now)}."
    return blocks.section(text)


def _until(due: datetime, now: datetime) -> str:
    minutes = int((due - now).total_seconds() // 60)
    if minutes < 1:
        return "any moment now"
    if minutes < 120:
        return f"in {words.count(minutes, 'minute')}, {local_time(due)}"
    return f"{local_time(due)}"


def _problem(view: OperationView) -> list[Block]:
    """What failed and what to do, on its own; the steps below show where."""
    if not view.problem:
        return []
    first, *mistakes = view.problem.split("\n")
    return blocks.lines([f"*What happened:* {said(first)}", *map(said, mistakes)])


def _highlights(view: OperationView) -> list[Block]:
    """What somebody should read before they decide, and what the receipt repeats."""
    if view.plan is None or not view.plan.highlights:
        return []
    return blocks.lines(blocks.fold([said(cut(line, _LINE)) for line in view.plan.highlights], 12, "… and {} more"))


def _voided(view: OperationView) -> list[Block]:
    if not words.waiting_again(view):
        return []
    latest = view.voided[-1]
    changes = blocks.fold([f"• {escape(cut(change, _LINE))}" for change in latest.changes], 8, "• and {} more")
    again = "Earlier approvals no longer count" if view.state is State.AWAITING_APPROVAL else "A new plan is being made"
    return blocks.lines([f"*The world changed since the last plan.* {again}. What changed:", *changes])


def _steps(view: OperationView) -> list[Block]:
    """The plan as a numbered list while it waits; each step with its state once it runs."""
    if view.state in (State.REJECTED, State.EXPIRED):
        return []
    if view.state in (State.PLANNED, State.AWAITING_APPROVAL):
        planned = view.plan.steps if view.plan else ()
        heading = "*What will be done*"
        texts = [f"{number}. {said(cut(step.text, _LINE))}" for number, step in enumerate(planned, 1)]
    else:
        heading = "*Steps*"
        texts = [_step(step, view) for step in view.steps]
    return blocks.lines([heading, *blocks.fold(texts, STEPS_SHOWN, "and {} more steps")]) if texts else []


def _step(step: StepView, view: OperationView) -> str:
    sign, word = words.STEP_WORDS[step.state]
    if step.state is StepState.DONE and step.outcome and step.outcome.kept:
        return f"{words.STEP_WORDS[StepState.KEPT][0]} *Ended by hand:* {said(cut(step.text, _LINE))}"
    if step.state is StepState.DONE and step.outcome and not step.outcome.changed and not step.passive:
        word = "Already there"
    elif step.state is StepState.PENDING and (view.state.final or words.undoing(view)):
        sign, word = "–", "Not begun"
    line = f"{sign} *{word}:* {said(cut(words.seen(step, view.state), _LINE))}"
    told_above = step.problem == view.problem
    if step.problem and not told_above and step.state in (StepState.FAILED, StepState.RUNNING):
        line += f"\n      {said(cut(step.problem, _LINE))}"
    if step.progress and not step.stalled:  # why a step is stuck stands at the top already
        line += f"\n      {said(cut(step.progress, _LINE))}"
    return line


def _leftovers(view: OperationView) -> list[Block]:
    """What is still there although it should be gone, and the command with which a person removes it."""
    return [block for step in view.leftovers[:5] for block in _leftover(step)]


def _leftover(step: StepView) -> Iterable[Block]:
    _, word = words.STEP_WORDS[step.state]
    why = step.undone.seen if step.undone else step.problem
    text = f"*Left behind ({word.lower()}):* {escape(words.ended(step.text))} {said(words.ended(why) if why else '')}"
    if step.retry_at:
        text += f" It is tried again {local_time(step.retry_at)}."
    command = step.command or (step.undone.command if step.undone else "")
    yield blocks.section(f"{text.strip()}{' To remove it yourself, run:' if command else ''}")
    shown = blocks.preformatted(command) if command else None
    if shown:
        yield shown


def _links(view: OperationView) -> list[Block]:
    """Links that lead somewhere: those of the plan only once it is done, those of steps while they stand."""
    found: dict[str, str] = {}
    for step in view.steps:
        if step.state is StepState.DONE and step.outcome:
            found |= dict(step.outcome.links)
    if view.plan and view.state is State.SUCCEEDED:
        found = dict(view.plan.links) | found
    texts = [link(url, label) for label, url in found.items() if len(url) < limits.URL // 2]
    return [blocks.section(cut_list(texts))] if texts else []


def cut_list(texts: list[str]) -> str:
    """Join with middle dots what fits into one section; nothing is torn apart."""
    joined = ""
    for text in texts:
        longer = f"{joined}  ·  {text}" if joined else text
        if len(longer) > limits.TEXT:
            break
        joined = longer
    return joined


def _notes(view: OperationView) -> list[Block]:
    if view.plan is None or view.state is not State.SUCCEEDED:
        return []
    return blocks.lines([said(cut(note, limits.TEXT // 2)) for note in view.plan.notes[:5]])


# --- Who ------------------------------------------------------------------------------------------------------------


def _people(view: OperationView) -> Block:
    asker = mention(view.principal.slack_user, view.principal.display_name)
    texts = [f"Asked by {asker} {escape(words.door(view))}, {local_time(view.created_at)}"]
    if view.plan and view.plan.owner:
        texts.append(f"For {escape(words.name(view.plan.owner))}")
    texts += [
        f"{'Approved' if one.approved else 'Rejected'} by "
        f"{mention(one.principal.slack_user, one.principal.display_name)}, {local_time(one.at)}"
        for one in view.approvals
        if one.digest == view.digest
    ]
    if view.need and view.state is State.AWAITING_APPROVAL:
        texts.append(f"Rule: {escape(cut(view.need.rule, _LINE))}")
    if view.patience and view.stalled and view.patience.progress == view.stalled.progress:
        who = mention(view.patience.principal.slack_user, view.patience.principal.display_name)
        texts.append(f"{who} has seen it and waits")
    if view.state.final:
        texts.append(f"Ended {local_time(view.updated_at)}")
    plan = f", plan {code(view.digest[:8])}" if view.digest else ""
    return blocks.context(*texts, f"Operation {code(view.id)}{plan}")


# --- What one can do ------------------------------------------------------------------------------------------------


def _buttons(view: OperationView) -> list[Block]:
    """Buttons of the engine's choice, then Details: reading needs no single-use id, so its value is the operation's."""
    order = {"approve": 0, "reject": 1, "wait": 0, "keep": 1, "extend": 2, "delete": 6, "undo": 7, "details": 9}
    values = dict(view.buttons) | ({"details": view.id} if view.plan else {})
    made = {action: _button(action, value, view) for action, value in values.items()} | _offers(view)
    buttons = [made[action] for action in sorted(made, key=lambda action: (order.get(action, 5), action))]
    return [blocks.actions(buttons, block_id=ACTIONS)] if buttons else []


def _offers(view: OperationView) -> dict[str, Block]:
    """What can be asked from here: once all is done, and while a step is stuck that may be passed over."""
    if view.plan is None or not ("keep" in view.buttons or view.state is State.SUCCEEDED):
        return {}
    return {offer.action: _offer(offer, view) for offer in view.plan.offers}


def _offer(offer: Offer, view: OperationView) -> Block:
    """Its value is the operation: asking twice is asking once, whoever clicks is asked of policy then."""
    sure = None
    if offer.confirm:
        sure = blocks.confirm(f"{offer.label}?", offer.confirm, yes=offer.label, style="danger")
    return blocks.button(
        offer.label,
        offer.action,
        view.id,
        style="danger" if offer.confirm else None,
        confirm=sure,
        spoken=f"{offer.label}: {words.title(view)}",
    )


def _button(action: str, value: str, view: OperationView) -> Block:
    title = words.title(view)
    match action:
        case "approve":
            return blocks.button("Approve", action, value, style="primary", spoken=f"Approve: {title}")
        case "reject":
            sure = blocks.confirm(
                "Reject this?",
                f"{cut(title, 180)} will not be done. Whoever wants it has to ask again.",
                yes="Reject",
                style="danger",
            )
            return blocks.button("Reject", action, value, style="danger", confirm=sure, spoken=f"Reject: {title}")
        case "wait":
            return blocks.button("Wait", action, value, spoken=f"Wait: {title}")
        case "keep":
            sure = blocks.confirm(
                "Keep it as it is?",
                f"The card stops following {cut(title, 150)}. What was deployed stays, healthy or not.",
                yes="Keep",
                style="danger",
            )
            return blocks.button("Keep", action, value, confirm=sure, spoken=f"Keep as it is: {title}")
        case "undo" if view.state in (State.AWAITING_APPROVAL, State.PLANNED):
            sure = blocks.confirm(
                "Withdraw this?",
                f"{cut(title, 180)} will not be done. If it has begun meanwhile, it is taken back.",
                yes="Withdraw",
                style="danger",
            )
            return blocks.button("Withdraw", action, value, confirm=sure, spoken=f"Withdraw: {title}")
        case "undo":
            sure = blocks.confirm(
                "Undo this?",
                "What this made is deleted, and what it changed is put back. Work of others since then is kept.",
                yes="Undo",
                style="danger",
            )
            return blocks.button("Undo", action, value, style="danger", confirm=sure, spoken=f"Undo: {title}")
        case _:
            label = action.replace("_", " ").capitalize()
            return blocks.button(label, action, value, spoken=f"{label}: {title}")


# --- Details and metadata -------------------------------------------------------------------------------------------


def _details(view: OperationView, details: tuple[Detail, ...]) -> list[Message]:
    """Short contents as code blocks in one message; when one is too long, or there are many, all in one file."""
    if not details:
        return []
    shown = [blocks.preformatted(detail.text) for detail in details]
    if len(details) <= 5 and all(shown):
        body = [block for d, made in zip(details, shown, strict=True) if made for block in (_titled(d), made)]
        return [_note(view, f"{words.count(len(details), 'detail')} of the plan.", body)]
    text = "\n".join(f"{'=' * 8} {detail.title} {'=' * 8}\n\n{detail.text}\n" for detail in details)
    title = f"{words.count(len(details), 'detail')} of the plan"
    return [Message(text=f"{title}, as a file.", file=TextFile(name=f"plan-{view.id}.txt", title=title, text=text))]


def _titled(detail: Detail) -> Block:
    return blocks.section(f"*{escape(cut(detail.title, _LINE))}*")


def _note(view: OperationView, text: str, body: Iterable[Block] = ()) -> Message:
    payload: dict[str, JSON] = {"operation": view.id}
    return Message(
        text=cut(escape(text), limits.MESSAGE_TEXT),
        blocks=tuple(blocks.guarded(body, keep_last=1)),
        metadata={"event_type": MESSAGE_EVENT, "event_payload": payload},
    )


def _metadata(view: OperationView) -> dict[str, JSON]:
    return {
        "event_type": CARD_EVENT,
        "event_payload": {
            "operation": view.id,
            "command": view.command,
            "state": view.state.value,
            "digest": view.digest or "",
        },
    }
