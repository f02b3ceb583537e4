"""`causeway plan` and `causeway run`: the same commands as in Slack, from a terminal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from bot.app import App, explained, open_app
from bot.client import Client
from bot.command import Context, Query
from bot.errors import NotFound, Refused, UsageError
from bot.http.api import is_settled
from bot.http.tokens import user_of
from bot.intake import new_operation_id, request_of
from bot.logs import configure
from bot.model.canonical import JSON
from bot.model.operation import Asked, OperationView, Reason, State
from bot.model.plan import Plan
from bot.model.principal import Door
from bot.settings import Settings
from bot.terminal.statuses import FAILED, REFUSED, SUCCEEDED, WAITING, WRONG_REQUEST

WAIT_S = 60.0

STATUS: Mapping[State, int] = {
    State.SUCCEEDED: SUCCEEDED,
    State.AWAITING_APPROVAL: WAITING,
    State.REJECTED: REFUSED,
}


async def plan(arguments: argparse.Namespace, settings: Callable[[], Settings]) -> int:
    """Show what would be done; change nothing."""
    values = _given(arguments)
    if arguments.server:
        async with aiohttp.ClientSession() as session:
            answer = await Client(session, arguments.server, arguments.token).plan(arguments.request, values)
    else:
        answer = await _locally(settings(), arguments.token, lambda app: _plan_here(app, arguments, values))
    if "plan" not in answer:
        hint = f"Run it: `causeway run {arguments.request}`."
        raise NotFound(f"`{arguments.request}` only answers; it makes no plan.", hint=hint)
    decision = answer.get("decision") or {}
    _print(arguments, answer, _planned(answer))
    return REFUSED if decision.get("allowed") is False else SUCCEEDED


async def run(arguments: argparse.Namespace, settings: Callable[[], Settings]) -> int:
    """Do it, and wait until it has ended or somebody has to approve."""
    values = _given(arguments)
    if arguments.server:
        answer = await _run_there(arguments, values)
    else:
        answer = await _locally(settings(), arguments.token, lambda app: _run_here(app, arguments, values))
    _print(arguments, answer, _told(answer))
    return exit_status(answer)


def _given(arguments: argparse.Namespace) -> dict[str, JSON]:
    """Raise `Refused` when nobody says who asks: the server would answer in the words of HTTP."""
    if not arguments.token.strip():
        raise Refused("I do not know who you are.", hint="Give --token, or set CAUSEWAY_TOKEN.")
    return read_values(arguments.values)


def read_values(pairs: list[str]) -> dict[str, JSON]:
    """Read `key=text` and `key:=json`. Raise `UsageError` for anything else."""
    values: dict[str, JSON] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip(":"):
            raise UsageError(f"I could not read `--set {pair}`.", hint="Write --set name=orders, or --set count:=3.")
        if key.endswith(":"):
            try:
                values[key[:-1]] = json.loads(text)
            except ValueError:
                raise UsageError(f"What follows `{key}=` is not JSON.", hint='Try --set tags:=["a","b"].') from None
        else:
            values[key] = text
    return values


def exit_status(answer: Mapping[str, Any]) -> int:
    """0 succeeded, 1 failed and undone, 2 wrong request, 3 refused, 4 waiting for approval."""
    if "state" not in answer:  # a query's answer
        return SUCCEEDED
    if answer.get("reason") == Reason.WRONG_REQUEST:
        return WRONG_REQUEST
    return STATUS.get(State(answer["state"]), FAILED)


async def _locally(settings: Settings, token: str, act: Callable[[App], Any]) -> dict[str, Any]:
    configure("ERROR")
    # Before anything is opened: who may not look leaves no database behind.
    user_of([(known.user, known.sha256) for known in settings.configuration.api_tokens], f"Bearer {token}")
    async with open_app(settings) as app:
        answer: dict[str, Any] = await act(app)
        return answer


async def _plan_here(app: App, arguments: argparse.Namespace, values: Mapping[str, JSON]) -> dict[str, Any]:
    planned = await app.operations.dry_run(_asked(app, arguments, values))
    return {
        "plan": planned.plan.model_dump(mode="json"),
        "digest": planned.plan.digest,
        "decision": explained(planned),
    }


async def _run_here(app: App, arguments: argparse.Namespace, values: Mapping[str, JSON]) -> dict[str, Any]:
    command = app.registry.get(arguments.request)
    if isinstance(command, Query):
        principal = app.tokens.principal(f"Bearer {arguments.token}")
        context = Context(operation=new_operation_id(), principal=principal, door=Door.CLI, now=app.clock())
        answer = await app.answer(command, request_of(command, values), context)
        return {"text": answer.text, "data": answer.data}
    stored = await app.operations.submit(_asked(app, arguments, values))
    view: OperationView = await app.operations.wait(stored.id, is_settled)
    return view.model_dump(mode="json", exclude={"buttons"})


def _asked(app: App, arguments: argparse.Namespace, values: Mapping[str, JSON]) -> Asked:
    command = app.registry.changing(arguments.request)
    return Asked(
        operation=new_operation_id(),
        command=command.name,
        request=request_of(command, values).model_dump(mode="json"),
        principal=app.tokens.principal(f"Bearer {arguments.token}"),
        door=Door.CLI,
        now=app.clock(),
    )


async def _run_there(arguments: argparse.Namespace, values: Mapping[str, JSON]) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        client = Client(session, arguments.server, arguments.token)
        answer = await client.run(arguments.request, values, wait_s=WAIT_S)
        while "state" in answer and not (State(answer["state"]).final or answer["state"] == State.AWAITING_APPROVAL):
            answer = await client.operation(answer["id"], wait_s=WAIT_S)
        return answer


def _print(arguments: argparse.Namespace, answer: Mapping[str, Any], text: str) -> None:
    print(json.dumps(answer, ensure_ascii=False) if arguments.json else text)  # noqa: T201  # what was asked for


def _planned(answer: Mapping[str, Any]) -> str:
    plan = Plan.model_validate(answer["plan"])
    lines = [plan.summary, *(f"  {number}. {step.text}" for number, step in enumerate(plan.steps, 1))]
    lines += [f"  {note}" for note in plan.notes]
    decision = answer.get("decision") or {}
    approval = decision.get("approval")
    if decision.get("allowed") is False:
        lines.append(f"Refused: {decision['because']}")
    elif approval:
        lines.append(f"Needs approval: {approval['rule']}.")
    else:
        lines.append("Needs no approval.")
    return "\n".join([*lines, f"Digest {answer['digest']}. Nothing was changed."])


def _told(answer: Mapping[str, Any]) -> str:
    if "state" not in answer:
        return str(answer.get("text", ""))
    view = OperationView.model_validate({**answer, "buttons": {}})
    title = view.plan.summary if view.plan else view.command
    lines = [f"{title}: {view.state.value.replace('_', ' ')} ({view.id})"]
    lines += [f"  {step.state.value:<8} {step.outcome.seen if step.outcome else step.text}" for step in view.steps]
    if view.problem:
        lines.append(view.problem)
    lines += [f"  left: {step.problem} Run: {step.command}" for step in view.leftovers]
    if view.need is not None and view.state is State.AWAITING_APPROVAL:
        lines.append(
            f"Waiting: {view.need.rule}. Approve the card in Slack, or POST /api/v1/operations/{view.id}/approve."
        )
    return "\n".join(lines)
