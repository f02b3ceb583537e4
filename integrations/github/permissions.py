"""What our credentials may not do, found out without doing it: for `causeway doctor`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bot.errors import Refused
from integrations.github.client import Client
from integrations.github.credentials import Job
from integrations.github.jobs import (
    ACTIONS,
    COMMENTS,
    CONTENT,
    DEPLOYMENTS,
    HOOKS,
    PACKAGES,
    READ,
    SETTINGS,
    TEAMS,
    VARIABLES,
    job,
    repo_path,
    split,
)

NEEDED = (
    ("commit files", CONTENT),
    ("make and protect repositories", SETTINGS),
    ("give teams access", TEAMS),
    ("set variables", VARIABLES),
    ("make webhooks", HOOKS),
    ("follow CI", ACTIONS),
    ("find images", PACKAGES),
    ("record deployments", DEPLOYMENTS),
    ("comment on pull requests", COMMENTS),
)
"""Kinds of work, and the permissions that an App is asked for to do them."""


class Permissions:
    """The part of `GitHubForge` that knows its own rights."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def lacking(self, full_name: str) -> tuple[str, ...]:
        """Return the work that we may not do in a repository, each as “commit files (contents: write)”.

        An App says so when it is asked for a token with those permissions. Of a personal token GitHub tells only
        whether it may push. Raise `NotFound` for a repository that we may not even see, `Refused` for bad credentials.
        """
        await self._rights(job(full_name, READ), full_name)
        return tuple([told for work in NEEDED if (told := await self._lacks(full_name, *work))])

    async def unheard(self, events: Collection[str]) -> tuple[str, ...]:
        """Return those of these webhook events that our App is not sent. Nothing is known of a personal token's."""
        subscribed = await self._client.subscribed()
        return () if subscribed is None else tuple(sorted(set(events) - subscribed))

    async def _lacks(self, full_name: str, work: str, permissions: tuple[tuple[str, str], ...]) -> str:
        owner, _ = split(full_name)
        # Packages belong to the owner: a token for one repository would not reach them.
        asked = Job(owner, None, permissions) if permissions is PACKAGES else job(full_name, permissions)
        try:
            rights = await self._rights(asked, full_name)
            if permissions is not CONTENT or rights.get("push", True):
                return ""
        except Refused:
            pass  # told below
        wanted = ", ".join(f"{name}: {level}" for name, level in permissions if name != "metadata")
        return f"{work} ({wanted})"

    async def _rights(self, work: Job, full_name: str) -> Mapping[str, bool]:
        # Said what it accepts, the client does not take the answer that it keeps for another token.
        accept, doing = "application/vnd.github+json", f"read {full_name}"
        return await self._client.get(work, repo_path(full_name), doing, _of_repository, accept=accept)


def _of_repository(document: Any) -> Mapping[str, bool]:
    """A server that does not say what we may do says nothing against it."""
    rights = document.get("permissions")
    return rights if isinstance(rights, dict) else {}
