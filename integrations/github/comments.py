"""Comments in the conversation of a pull request. To GitHub a pull request is an issue with a branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.ports import Comment
from integrations.github.client import Client, nothing
from integrations.github.credentials import Job
from integrations.github.jobs import COMMENTS, ORGANISATION_READ, READ, job, repo_path, split
from integrations.github.limiter import Cost


class Comments:
    """The part of `GitHubForge` that takes part in conversations."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._login = ""
        """Ours, where we speak as a person; asked for once."""

    async def comments(self, full_name: str, number: int) -> Sequence[Comment]:
        path = repo_path(full_name, "issues", str(number), "comments")
        doing = f"read the comments of #{number} in {full_name}"
        found = await self._client.get_all(job(full_name, READ), path, doing, _written)
        return [replace(one.comment, ours=await self._is_ours(full_name, one)) for one in found]

    async def create_comment(self, full_name: str, number: int, body: str) -> Comment:
        write, path = job(full_name, COMMENTS), repo_path(full_name, "issues", str(number), "comments")
        doing = f"comment on #{number} in {full_name}"
        asked = {"body": body}
        made = await self._client.write(write, "POST", path, doing, body=asked, read=_written, cost=Cost.CREATE)
        return replace(made.comment, ours=True)

    async def update_comment(self, full_name: str, comment: int, body: str) -> None:
        write, doing = job(full_name, COMMENTS), f"edit a comment in {full_name}"
        await self._client.write(write, "PATCH", _path(full_name, comment), doing, body={"body": body}, read=nothing)

    async def delete_comment(self, full_name: str, comment: int) -> None:
        write, doing = job(full_name, COMMENTS), f"delete a comment in {full_name}"
        await self._client.write(write, "DELETE", _path(full_name, comment), doing, read=nothing)

    async def _is_ours(self, full_name: str, written: _Written) -> bool:
        """GitHub names the App that wrote a comment: anybody may copy our words, but nobody writes as our App."""
        if self._client.app_id:
            return self._client.app_id in written.apps
        if not self._login:
            owner, _ = split(full_name)
            work = Job(owner, None, ORGANISATION_READ)
            self._login = await self._client.get(work, "/user", "read who we are", lambda found: str(found["login"]))
        return written.comment.author == self._login


@dataclass(frozen=True, slots=True)
class _Written:
    comment: Comment
    apps: frozenset[str]
    """What the App that wrote it is called: its id and its client id. Empty where a person wrote it."""


def _written(document: Mapping[str, Any]) -> _Written:
    app = document.get("performed_via_github_app") or {}
    comment = Comment(
        id=int(document["id"]),
        body=document.get("body") or "",
        author=(document.get("user") or {}).get("login") or "",
        web_url=document.get("html_url") or "",
    )
    return _Written(comment, frozenset(str(app[name]) for name in ("id", "client_id") if app.get(name)))


def _path(full_name: str, comment: int) -> str:
    return repo_path(full_name, "issues", "comments", str(comment))
