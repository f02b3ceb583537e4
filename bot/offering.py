"""What a card offers beside its operation, and an answer beside what it says: a button asks a request in the name of
whoever clicks it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from bot.errors import UsageError
from bot.model.operation import Asked, Decided, OperationView, Origin, State
from bot.model.plan import Offer
from bot.model.principal import Door, Principal
from bot.operations.contracts import Denied, Planned
from bot.ports import Clock
from bot.slack.contracts import Click, OnClick
from bot.slack.help import marked
from bot.slack.offers import offered

MOST_AGAIN = 10
"""How often what came to nothing is asked again by one button."""


class Operations(Protocol):
    """What offers need of the engine (`bot.operations.engine.Operations`)."""

    async def view(self, operation: str) -> OperationView: ...
    async def dry_run(self, asked: Asked) -> Planned: ...
    async def submit(self, asked: Asked) -> OperationView: ...
    async def keep(self, operation: str, principal: Principal) -> Decided: ...


class Offers:
    """The handler of every offered button."""

    def __init__(self, operations: Operations, clock: Clock) -> None:
        self._operations = operations
        self._clock = clock

    async def __call__(self, click: Click) -> str | None:
        """Ask what the button offers. Raise `PlatformError` where it cannot be planned; then nothing has changed."""
        view = await self._operations.view(click.value)
        offer = _offered(view, click.action)
        if offer is None:
            return "This is not offered any more. Look at the card as it is now."
        asked = Asked(
            operation=_operation(f"{view.id}\n{offer.action}", click.principal, 0),
            command=offer.command,
            request=dict(offer.request),
            principal=click.principal,
            door=Door.SLACK,
            now=self._clock(),
            origin=Origin(slack_channel=click.channel or None, slack_user=click.user),
        )
        # Planned once before: a wait that ends for a request that is then refused would help nobody.
        planned = await self._operations.dry_run(asked)
        if isinstance(planned.decision, Denied):
            return marked(planned.decision.sentence)
        if offer.ends_wait and view.stalled is not None:
            kept = await self._operations.keep(view.id, click.principal)
            if not kept.accepted:
                return marked(kept.text)
        done = await _submit(self._operations, asked, f"{view.id}\n{offer.action}")
        return _again(asked, "card") if done else None


class AnswerOffers:
    """The handler of every button that stands beside an answer (`bot.slack.offers`). Satisfies `OnClick`."""

    def __init__(self, operations: Operations, clock: Clock) -> None:
        self._operations = operations
        self._clock = clock

    async def __call__(self, click: Click) -> str | None:
        """Ask what the button says. Raise `PlatformError` where it cannot be planned; then nothing has changed."""
        found = offered(click.value)
        if found is None:
            raise UsageError("This button says nothing that I understand.", hint="Ask anew, and press the new one.")
        command, request = found
        about = f"{click.channel}\n{click.message_ts}\n{click.value}"
        asked = Asked(
            operation=_operation(about, click.principal, 0),
            command=command,
            request=dict(request),
            principal=click.principal,
            door=Door.SLACK,
            now=self._clock(),
            origin=Origin(slack_channel=click.channel or None, slack_user=click.user),
        )
        planned = await self._operations.dry_run(asked)
        if isinstance(planned.decision, Denied):
            return marked(planned.decision.sentence)
        return _again(asked, "button") if await _submit(self._operations, asked, about) else None


def by_value(beginnings: Mapping[str, OnClick], otherwise: OnClick) -> OnClick:
    """Return the handler of buttons that stand in several places under one `action_id`: how the value begins tells
    where. The first beginning that fits decides."""

    async def handle(click: Click) -> str | None:
        for beginning, handler in beginnings.items():
            if click.value.startswith(beginning):
                return await handler(click)
        return await otherwise(click)

    return handle


async def _submit(operations: Operations, asked: Asked, about: str) -> bool:
    """Ask it; return whether that was done before. What came to nothing before may be asked again by the same
    button."""
    for again in range(MOST_AGAIN):
        operation = _operation(about, asked.principal, again)
        there = await operations.submit(asked.model_copy(update={"operation": operation}))
        if there.state is State.SUCCEEDED:
            return True
        if not there.state.final:
            return False
    return True


def _again(asked: Asked, what: str) -> str:
    request = asked.request
    words = [f"/{asked.command.replace('.', ' ')}", str(request.get("name") or request.get("service") or "")]
    words += [f"in {request['environment']}"] if request.get("environment") else []
    line = " ".join(filter(None, words))
    return marked(f"You have asked for this by this {what} before. To ask once more: `{line}`.")


def _offered(view: OperationView, action: str) -> Offer | None:
    offers = view.plan.offers if view.plan is not None else ()
    return next((one for one in offers if one.action == action), None)


def _operation(about: str, principal: Principal, again: int) -> str:
    """The same person, the same offer of the same operation or answer: one operation, however often the button is
    pressed. `again` counts those before it that came to nothing."""
    more = f"\n{again}" if again else ""
    digest = hashlib.sha256(f"{about}\n{principal.user}{more}".encode()).hexdigest()
    return f"op-{digest[:20]}"
