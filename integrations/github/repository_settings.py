"""Topics, teams, variables, rulesets and webhooks of a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from bot.errors import NotFound
from bot.ports import Ruleset, Webhook
from integrations.github import shapes
from integrations.github.client import Client, nothing
from integrations.github.jobs import HOOKS, READ, SETTINGS, TEAMS, VARIABLES, job, repo_path, segment, split
from integrations.github.limiter import Cost

TEAM_VIEW = "application/vnd.github.v3.repository+json"
"""Without it GitHub answers 204 and keeps the permission to itself."""


class RepositorySettings:
    """The part of `GitHubForge` that reads and writes settings."""

    def __init__(self, client: Client, secrets: Mapping[str, SecretStr]) -> None:
        self._client = client
        self._secrets = secrets

    async def topics(self, full_name: str) -> tuple[str, ...]:
        path, doing = repo_path(full_name, "topics"), f"read the topics of {full_name}"
        return await self._client.get(job(full_name, READ), path, doing, lambda found: tuple(found["names"]))

    async def replace_topics(self, full_name: str, topics: Sequence[str]) -> None:
        path, doing = repo_path(full_name, "topics"), f"set the topics of {full_name}"
        body = {"names": list(topics)}
        await self._client.write(job(full_name, SETTINGS), "PUT", path, doing, body=body, read=nothing)

    async def team_permission(self, full_name: str, team: str) -> str | None:
        path, doing = _team(full_name, team), f"read the access of team {team} to {full_name}"
        return await self._client.find(job(full_name, TEAMS), path, doing, shapes.permission, accept=TEAM_VIEW)

    async def grant_team(self, full_name: str, team: str, permission: str) -> None:
        path, doing = _team(full_name, team), f"give team {team} {permission} access to {full_name}"
        body = {"permission": permission}
        await self._client.write(job(full_name, TEAMS), "PUT", path, doing, body=body, read=nothing)

    async def revoke_team(self, full_name: str, team: str) -> None:
        path, doing = _team(full_name, team), f"take the access to {full_name} from team {team}"
        await self._client.write(job(full_name, TEAMS), "DELETE", path, doing, read=nothing)

    async def variable(self, full_name: str, name: str) -> str | None:
        path, doing = _variables(full_name, name), f"read the variable {name} of {full_name}"
        return await self._client.find(job(full_name, VARIABLES), path, doing, lambda found: str(found["value"]))

    async def set_variable(self, full_name: str, name: str, value: str) -> None:
        new = await self.variable(full_name, name) is None
        method, path = ("POST", _variables(full_name)) if new else ("PATCH", _variables(full_name, name))
        doing, body = f"set the variable {name} of {full_name}", {"name": name, "value": value}
        await self._client.write(job(full_name, VARIABLES), method, path, doing, body=body, read=nothing)

    async def delete_variable(self, full_name: str, name: str) -> None:
        path, doing = _variables(full_name, name), f"delete the variable {name} of {full_name}"
        await self._client.write(job(full_name, VARIABLES), "DELETE", path, doing, read=nothing)

    async def ruleset(self, full_name: str, name: str) -> int | None:
        rulesets = await self._client.get_all(
            job(full_name, SETTINGS),
            repo_path(full_name, "rulesets"),
            f"read the rulesets of {full_name}",
            lambda one: (str(one["name"]), shapes.number(one)),
            query={"includes_parents": "false"},
        )
        return next((number for known, number in rulesets if known == name), None)

    async def create_ruleset(self, full_name: str, ruleset: Ruleset) -> int:
        write, path = job(full_name, SETTINGS), repo_path(full_name, "rulesets")
        doing, body = f"protect the default branch of {full_name}", shapes.ruleset_body(ruleset)
        return await self._client.write(write, "POST", path, doing, body=body, read=shapes.number, cost=Cost.CREATE)

    async def delete_ruleset(self, full_name: str, ruleset_id: int) -> None:
        path, doing = repo_path(full_name, "rulesets", str(ruleset_id)), f"delete a ruleset of {full_name}"
        await self._client.write(job(full_name, SETTINGS), "DELETE", path, doing, read=nothing)

    async def webhooks(self, full_name: str) -> Sequence[Webhook]:
        path, doing = repo_path(full_name, "hooks"), f"read the webhooks of {full_name}"
        return await self._client.get_all(job(full_name, HOOKS), path, doing, shapes.webhook)

    async def create_webhook(self, full_name: str, url: str, events: Sequence[str], *, secret_name: str) -> Webhook:
        secret = self._secrets.get(secret_name)
        if secret is None or not secret.get_secret_value():
            raise NotFound(
                f"No secret is configured under the name {secret_name}.", hint="Set it where Causeway is configured."
            )
        config = {"url": url, "content_type": "json", "secret": secret.get_secret_value(), "insecure_ssl": "0"}
        body = {"name": "web", "active": True, "events": list(events), "config": config}
        write, path, doing = job(full_name, HOOKS), repo_path(full_name, "hooks"), f"create a webhook for {full_name}"
        return await self._client.write(write, "POST", path, doing, body=body, read=shapes.webhook, cost=Cost.CREATE)

    async def delete_webhook(self, full_name: str, webhook_id: int) -> None:
        path, doing = repo_path(full_name, "hooks", str(webhook_id)), f"delete a webhook of {full_name}"
        await self._client.write(job(full_name, HOOKS), "DELETE", path, doing, read=nothing)


def _team(full_name: str, team: str) -> str:
    owner, name = split(full_name)
    return f"/orgs/{owner}/teams/{segment(team)}/repos/{owner}/{name}"


def _variables(full_name: str, *name: str) -> str:
    return "/".join((repo_path(full_name, "actions", "variables"), *(segment(one) for one in name)))
