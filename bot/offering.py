"""What a card offers beside its operation: a button asks another request in the name of whoever clicks it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from bot.model.operation import Asked, Decided, OperationView, Origin, State
from bot.model.plan import Offer
from bot.model.principal import Door, Principal
from bot.operations.contracts import Denied, Planned
from bot.ports import Clock
from bot.slack.contracts import Click
from bot.slack.help import marked

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
            operation=_operation(view, offer, click.principal, 0),
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
        return await self._submit(asked, view, offer)

    async def _submit(self, asked: Asked, view: OperationView, offer: Offer) -> str | None:
        """Ask it. What came to nothing before may be asked again by the same button; what is done is said."""
        for again in range(MOST_AGAIN):
            operation = _operation(view, offer, asked.principal, again)
            there = await self._operations.submit(asked.model_copy(update={"operation": operation}))
            if there.state is State.SUCCEEDED:
                break
            if not there.state.final:
                return None
        line = f"/{offer.command.replace('.', ' ')} {asked.request.get('name', '')}".strip()
        return marked(f"You have asked for this by this card before. To ask once more: `{line}`.")


def _offered(view: OperationView, action: str) -> Offer | None:
    offers = view.plan.offers if view.plan is not None else ()
    return next((one for one in offers if one.action == action), None)


def _operation(view: OperationView, offer: Offer, principal: Principal, again: int) -> str:
    """The same person, the same offer of the same operation: one operation, however often the button is pressed.
    `again` counts those before it that came to nothing."""
    more = f"\n{again}" if again else ""
    digest = hashlib.sha256(f"{view.id}\n{offer.action}\n{principal.user}{more}".encode()).hexdigest()
    return f"op-{digest[:20]}"
