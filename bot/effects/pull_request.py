"""Open a pull request: a branch with one commit, offered to the people who own the base."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import ClassVar

from pydantic import Field, field_validator

from bot.effects.files import FileBody, found, safe_path
from bot.effects.marks import RepositoryName, is_ours, known, ours_among, signed
from bot.errors import Conflict, NotFound
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import Commit, Forge, Ports


class OpenPullRequest(Effect):
    """A branch with one commit, and a pull request for it.

    Outputs: `remoteUrl`, `pullRequestNumber`, `targetBranchName`, `commitHash`.
    """

    kind: ClassVar[str] = "forge.open_pull_request"

    repository: RepositoryName
    branch: Text
    base: Text = "main"
    title: Text
    body: Text = ""
    files: tuple[FileBody, ...]
    deleted: tuple[str, ...] = ()
    message: Text = Field(default="")
    """The commit's message; the title where it is empty."""

    @field_validator("deleted")
    @classmethod
    def _inside_the_repository(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(safe_path(path) for path in paths)

    def describe(self) -> str:
        return f"Open a pull request “{self.title}” from {self.branch} to {self.base} of {self.repository}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        name, branch, base = known(self.repository), known(self.branch), known(self.base)
        commit = await self._commit(ports.forge, run)
        request = await ports.forge.pull_request_for(name, branch)
        if request is None or not is_ours(request.body, run):
            request = await ports.forge.create_pull_request(
                name, head=branch, base=base, title=known(self.title), body=signed(known(self.body), run)
            )
        return Outcome(
            seen=f"pull request #{request.number} in {name}",
            outputs={
                "remoteUrl": request.web_url,
                "pullRequestNumber": request.number,
                "targetBranchName": base,
                "commitHash": commit.sha,
            },
            made={"number": request.number, "commit": commit.sha},
            links={"Pull request": request.web_url},
        )

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        name, branch = known(self.repository), known(self.branch)
        if await ports.forge.repository(name) is None:
            return Undone(how=Undo.UNDONE, seen=f"{name} does not exist")
        request = await ports.forge.pull_request_for(name, branch)
        ours = request is not None and is_ours(request.body, run)
        if request is not None and ours and request.merged:
            return Undone(
                how=Undo.KEPT,
                seen=f"Pull request #{request.number} in {name} was merged, so its change stays.",
                command=f"gh pr revert {request.number} --repo {name}",
            )
        head = await ports.forge.branch_head(name, branch)
        if head is not None and not is_ours(head.message, run):
            return Undone(
                how=Undo.KEPT if ours else Undo.NOTHING,
                seen=f"Others have pushed to {branch} of {name}, so it stays.",
                command=self.manual() if ours else "",
            )
        if request is not None and ours and request.state == "open":
            await ports.forge.close_pull_request(name, request.number)
        if head is not None:
            await ports.forge.delete_branch(name, branch)
        return Undone(how=Undo.UNDONE, seen=f"pull request closed and branch {branch} of {name} deleted")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        name, branch = known(self.repository), known(self.branch)
        if await ports.forge.repository(name) is None:
            return Proof(absent=True, seen=f"repository {name}: not found")
        request = await ports.forge.pull_request_for(name, branch)
        head = await ports.forge.branch_head(name, branch)
        open_still = request is not None and is_ours(request.body, run) and request.state == "open"
        branch_still = head is not None and is_ours(head.message, run)
        return Proof(
            absent=not (open_still or branch_still),
            seen=f"{name}: branch {branch} {'still there' if branch_still else 'not ours'}, "
            f"pull request {'open' if open_still else 'not open'}",
        )

    def manual(self) -> str:
        return f"gh pr close {quote(str(self.branch))} --repo {self.repository} --delete-branch"

    async def _commit(self, forge: Forge, run: Run) -> Commit:
        """Return the branch's commit, made now unless an earlier attempt made it."""
        name, branch = known(self.repository), known(self.branch)
        commits = await forge.recent_commits(name, branch)
        ours = ours_among(commits, run)
        if ours is not None:
            return ours
        if commits:
            raise Conflict(f"{name} has a branch {branch} already.", hint="Merge or delete it, then try again.")
        base = await forge.branch_head(name, known(self.base))
        if base is None:
            raise NotFound(f"The repository {name} has no branch {self.base}.")
        return await forge.commit(
            name,
            branch,
            [file.file() for file in self.files],
            signed(known(self.message) or known(self.title), run),
            parent=base.sha,
            deleted=await self._deletable(forge, base.sha),
        )

    async def _deletable(self, forge: Forge, base: str) -> Sequence[str]:
        """Return the files to delete that are there: no forge deletes a file that is not."""
        if not self.deleted:
            return ()
        now = found(await forge.tree(known(self.repository), base, contents=False))
        return [path for path in self.deleted if path in now]
