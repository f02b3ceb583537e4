"""Commit files to a branch: the first commit of a fresh repository, or one more commit on an existing branch."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import ClassVar

from pydantic import field_validator

from bot.effects.files import FileBody, as_wanted, found, safe_path, wanted
from bot.effects.marks import RepositoryName, known, ours_among, requester, signed, signed_undo
from bot.effects.repository import beside_the_default_branch
from bot.errors import Conflict, NotFound, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import RECENT_COMMITS, Commit, File, Forge, Ports

MOVED_BRANCH_TRIES = 5


class CommitFiles(Effect):
    """One commit, signed in its trailers by the human, the operation and the step.

    With `replaces` it becomes the only commit of a fresh repository; undo lets the branch name the replaced commit
    again. Without, it builds on the branch as it is then; undo is a commit that puts the touched paths back, if all
    of them still hold what this step wrote.
    Outputs: `commitHash`, and `commitShort`, its first seven characters.
    """

    kind: ClassVar[str] = "forge.commit_files"

    repository: RepositoryName
    branch: Text = "main"
    files: tuple[FileBody, ...]
    deleted: tuple[str, ...] = ()
    message: Text
    as_requester: bool = False
    """Whether the commit carries the requester as its author. GitHub signs no such commit for an App, so it is for
    repositories where who changed what matters more than the badge."""
    replaces: Text | None = None
    """Hash of the empty first commit of a fresh repository: the output `head` of `forge.create_repository`."""

    @field_validator("deleted")
    @classmethod
    def _inside_the_repository(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(safe_path(path) for path in paths)

    def describe(self) -> str:
        count = len(self.files) + len(self.deleted)
        return f"Commit {count} file{'' if count == 1 else 's'} to {self.repository}, branch {self.branch}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        async with ports.turns(f"{self.repository}@{self.branch}"):
            return await self._apply(ports, run)

    async def _apply(self, ports: Ports, run: Run) -> Outcome:
        for _ in range(MOVED_BRANCH_TRIES):
            commits = await ports.forge.recent_commits(known(self.repository), known(self.branch))
            ours = ours_among(commits, run)
            if ours is not None:
                return await self._done(ports.forge, ours)
            try:
                return await (self._first(ports.forge, run, commits) if self.replaces else self._next(ports.forge, run))
            except _Moved:
                continue
        raise UpstreamUnavailable(f"The branch {self.branch} of {self.repository} keeps moving.", retry_after_s=5.0)

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        if outcome is not None and not outcome.changed:
            return Undone(how=Undo.NOTHING, seen="the files were there before this operation")
        commits, ours = await self._look(ports.forge, run, outcome)
        if ours is None:
            return Undone(how=Undo.UNDONE, seen=f"no commit of this step on {self.repository}")
        if self.replaces:
            return await self._undo_first(ports.forge, run, commits[0], ours)
        return await self._revert(ports.forge, run, commits[0], ours)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        if outcome is not None and not outcome.changed:
            return Proof(absent=True, seen="this step committed nothing")
        commits, ours = await self._look(ports.forge, run, outcome)
        if ours is None:
            return Proof(absent=True, seen=f"{self.repository}: no commit of this step")
        absent = not self.replaces and await self._is_reverted(ports.forge, commits[0], ours)
        return Proof(absent=absent, seen=f"{self.repository}: {ours.sha[:7]} {'reverted' if absent else 'still there'}")

    def manual(self) -> str:
        found_by = quote(f"Causeway-Step: {self.id}")
        return f"git log -1 --format=%H --grep={found_by} {quote(f'origin/{self.branch}')} | xargs git revert"

    # --- making it

    async def _first(self, forge: Forge, run: Run, commits: Sequence[Commit]) -> Outcome:
        head = commits[0].sha if commits else None
        if head != known(self.replaces or ""):
            raise Conflict(f"Somebody else has pushed to {self.repository} while it was being set up.")
        return await self._done(forge, await self._commit(forge, run, parent=None))

    async def _next(self, forge: Forge, run: Run) -> Outcome:
        name, branch = known(self.repository), known(self.branch)
        head = await forge.branch_head(name, branch)
        if head is None:
            raise NotFound(f"The repository {name} has no branch {branch}.")
        now = found(await forge.tree(name, head.sha, contents=False))
        if as_wanted(now, wanted(self.files), self.deleted):
            return Outcome(
                seen=f"{branch} of {name} holds these files already",
                changed=False,
                outputs=_named(head.sha),
            )
        try:
            return await self._done(forge, await self._commit(forge, run, parent=head.sha, now=tuple(now)))
        except Conflict as error:
            raise _Moved(error.message) from error

    async def _commit(self, forge: Forge, run: Run, *, parent: str | None, now: Sequence[str] = ()) -> Commit:
        return await forge.commit(
            known(self.repository),
            known(self.branch),
            [file.file() for file in self.files],
            signed(known(self.message), run),
            parent=parent,
            deleted=[path for path in self.deleted if path in now],
            author=requester(run) if self.as_requester else None,
        )

    async def _done(self, forge: Forge, commit: Commit) -> Outcome:
        name = known(self.repository)
        if not self.replaces:
            seen = f"commit {commit.sha[:7]} on {self.branch} of {name}"
        else:
            seen = f"{len(self.files)} files in {name}, {self.branch} at {commit.sha[:7]}"
        return Outcome(
            seen=seen,
            outputs=_named(commit.sha),
            made={"commit": commit.sha},
            links={"Commit": commit.web_url},
        )

    # --- taking it back

    async def _look(self, forge: Forge, run: Run, outcome: Outcome | None) -> tuple[Sequence[Commit], Commit | None]:
        """Return the branch's recent commits and this step's own, wherever in the branch it is."""
        name = known(self.repository)
        commits = await _commits(forge, name, known(self.branch))
        ours = ours_among(commits, run)
        if ours is None and outcome is not None and len(commits) == RECENT_COMMITS:
            # Further down than we read: the recorded hash finds it.
            ours = ours_among(await _commits(forge, name, str(outcome.made.get("commit"))), run)
        return commits, ours

    async def _undo_first(self, forge: Forge, run: Run, head: Commit, ours: Commit) -> Undone:
        name, branch = known(self.repository), known(self.branch)
        now = found(await forge.tree(name, head.sha, contents=False))
        if head.sha != ours.sha or now != wanted(self.files):
            return self._kept(ours)
        if beside_the_default_branch(await forge.activity(name), branch, run):
            return self._kept(ours)  # what others have begun there stands on this commit
        await forge.move_branch(name, branch, to=known(self.replaces or ""), expected=head.sha)
        return Undone(how=Undo.UNDONE, seen=f"{branch} of {name} is empty again")

    async def _revert(self, forge: Forge, run: Run, head: Commit, ours: Commit) -> Undone:
        name = known(self.repository)
        before = await self._before(forge, ours)
        now = found(await forge.tree(name, head.sha, contents=False))
        if _same(now, before, self._paths()):
            return Undone(how=Undo.UNDONE, seen=f"{ours.sha[:7]} on {name} is reverted")
        if not as_wanted(now, wanted(self.files), self.deleted):
            return self._kept(ours)
        reverted = await forge.commit(
            name,
            known(self.branch),
            [File(path, b"", *before[path]) for path in self._paths() if path in before],
            signed_undo(f"Revert “{known(self.message).splitlines()[0]}”", run),
            parent=head.sha,
            deleted=[path for path in self._paths() if path not in before and path in now],
        )
        return Undone(how=Undo.UNDONE, seen=f"{ours.sha[:7]} on {name} is reverted by {reverted.sha[:7]}")

    async def _is_reverted(self, forge: Forge, head: Commit, ours: Commit) -> bool:
        before = await self._before(forge, ours)
        now = found(await forge.tree(known(self.repository), head.sha, contents=False))
        return _same(now, before, self._paths())

    async def _before(self, forge: Forge, ours: Commit) -> dict[str, tuple[str, str]]:
        return found(await forge.tree(known(self.repository), ours.parents[0], contents=False)) if ours.parents else {}

    def _paths(self) -> tuple[str, ...]:
        return (*(file.path for file in self.files), *self.deleted)

    def _kept(self, ours: Commit) -> Undone:
        return Undone(
            how=Undo.KEPT,
            seen=f"Others have changed {self.repository} since {ours.sha[:7]}, so these files stay.",
            command=f"git revert {ours.sha}",
        )


class _Moved(Conflict):
    """The branch moved between reading and writing: read again."""


def _same(now: dict[str, tuple[str, str]], before: dict[str, tuple[str, str]], paths: Sequence[str]) -> bool:
    return all(now.get(path) == before.get(path) for path in paths)


async def _commits(forge: Forge, name: str, branch: str) -> Sequence[Commit]:
    """Return the branch's recent commits; none when the repository itself is gone."""
    try:
        return await forge.recent_commits(name, branch)
    except NotFound:
        return ()


def _named(sha: str) -> dict[str, JSON]:
    return {"commitHash": sha, "commitShort": sha[:7]}
