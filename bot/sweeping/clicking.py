"""What the buttons of a report do: ask `/preview down` in the name of whoever clicks."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Protocol

from bot.errors import UsageError
from bot.model.operation import Asked, Origin
from bot.model.principal import Door
from bot.operations.contracts import Denied, Planned
from bot.ports import Clock
from bot.slack.contracts import Click
from bot.slack.help import marked

_VALUE = re.compile(r"\d{4}-\d{2}-\d{2} ([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)")


class Operations(Protocol):
    """What is needed of the engine (`bot.operations.engine.Operations`)."""

    async def dry_run(self, asked: Asked) -> Planned: ...
    async def submit(self, asked: Asked) -> Any: ...


class Sweepings:
    """The handler of every button of a report. Policy judges whoever clicks, then."""

    def __init__(self, operations: Operations, clock: Clock) -> None:
        self._operations = operations
        self._clock = clock

    async def __call__(self, click: Click) -> str | None:
        """Raise `PlatformError` where it cannot be planned; then nothing has changed."""
        found = _VALUE.fullmatch(click.value)
        if found is None:
            raise UsageError("This button says nothing that I understand.", hint="Ask `/idp sweep` for a new report.")
        digest = hashlib.sha256(f"sweep\n{click.value}\n{click.principal.user}".encode()).hexdigest()
        asked = Asked(
            operation=f"op-{digest[:20]}",  # the same person, the same report, the same finding: one operation
            command="preview.down",
            request={"name": found[1]},
            principal=click.principal,
            door=Door.SLACK,
            now=self._clock(),
            origin=Origin(slack_channel=click.channel or None, slack_user=click.user),
        )
        planned = await self._operations.dry_run(asked)
        if isinstance(planned.decision, Denied):
            return marked(planned.decision.sentence)
        await self._operations.submit(asked)
        return None
