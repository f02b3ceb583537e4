"""The forge port on GitHub."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import SecretStr

from bot.errors import NotFound
from bot.ports import Activity, NewRepository, PullRequest, Repository
from integrations.github import shapes
from integrations.github.client import Client, each, nothing
from integrations.github.comments import Comments
from integrations.github.contents import Contents
from integrations.github.credentials import AppTokens, Credentials, Job, PersonalToken
from integrations.github.deployment_records import DeploymentRecords
from integrations.github.jobs import (
    CONTENT,
    ORGANISATION_CREATE,
    ORGANISATION_READ,
    READ,
    SETTINGS,
    job,
    repo_path,
    split,
)
from integrations.github.limiter import Cost, Limiter, Pace
from integrations.github.permissions import Permissions
from integrations.github.repository_settings import RepositorySettings
from integrations.github.transport import Transport
from integrations.github.versions import Versions

T = TypeVar("T")
LOOKS_FOR_A_NEW_REPOSITORY = 6
"""GitHub answers before a new repository can be read everywhere; we look again for about 6 seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left of GitHub's hourly allowance."""

    remaining: int
    limit: int
    resets_at: int
    """Seconds since 1970."""
    paused_s: float
    """For how long we keep still because GitHub asked for it."""


class GitHubForge(Contents, RepositorySettings, Versions, DeploymentRecords, Comments, Permissions):
    """Implements `bot.ports.Forge`. Every error that leaves it is one of the port's."""

    def __init__(
        self,
        transport: Transport,
        client: Client,
        secrets: Mapping[str, SecretStr],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        Contents.__init__(self, client)
        RepositorySettings.__init__(self, client, secrets)
        Versions.__init__(self, client)
        DeploymentRecords.__init__(self, client)
        Comments.__init__(self, client)
        Permissions.__init__(self, client)
        self._transport = transport
        self._sleep = sleep

    async def close(self) -> None:
        await self._transport.close()

    async def limits(self, owner: str) -> Limits:
        work, paused_s = Job(owner, None, ORGANISATION_READ), self._client.limiter.paused_s
        return await self._client.get(work, "/rate_limit", "read our limits", lambda found: _limits(found, paused_s))

    # --- repositories

    async def repository(self, full_name: str) -> Repository | None:
        path, doing = repo_path(full_name), f"read {full_name}"
        return await self._client.find(job(full_name, READ), path, doing, shapes.repository)

    async def repositories(self, owner: str) -> Sequence[Repository]:
        split(f"{owner}/any")
        work, doing = Job(owner, None, ORGANISATION_READ), f"list the repositories of {owner}"
        try:
            return await self._client.get_all(work, f"/orgs/{owner}/repos", doing, shapes.repository)
        except NotFound:  # a person, not an organisation
            return await self._client.get_all(work, f"/users/{owner}/repos", doing, shapes.repository)

    async def create_repository(self, new: NewRepository) -> Repository:
        owner, _ = split(new.full_name)
        try:
            repository = await self._create(new, f"/orgs/{owner}/repos")
        except NotFound:
            if not await self._is_us(owner):
                raise
            repository = await self._create(new, "/user/repos")
        self._client.forget(*split(new.full_name))
        await self._until_readable(repository)
        return repository

    async def update_repository(
        self, full_name: str, *, description: str | None = None, homepage: str | None = None
    ) -> Repository:
        asked = {"description": description, "homepage": homepage}
        body = {name: value for name, value in asked.items() if value is not None}
        write, path, doing = job(full_name, SETTINGS), repo_path(full_name), f"describe the repository {full_name}"
        return await self._client.write(write, "PATCH", path, doing, body=body, read=shapes.repository)

    async def delete_repository(self, full_name: str) -> None:
        path, doing = repo_path(full_name), f"delete the repository {full_name}"
        await self._client.write(job(full_name, SETTINGS), "DELETE", path, doing, read=nothing)
        self._client.forget(*split(full_name))

    async def activity(self, full_name: str) -> Activity:
        forks, branches, tags, pulls, issues = await asyncio.gather(
            self._client.get(
                job(full_name, READ), repo_path(full_name), f"read {full_name}", lambda found: int(found["forks_count"])
            ),
            self._all_of(full_name, "branches", lambda one: (str(one["name"]), shapes.sha(one["commit"]))),
            self._all_of(full_name, "tags", lambda one: str(one["name"])),
            self._newest_of(full_name, "pulls", shapes.pull_request),
            self._newest_of(full_name, "issues", lambda one: "pull_request" not in one),
        )
        return Activity(dict(branches), tuple(tags), tuple(pulls), sum(issues), forks)

    # --- pull requests

    async def create_pull_request(self, full_name: str, *, head: str, base: str, title: str, body: str) -> PullRequest:
        write, path, doing = (
            job(full_name, CONTENT),
            repo_path(full_name, "pulls"),
            f"open a pull request in {full_name}",
        )
        asked = {"title": title, "head": head, "base": base, "body": body}
        return await self._client.write(
            write, "POST", path, doing, body=asked, read=shapes.pull_request, cost=Cost.CREATE
        )

    async def pull_request_for(self, full_name: str, head: str) -> PullRequest | None:
        owner, _ = split(full_name)
        query = {"state": "all", "head": f"{owner}:{head}", "sort": "created", "direction": "desc", "per_page": "100"}
        path, doing = repo_path(full_name, "pulls"), f"look for a pull request of {head} in {full_name}"
        found = await self._client.get(job(full_name, READ), path, doing, each(shapes.pull_request), query=query)
        # A server that does not know the filter lists all of them.
        return next((one for one in found if one.head == head), None)

    async def pull_request(self, full_name: str, number: int) -> PullRequest | None:
        path, doing = repo_path(full_name, "pulls", str(number)), f"read pull request #{number} of {full_name}"
        return await self._client.find(job(full_name, READ), path, doing, shapes.pull_request)

    async def close_pull_request(self, full_name: str, number: int) -> None:
        path, doing = repo_path(full_name, "pulls", str(number)), f"close pull request #{number} of {full_name}"
        body = {"state": "closed"}
        await self._client.write(job(full_name, CONTENT), "PATCH", path, doing, body=body, read=nothing)

    # --- details

    async def _create(self, new: NewRepository, path: str) -> Repository:
        owner, name = split(new.full_name)
        work, doing = Job(owner, None, ORGANISATION_CREATE), f"create the repository {new.full_name}"
        body = {"name": name, "description": new.description, "private": new.private, "auto_init": True}
        return await self._client.write(work, "POST", path, doing, body=body, read=shapes.repository, cost=Cost.CREATE)

    async def _all_of(self, full_name: str, kind: str, read: Callable[[Any], T]) -> list[T]:
        path, doing = repo_path(full_name, kind), f"read the {kind} of {full_name}"
        return await self._client.get_all(job(full_name, READ), path, doing, read)

    async def _newest_of(self, full_name: str, kind: str, read: Callable[[Any], T]) -> list[T]:
        path, doing, query = repo_path(full_name, kind), f"read the {kind} of {full_name}", {"state": "all"}
        found = await self._client.find(
            job(full_name, READ), path, doing, each(read), query={**query, "per_page": "100"}
        )
        return found or []  # issues may be switched off, which GitHub tells as if they were not there

    async def _is_us(self, owner: str) -> bool:
        work = Job(owner, None, ORGANISATION_READ)
        login = await self._client.find(work, "/user", "read who we are", lambda found: str(found["login"]))
        return login is not None and login.lower() == owner.lower()

    async def _until_readable(self, repository: Repository) -> None:
        for attempt in range(LOOKS_FOR_A_NEW_REPOSITORY):
            if await self.branch_head(repository.full_name, repository.default_branch) is not None:
                return
            await self._sleep(0.1 * 2**attempt)


def connect(
    base_url: str,
    *,
    token: SecretStr | None = None,
    app_id: str = "",
    app_key: SecretStr | None = None,
    secrets: Mapping[str, SecretStr] | None = None,
    timeout_s: int = 15,
    pace: Pace | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> GitHubForge:
    """Return a forge that speaks as the App when `app_id` is given, else with the personal `token`.

    `secrets` are what webhooks may name. `clock` is monotonic seconds. Nothing is sent before the first call.
    """
    transport = Transport(base_url, timeout_s=timeout_s)
    credentials: Credentials
    if app_id and app_key is not None:
        credentials = AppTokens(transport, app_id, app_key, clock=clock)
    else:
        credentials = PersonalToken(token or SecretStr(""))
    client = Client(transport, credentials, Limiter(pace, clock=clock, sleep=sleep), sleep=sleep)
    return GitHubForge(transport, client, secrets or {}, sleep=sleep)


def _limits(document: Mapping[str, Any], paused_s: float) -> Limits:
    core = document["resources"]["core"]
    return Limits(int(core["remaining"]), int(core["limit"]), int(core["reset"]), paused_s)
