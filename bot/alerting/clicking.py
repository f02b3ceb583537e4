"""The buttons of an alert's card that ask at once: each asks a command in the name of whoever presses it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from bot.alerting import actions
from bot.alerting.identity import is_group
from bot.alerting.stepping import step_request
from bot.alerting.steps import fingerprint
from bot.errors import NotFound, UsageError
from bot.intake import Registry
from bot.model.alerts import AlertGroup
from bot.model.canonical import JSON
from bot.model.operation import Asked, OperationView, Origin, State
from bot.model.principal import Door
from bot.operations.contracts import Denied, Planned
from bot.ports import AlertBook, Clock
from bot.slack.contracts import Click, OnClick
from bot.slack.help import marked

MOST_AGAIN = 10
"""How often what came to nothing is asked again by one button."""
SIMPLY = {
    actions.ACKNOWLEDGE: "alert.acknowledge",
    actions.ESCALATE: "alert.escalate",
    actions.INCIDENT: "incident.open",
}
"""Buttons that ask a command of the alert alone."""
FORMS = {actions.SILENCE: "alert.silence", actions.ASSIGN: "alert.assign", actions.ADOPT: "alert.adopt"}
"""Buttons that open a form first."""
ASKS = (*SIMPLY, actions.RUNBOOK, actions.ROLLBACK)


class Operations(Protocol):
    """What is needed of the engine (`bot.operations.engine.Operations`)."""

    async def dry_run(self, asked: Asked) -> Planned: ...
    async def submit(self, asked: Asked) -> OperationView: ...


class AlertButtons:
    """The handler of these buttons. Policy judges whoever presses one, then."""

    def __init__(self, book: AlertBook, operations: Operations, registry: Registry, clock: Clock) -> None:
        self._book = book
        self._operations = operations
        self._registry = registry
        self._clock = clock

    async def __call__(self, click: Click) -> str | None:
        """Raise `PlatformError` where it cannot be planned; then nothing has changed."""
        named, _, shown = click.value.partition(".")
        group = await self._book.group(named) if is_group(named) else None
        if group is None:
            raise NotFound("This button belongs to no alert that I know.", hint="`/idp alerts` lists those that fire.")
        if click.action == actions.RUNBOOK and group.runbook_step and shown != fingerprint(group.runbook_step):
            raise UsageError("The runbook advises something else by now.", hint="Look at the card as it is now.")
        command, request = self._wish(click.action, group)
        # A rollback is a matter of its own, with its own card; all else is told below the alert's.
        beside = "" if click.action == actions.ROLLBACK else group.id
        asked = Asked(
            operation=_operation(click, group, 0),
            command=command,
            request=request,
            principal=click.principal,
            door=Door.SLACK,
            now=self._clock(),
            origin=Origin(slack_channel=click.channel or None, slack_user=click.user, beside=beside),
        )
        planned = await self._operations.dry_run(asked)
        if isinstance(planned.decision, Denied):
            return marked(planned.decision.sentence)
        return await self._submit(asked, click, group)

    def _wish(self, action: str, group: AlertGroup) -> tuple[str, dict[str, JSON]]:
        if action in SIMPLY:
            return SIMPLY[action], {"group": group.id}
        if action == actions.ROLLBACK and group.service and group.environment:
            reason = f"{group.title} fires"[:200]
            return "service.rollback", {
                "service": group.service,
                "environment": group.environment,
                "reason": reason,
            }
        if action == actions.RUNBOOK and group.runbook_step:
            return step_request(group, self._registry)
        raise UsageError("This is not offered for this alert any more.", hint="Look at the card as it is now.")

    async def _submit(self, asked: Asked, click: Click, group: AlertGroup) -> str | None:
        """Ask it once, however often the button is pressed. What came to nothing may be asked again."""
        for again in range(MOST_AGAIN):
            there = await self._operations.submit(
                asked.model_copy(update={"operation": _operation(click, group, again)})
            )
            if there.state is State.SUCCEEDED:
                break
            if not there.state.final:
                return None
        return "You have asked for this from this alert before. To ask once more, type the command."


def _operation(click: Click, group: AlertGroup, again: int) -> str:
    """The same person, the same button of the same alert: one operation."""
    text = f"alert\n{click.action}\n{group.id}\n{click.principal.user}\n{again or ''}"
    return f"op-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def by_value(alerts: OnClick, others: OnClick) -> OnClick:
    """Return the handler of a button that cards of alerts and of operations both have."""

    async def handle(click: Click) -> str | None:
        return await (alerts if is_group(click.value) else others)(click)

    return handle
