"""Tell the forge what is being deployed, and how it ended: its own list of deployments, for people and other tools.

A record is a note beside the deploy, never a part of it: where the forge refuses it (our token may not, the commit is
not one of that repository) or stays away, the step says so in the receipt and the deploy goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import ClassVar, Literal

from bot.effects.marks import RepositoryName, known
from bot.errors import Conflict, NotFound, PlatformError, Refused, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Late, Text
from bot.ports import DeploymentRecord, Forge, Ports

OPERATION, STEP, REPLACES = "causeway_operation", "causeway_step", "causeway_replaces"
"""Names in a record's payload: who made it, and the id of the record that stood for what ran before."""
MOST_LOOKED_AT = 5
"""How many records are asked for their state to find the one that is active."""
MOST_ATTEMPTS = 3
"""How often a forge that does not answer is tried before the deploy goes on without it."""


class RecordDeployment(Effect):
    """A record of this deploy, in progress. Undo lets it be inactive: no forge lets go of its records.

    Outputs: `deployment`, its id; an empty text where the forge was not told.
    """

    kind: ClassVar[str] = "forge.record_deployment"

    repository: RepositoryName
    commit: Text
    """The commit that will run: its full hash."""
    environment: str
    description: str = ""
    """Who asked for it, where it is empty. GitHub takes 140 characters."""
    transient: bool = False
    """Whether the environment will be gone some day, as that of a preview will."""

    def describe(self) -> str:
        return f"Record the deployment to {self.environment} in {self.repository}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository, commit = known(self.repository), known(self.commit)
        try:
            record = await self._ours(ports.forge, run) or await self._create(ports.forge, run, commit)
            if await ports.forge.deployment_state(repository, record.id) in (None, "inactive"):
                await ports.forge.set_deployment_state(repository, record.id, "in_progress")
        except PlatformError as error:
            return _not_told(error, run, {"deployment": ""})
        return Outcome(
            seen=f"deployment {record.id} of {repository} to {self.environment} has begun",
            outputs={"deployment": record.id},
            made={"deployment": record.id},
        )

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        if outcome is not None and not outcome.changed:
            return Undone(how=Undo.NOTHING, seen="the forge was not told of this deployment")
        repository = known(self.repository)
        try:
            active = await self._active(ports.forge, run)
            if active is not None:
                description = f"Taken back by {run.principal.display_name}"
                await ports.forge.set_deployment_state(repository, active.id, "inactive", description=description)
        except NotFound:
            return Undone(how=Undo.UNDONE, seen=f"{repository} does not exist")
        except Refused as error:
            return _not_taken_back(error, outcome, self.manual())
        return Undone(how=Undo.UNDONE, seen=f"no active deployment of this operation in {repository}")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        if outcome is not None and not outcome.changed:
            return Proof(absent=True, seen="the forge was not told of this deployment")
        try:
            active = await self._active(ports.forge, run)
        except NotFound:
            return Proof(absent=True, seen=f"repository {self.repository}: not found")
        except Refused as error:
            return Proof(absent=outcome is None, seen=error.message)
        seen = f"deployment of this operation to {self.environment} of {self.repository}"
        return Proof(absent=active is None, seen=f"{seen}: {'still active' if active else 'none active'}")

    def manual(self) -> str:
        path = quote(f"repos/{self.repository}/deployments?environment={self.environment}")
        return f"gh api {path}  # then set the one of this operation to inactive"

    async def _create(self, forge: Forge, run: Run, commit: str) -> DeploymentRecord:
        payload = _mark(run)
        before = await self._before(forge)
        if before is not None:
            payload = {**payload, REPLACES: before}
        description = self.description or f"Requested by {run.principal.display_name}"
        return await forge.create_deployment(
            known(self.repository),
            commit,
            self.environment,
            description=description,
            payload=payload,
            transient=self.transient,
        )

    async def _before(self, forge: Forge) -> int | None:
        """Return the id of the record that is active now."""
        repository = known(self.repository)
        for record in (await forge.deployment_records(repository, self.environment))[:MOST_LOOKED_AT]:
            if await forge.deployment_state(repository, record.id) == "success":
                return record.id
        return None

    async def _ours(self, forge: Forge, run: Run) -> DeploymentRecord | None:
        """Look by the payload: an answer that got lost left a record all the same."""
        records = await forge.deployment_records(known(self.repository), self.environment)
        return next((one for one in records if _mark(run).items() <= one.payload.items()), None)

    async def _active(self, forge: Forge, run: Run) -> DeploymentRecord | None:
        record = await self._ours(forge, run)
        if record is None or await forge.deployment_state(known(self.repository), record.id) == "inactive":
            return None
        return record


Ended = Literal["success", "failure"]


