"""Settings of a repository: protection of the default branch, team access, variables, a webhook.

None of them can carry a mark except the ruleset's name. So what stood there before is a fact that the plan froze into
the effect, and undo needs no outcome: it puts back what stood before, where the setting still holds what we wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import ClassVar, Literal

from pydantic import Field

from bot.effects.marks import RepositoryName, known
from bot.errors import Conflict
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import Forge, Ports, Ruleset, Webhook

Permission = Literal["pull", "triage", "push", "maintain", "admin"]


class ProtectBranch(Effect):
    """A ruleset on the default branch; its name carries the operation."""

    kind: ClassVar[str] = "forge.protect_branch"

    repository: RepositoryName
    name: str = "Causeway"
    required_approvals: int = Field(default=1, ge=0, le=10)
    require_code_owners: bool = True
    required_checks: tuple[str, ...] = ()

    def describe(self) -> str:
        people = f"{self.required_approvals} approval{'' if self.required_approvals == 1 else 's'}"
        names = ", ".join(f"“{check}”" for check in self.required_checks)
        checks = f" and the check{'s' if len(self.required_checks) > 1 else ''} {names}" if names else ""
        return f"Protect the default branch of {self.repository}: changes need {people}{checks}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository, name = known(self.repository), self._name(run)
        number = await ports.forge.ruleset(repository, name)
        if number is None:
            rules = Ruleset(name, self.required_approvals, self.require_code_owners, self.required_checks)
            number = await ports.forge.create_ruleset(repository, rules)
        return Outcome(seen=f"the default branch of {repository} is protected", made={"id": number})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        repository = known(self.repository)
        if await ports.forge.repository(repository) is None:
            return Undone(how=Undo.UNDONE, seen=f"{repository} does not exist")
        number = await ports.forge.ruleset(repository, self._name(run))
        if number is not None:
            await ports.forge.delete_ruleset(repository, number)
        return Undone(how=Undo.UNDONE, seen=f"no ruleset “{self._name(run)}” on {repository}")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        repository = known(self.repository)
        if await ports.forge.repository(repository) is None:
            return Proof(absent=True, seen=f"repository {repository}: not found")
        number = await ports.forge.ruleset(repository, self._name(run))
        return Proof(absent=number is None, seen=f"ruleset “{self._name(run)}”: {number or 'not found'}")

    def manual(self) -> str:
        return f"gh ruleset list --repo {self.repository}  # then delete the one named after this operation"

    def _name(self, run: Run) -> str:
        return f"{self.name} ({run.operation})"


class GrantTeam(Effect):
    """Access of one team to the repository."""

    kind: ClassVar[str] = "forge.grant_team"

    repository: RepositoryName
    team: str
    """The team's slug in the repository's organisation."""
    permission: Permission
    before: Permission | None = None
    """What the team had when the plan was made; None for a fresh repository."""

    def describe(self) -> str:
        return f"Give the team {self.team} the role {self.permission} on {self.repository}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository = known(self.repository)
        now = await ports.forge.team_permission(repository, self.team)
        if now == self.permission:
            return Outcome(
                seen=f"team {self.team} has {now} access to {repository}", changed=self.before != self.permission
            )
        if now != self.before:
            raise Conflict(f"Team {self.team} was given {now or 'no'} access to {repository} while this was running.")
        await ports.forge.grant_team(repository, self.team, self.permission)
        return Outcome(seen=f"team {self.team} has {self.permission} access to {repository}")

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        repository = known(self.repository)
        now = await self._now(ports.forge)
        if now in (None, self.before) or self.before == self.permission:
            return Undone(how=Undo.UNDONE, seen=f"team {self.team} has {now or 'no'} access to {repository}")
        if now != self.permission:
            why = f"Somebody else gave team {self.team} {now} access to {repository}, so it stays."
            return Undone(how=Undo.KEPT, seen=why, command=self.manual())
        if self.before is None:
            await ports.forge.revoke_team(repository, self.team)
        else:
            await ports.forge.grant_team(repository, self.team, self.before)
        return Undone(how=Undo.UNDONE, seen=f"team {self.team} has {self.before or 'no'} access to {repository} again")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        now = await self._now(ports.forge)
        absent = now != self.permission or self.before == self.permission
        return Proof(absent=absent, seen=f"team {self.team} on {self.repository}: {now or 'no'} access")

    def manual(self) -> str:
        owner, _, name = str(self.repository).partition("/")
        return f"gh api --method DELETE {quote(f'orgs/{owner}/teams/{self.team}/repos/{owner}/{name}')}"

    async def _now(self, forge: Forge) -> str | None:
        repository = known(self.repository)
        return (
            None if await forge.repository(repository) is None else await forge.team_permission(repository, self.team)
        )


class SetVariables(Effect):
    """Actions variables of the repository. Never secrets: variables can be read by everybody who can read it."""

    kind: ClassVar[str] = "forge.set_variables"

    repository: RepositoryName
    variables: Mapping[str, Text]
    before: Mapping[str, str] = Field(default_factory=dict)
    """What they held when the plan was made; a name is left out where there was none."""

    def describe(self) -> str:
        return f"Set the variables {', '.join(sorted(self.variables))} of {self.repository}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository = known(self.repository)
        for name, text in sorted(self.variables.items()):
            now, value = await ports.forge.variable(repository, name), known(text)
            if now == value:
                continue
            if now != self.before.get(name):
                raise Conflict(f"The variable {name} of {repository} was changed while this was running.")
            await ports.forge.set_variable(repository, name, value)
        return Outcome(
            seen=f"variables {', '.join(sorted(self.variables))} of {repository}",
            changed=any(known(text) != self.before.get(name) for name, text in self.variables.items()),
        )

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        repository = known(self.repository)
        if await ports.forge.repository(repository) is None:
            return Undone(how=Undo.UNDONE, seen=f"{repository} does not exist")
        kept = [name for name in sorted(self.variables) if not await self._restored(ports.forge, name)]
        if kept:
            why = f"Others have changed {', '.join(kept)} of {repository}, so they stay."
            commands = "; ".join(f"gh variable delete {quote(name)} --repo {repository}" for name in kept)
            return Undone(how=Undo.KEPT, seen=why, command=commands)
        return Undone(how=Undo.UNDONE, seen=f"variables of {repository} as before")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        repository = known(self.repository)
        if await ports.forge.repository(repository) is None:
            return Proof(absent=True, seen=f"repository {repository}: not found")
        ours = [(n, known(t)) for n, t in sorted(self.variables.items()) if known(t) != self.before.get(n)]
        left = [name for name, value in ours if await ports.forge.variable(repository, name) == value]
        return Proof(absent=not left, seen=f"variables of {repository}: {', '.join(left) or 'none of ours'}")

    def manual(self) -> str:
        return "; ".join(
            f"gh variable delete {quote(name)} --repo {self.repository}" for name in sorted(self.variables)
        )

    async def _restored(self, forge: Forge, name: str) -> bool:
        """Put one variable back; return False when somebody else has changed it."""
        repository, before = known(self.repository), self.before.get(name)
        now = await forge.variable(repository, name)
        if now in (None, before):
            return True
        if now != known(self.variables[name]):
            return False
        if before is None:
            await forge.delete_variable(repository, name)
        else:
            await forge.set_variable(repository, name, before)
        return True


class CreateWebhook(Effect):
    """A webhook. Its secret is only named here; the adapter resolves the name."""

    kind: ClassVar[str] = "forge.create_webhook"

    repository: RepositoryName
    url: Text
    events: tuple[str, ...] = ("push",)
    secret_name: str
    existed: bool = False
    """Whether a webhook with this URL was there when the plan was made."""

    def describe(self) -> str:
        return f"Send {', '.join(self.events)} events of {self.repository} to {self.url}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        repository, url = known(self.repository), known(self.url)
        hook = await self._hook(ports.forge)
        if hook is None:
            hook = await ports.forge.create_webhook(repository, url, self.events, secret_name=self.secret_name)
        return Outcome(seen=f"{repository} sends events to {url}", changed=not self.existed, made={"id": hook.id})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        repository = known(self.repository)
        if self.existed:
            return Undone(how=Undo.NOTHING, seen="the webhook was there before this operation")
        if await ports.forge.repository(repository) is None:
            return Undone(how=Undo.UNDONE, seen=f"{repository} does not exist")
        hook = await self._hook(ports.forge)
        if hook is not None and outcome is not None and outcome.made.get("id") != hook.id:
            return Undone(how=Undo.NOTHING, seen=f"the webhook of {repository} was made anew by somebody else")
        if hook is not None:
            await ports.forge.delete_webhook(repository, hook.id)
        return Undone(how=Undo.UNDONE, seen=f"no webhook of {repository} to {self.url}")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        repository = known(self.repository)
        if self.existed or await ports.forge.repository(repository) is None:
            return Proof(absent=True, seen=f"no webhook of this operation on {repository}")
        hook = await self._hook(ports.forge)
        other = hook is not None and outcome is not None and outcome.made.get("id") != hook.id
        return Proof(absent=hook is None or other, seen=f"webhook to {self.url}: {'there' if hook else 'not found'}")

    def manual(self) -> str:
        return f"gh api repos/{self.repository}/hooks  # then delete the one for {self.url}"

    async def _hook(self, forge: Forge) -> Webhook | None:
        hooks = await forge.webhooks(known(self.repository))
        return next((hook for hook in hooks if hook.url == known(self.url)), None)
