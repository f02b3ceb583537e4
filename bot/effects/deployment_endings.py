"""Tell the forge that nothing of an environment runs any more."""

from __future__ import annotations

from typing import ClassVar

from bot.effects.marks import RepositoryName, known
from bot.errors import PlatformError, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Run
from bot.ports import Forge, Ports

MOST_LOOKED_AT = 10
"""How many records of the environment are asked for their state."""
MOST_ATTEMPTS = 3
"""How often a forge that does not answer is tried before the teardown goes on without it."""


class EndDeployments(Effect):
    """Lets every record of an environment be inactive: what it told of is gone.

    It is a note beside the teardown, never a part of it: where the forge refuses it or is away, the receipt says so.
    """

    kind: ClassVar[str] = "forge.end_deployments"
    undoable: ClassVar[bool] = False

    repository: RepositoryName
    environment: str

    def describe(self) -> str:
        return f"Tell {self.repository} that nothing runs in {self.environment} any more"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        try:
            ended = await self._end(ports.forge)
        except PlatformError as error:
            if isinstance(error, UpstreamUnavailable) and run.attempt < MOST_ATTEMPTS:
                raise
            return Outcome(
                seen=f"The forge was not told that {self.environment} is gone: {error.message}", changed=False
            )
        told = f"{ended} deployment{'' if ended == 1 else 's'}" if ended else "no deployment"
        return Outcome(
            seen=f"{told} of {self.repository} to {self.environment} had to become inactive", changed=ended > 0
        )

    async def _end(self, forge: Forge) -> int:
        """Return how many were not inactive yet."""
        repository = known(self.repository)
        ended = 0
        for record in (await forge.deployment_records(repository, self.environment))[:MOST_LOOKED_AT]:
            if await forge.deployment_state(repository, record.id) != "inactive":
                await forge.set_deployment_state(repository, record.id, "inactive", description="It was deleted")
                ended += 1
        return ended