class ConcludeDeployment(Effect):
    """Says of a recorded deployment how it has ended: that it runs, and where, or that it was kept though it does not.
    After a success the forge lets earlier ones be inactive.

    Undo lets it be in progress again, and the record that it replaced active, unless a newer one has come since.
    """

    kind: ClassVar[str] = "forge.conclude_deployment"

    repository: RepositoryName
    environment: str
    deployment: Text
    """The output of `forge.record_deployment`; empty where the forge was not told."""
    url: Text = ""
    """Where the service answers."""
    ended: Ended | Late = "success"
    """`failure` where a person has kept what never became healthy: the wait before this step says so."""
    transient: bool = False
    """As it was recorded: in passing environments GitHub leaves earlier successes active, so we end them."""

    def describe(self) -> str:
        return f"Record in {self.repository} how the deployment to {self.environment} has ended"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository, number, ended = known(self.repository), self._number(), self._ended()
        if number is None:
            return Outcome(seen="the forge was not told of this deployment", changed=False)
        try:
            if await ports.forge.deployment_state(repository, number) != ended:
                await ports.forge.set_deployment_state(repository, number, ended, url=known(self.url))
            if self.transient and ended == "success":
                await self._end_earlier(ports.forge, number)
        except PlatformError as error:
            return _not_told(error, run, {})
        how = "succeeded" if ended == "success" else "failed"
        seen = f"deployment {number} of {repository} to {self.environment} has {how}"
        return Outcome(seen=seen, made={"deployment": number})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        number = self._number()
        if number is None or (outcome is not None and not outcome.changed):
            return Undone(how=Undo.NOTHING, seen="the forge was not told of this deployment")
        repository = known(self.repository)
        try:
            if await ports.forge.deployment_state(repository, number) == self._ended():
                await self._restore_earlier(ports.forge, number)
                await ports.forge.set_deployment_state(repository, number, "in_progress")
        except NotFound:
            return Undone(how=Undo.UNDONE, seen=f"{repository} has no deployment {number}")
        except Refused as error:
            return _not_taken_back(error, outcome, self.manual())
        return Undone(how=Undo.UNDONE, seen=f"deployment {number} of {repository} has not ended")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        number = self._number()
        if number is None or (outcome is not None and not outcome.changed):
            return Proof(absent=True, seen="the forge was not told of this deployment")
        try:
            state = await ports.forge.deployment_state(known(self.repository), number)
        except NotFound:
            return Proof(absent=True, seen=f"deployment {number} of {self.repository}: not found")
        except Refused as error:
            return Proof(absent=outcome is None, seen=error.message)
        return Proof(absent=state != self._ended(), seen=f"deployment {number} of {self.repository}: {state}")

    def manual(self) -> str:
        path = quote(f"repos/{self.repository}/deployments/{self.deployment}/statuses")
        return f"gh api --method POST {path} -f state=inactive"

    async def _restore_earlier(self, forge: Forge, number: int) -> None:
        """Let the record be active again that our success has let be inactive."""
        repository, earlier = known(self.repository), await self._earlier(forge, number)
        if earlier is not None and await forge.deployment_state(repository, earlier) == "inactive":
            await forge.set_deployment_state(repository, earlier, "success", url=known(self.url))

    async def _end_earlier(self, forge: Forge, number: int) -> None:
        repository, earlier = known(self.repository), await self._earlier(forge, number)
        if earlier is not None and await forge.deployment_state(repository, earlier) == "success":
            await forge.set_deployment_state(repository, earlier, "inactive")

    async def _earlier(self, forge: Forge, number: int) -> int | None:
        """Return the record that ours has replaced; None where somebody has deployed since, or there was none."""
        records = await forge.deployment_records(known(self.repository), self.environment)
        if not records or records[0].id != number:
            return None
        earlier = records[0].payload.get(REPLACES)
        return earlier if isinstance(earlier, int) else None

    def _ended(self) -> Ended:
        if isinstance(self.ended, Late):
            raise Conflict(f"A step needs “{self.ended}”, which no earlier step has yielded yet.")
        return self.ended

    def _number(self) -> int | None:
        text = known(self.deployment)
        return int(text) if text else None


def _mark(run: Run) -> Mapping[str, JSON]:
    return {OPERATION: run.operation, STEP: run.effect}


def _not_told(error: PlatformError, run: Run, outputs: Mapping[str, JSON]) -> Outcome:
    """Return the outcome of a step that told the forge nothing, as far as we know. Raise what may pass, for a while."""
    away = isinstance(error, UpstreamUnavailable)
    if away and run.attempt < MOST_ATTEMPTS:
        raise error
    # What was asked of a forge that did not answer may have happened, so undo looks.
    return Outcome(seen=f"The forge was not told of this deployment: {error.message}", changed=away, outputs=outputs)


def _not_taken_back(error: Refused, outcome: Outcome | None, command: str) -> Undone:
    """Whoever may not write records has made none; unless we know that we have."""
    if outcome is None:
        return Undone(how=Undo.NOTHING, seen=error.message)
    return Undone(how=Undo.KEPT, seen=error.message, command=command)
