"""Branches, trees and commits: the calls behind files. A whole skeleton is one tree, one commit, one reference."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bot.errors import Conflict, NotFound, OutcomeUnknown, UpstreamUnavailable
from bot.ports import RECENT_COMMITS, Author, Commit, File, Tree
from integrations.github import shapes
from integrations.github.client import Client, each, nothing
from integrations.github.jobs import CONTENT, READ, job, repo_path, split
from integrations.github.limiter import Cost

T = TypeVar("T")
_HASH = re.compile(r"[0-9a-f]{40}")
MOST_REMEMBERED = 200
LARGEST_INLINE = 512_000
"""A text up to this many bytes travels inside the tree; what is larger, or no text, goes as a blob of its own."""


class Contents:
    """The part of `GitHubForge` that reads and writes files."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ourselves: dict[str, Author] = {}
        """Owner of repositories → whose name our commits carry there."""
        self._seen: dict[tuple[str, str], Commit] = {}
        """Commits by repository and hash: a hash never means anything else, so nobody has to ask for one twice."""

    async def branch_head(self, full_name: str, branch: str) -> Commit | None:
        path, doing = repo_path(full_name, "branches", branch), f"read the branch {branch} of {full_name}"
        head = await self._client.find(job(full_name, READ), path, doing, lambda found: shapes.commit(found["commit"]))
        return head and self._remembered(full_name, head)

    async def recent_commits(self, full_name: str, branch: str) -> Sequence[Commit]:
        query = {"sha": branch, "per_page": str(RECENT_COMMITS)}
        path, doing = repo_path(full_name, "commits"), f"read the commits of {full_name}"
        found = await self._client.find(job(full_name, READ), path, doing, each(shapes.commit), query=query)
        return found or ()

    async def tree(self, full_name: str, ref: str, path: str = "", *, contents: bool = True) -> Tree:
        commit = await self._commit(full_name, ref)
        entries = await self._entries(full_name, commit.tree)
        folder = path.strip("/")
        prefix = f"{folder}/" if folder else ""
        blobs = [entry for entry in entries if entry.type == "blob" and entry.path.startswith(prefix)]
        sha = next((entry.sha for entry in entries if entry.type == "tree" and entry.path == folder), "absent")
        bodies: Sequence[bytes] = [b""] * len(blobs)
        if contents:
            bodies = await asyncio.gather(*(self._blob(full_name, entry.sha) for entry in blobs))
        files = [File(e.path, body, e.mode, e.sha) for e, body in zip(blobs, bodies, strict=True)]
        return Tree(commit.sha, sha if folder else commit.tree, files)

    async def file(self, full_name: str, ref: str, path: str) -> bytes | None:
        target, doing = repo_path(full_name, "contents", path), f"read {path} of {full_name}"
        entry = await self._client.find(job(full_name, READ), target, doing, shapes.entry, query={"ref": ref})
        if entry is None:
            return None
        if entry.content is not None:
            return entry.content
        return await self._blob(full_name, entry.sha)  # the contents call stops at 1 MB

    async def commit(
        self,
        full_name: str,
        branch: str,
        files: Sequence[File],
        message: str,
        *,
        parent: str | None,
        deleted: Sequence[str] = (),
        author: Author | None = None,
    ) -> Commit:
        head = await self.branch_head(full_name, branch)
        if parent is not None and head is not None and head.sha != parent:
            raise Conflict(f"The branch {branch} of {full_name} has moved.")
        tree: dict[str, Any] = {"tree": await self._tree_entries(full_name, files, deleted if parent else ())}
        if parent is not None:
            tree["base_tree"] = (await self._commit(full_name, parent)).tree
        stored = await self._make(full_name, "trees", f"store the files of {full_name}", tree, shapes.sha)
        # Without an author, committer and signature are left out too: only then does GitHub sign for an App.
        body = {"message": message, "tree": stored, "parents": [parent] if parent else []}
        if author is not None:
            body |= await self._people(full_name, body, author)
        commit = await self._make(full_name, "commits", f"commit to {full_name}", body, shapes.commit)
        await self._point(full_name, branch, commit.sha, exists=head is not None, force=parent is None)
        return commit

    async def move_branch(self, full_name: str, branch: str, *, to: str, expected: str) -> None:
        head = await self.branch_head(full_name, branch)
        if head is None or head.sha != expected:
            raise Conflict(f"The branch {branch} of {full_name} has moved.")
        await self._point(full_name, branch, to, exists=True, force=True)

    async def delete_branch(self, full_name: str, branch: str) -> None:
        path = repo_path(full_name, "git", "refs", "heads", branch)
        doing = f"delete the branch {branch} of {full_name}"
        try:
            await self._client.write(job(full_name, CONTENT), "DELETE", path, doing, read=nothing)
        except Conflict as error:
            if "does not exist" in error.message:
                raise NotFound(f"The repository {full_name} has no branch {branch}.") from error
            raise

    async def _people(self, full_name: str, body: Mapping[str, Any], author: Author) -> dict[str, Any]:
        """Return author and committer. GitHub takes the author for both unless the committer is named, and nowhere
        tells an App its own name; so a first commit without names, which no branch ever sees, shows who we are."""
        owner, _ = split(full_name)
        if owner not in self._ourselves:
            doing = f"commit to {full_name}"
            self._ourselves[owner] = await self._make(full_name, "commits", doing, body, shapes.author)
        return {
            "author": {"name": author.name, "email": author.email},
            "committer": {"name": self._ourselves[owner].name, "email": self._ourselves[owner].email},
        }

    async def _commit(self, full_name: str, ref: str) -> Commit:
        read = job(full_name, READ)
        if _HASH.fullmatch(ref):
            if seen := self._seen.get((full_name, ref)):
                return seen
            path = repo_path(full_name, "git", "commits", ref)
            found = await self._client.get(read, path, f"read a commit of {full_name}", shapes.commit)
            return self._remembered(full_name, found)
        path, doing = repo_path(full_name, "commits", ref), f"read {ref} of {full_name}"
        # One entry a page: the commit's list of changed files is not wanted.
        named = await self._client.find(read, path, doing, shapes.commit, query={"per_page": "1"})
        if named is None:
            raise NotFound(f"The repository {full_name} has no branch or tag {ref}, or we may not read it.")
        return self._remembered(full_name, named)

    def _remembered(self, full_name: str, commit: Commit) -> Commit:
        self._seen[full_name, commit.sha] = commit
        while len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return commit

    async def _entries(self, full_name: str, tree: str) -> Sequence[shapes.Entry]:
        path, doing = repo_path(full_name, "git", "trees", tree), f"list the files of {full_name}"
        entries = await self._client.get(job(full_name, READ), path, doing, shapes.entries, query={"recursive": "1"})
        if entries is None:
            raise Conflict(f"The repository {full_name} has more files than GitHub lists at once.")
        return entries

    async def _blob(self, full_name: str, sha: str) -> bytes:
        path = repo_path(full_name, "git", "blobs", sha)
        return await self._client.get(job(full_name, READ), path, f"read a file of {full_name}", shapes.blob)

    async def _tree_entries(
        self, full_name: str, files: Sequence[File], deleted: Sequence[str]
    ) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        for file in files:
            entry: dict[str, Any] = {"path": file.path, "mode": file.mode, "type": "blob"}
            text = None if file.sha else _inline(file.content)
            if text is not None:
                entry["content"] = text
            else:
                entry["sha"] = file.sha or await self._store(full_name, file.content)
            entries.append(entry)
        return entries + [{"path": path, "mode": "100644", "type": "blob", "sha": None} for path in deleted]

    async def _store(self, full_name: str, content: bytes) -> str:
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return await self._make(full_name, "blobs", f"store a file of {full_name}", body, shapes.sha)

    async def _make(self, full_name: str, kind: str, doing: str, body: Any, read: Callable[[Any], T]) -> T:
        """Store a Git object. Nobody sees it before a branch names it, so a lost answer is only a failure."""
        write, path = job(full_name, CONTENT), repo_path(full_name, "git", kind)
        try:
            return await self._client.write(write, "POST", path, doing, body=body, read=read, cost=Cost.CREATE)
        except OutcomeUnknown as error:
            raise UpstreamUnavailable(f"GitHub did not {doing}.", hint="Causeway tries again by itself.") from error

    async def _point(self, full_name: str, branch: str, sha: str, *, exists: bool, force: bool) -> None:
        doing = f"let the branch {branch} of {full_name} name the new commit"
        if exists:
            method, path = "PATCH", repo_path(full_name, "git", "refs", "heads", branch)
            body: dict[str, Any] = {"sha": sha, "force": force}
        else:
            method, path = "POST", repo_path(full_name, "git", "refs")
            body = {"ref": f"refs/heads/{branch}", "sha": sha}
        await self._client.write(job(full_name, CONTENT), method, path, doing, body=body, read=nothing)


def _inline(content: bytes) -> str | None:
    """Return the content as text where a tree can carry it."""
    if len(content) > LARGEST_INLINE or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
