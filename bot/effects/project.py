"""Let a team's AppProject allow one more place: the file is shared by all services of the team."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import yaml

from bot.effects.files import safe_path
from bot.effects.marks import RepositoryName, known, ours_among, requester, signed, signed_undo
from bot.errors import Conflict, NotFound, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.ports import Commit, File, Forge, Ports

MOVED_BRANCH_TRIES = 5
LISTS = ("sourceRepos", "destinations", "clusterResourceWhitelist")
"""Lists of a project's `spec` that places add to."""
DEEPEST = 40
"""Levels of a project's file."""


class JoinProject(Effect):
    """Adds to the lists of an Argo CD project what is not in them; all else in the file stays as people wrote it.

    A missing file is made from `project`. Undo removes what this step has added, as long as it is still there.
    Outputs: `commitHash`, where a commit was needed.
    """

    kind: ClassVar[str] = "gitops.join_project"

    repository: RepositoryName
    branch: str
    path: str
    project: Mapping[str, JSON]
    """The whole AppProject as it is when nobody else is in it: its lists are what is added."""

    def describe(self) -> str:
        metadata = self.project.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else self.path
        return f"Let the Argo CD project {name} reach what this needs"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        async with ports.turns(f"{self.repository}@{self.branch}"):
            for _ in range(MOVED_BRANCH_TRIES):
                try:
                    return await self._apply(ports.forge, run)
                except _Moved:
                    continue
        raise UpstreamUnavailable(f"The branch {self.branch} of {self.repository} keeps moving.", retry_after_s=5.0)

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        async with ports.turns(f"{self.repository}@{self.branch}"):
            for _ in range(MOVED_BRANCH_TRIES):
                try:
                    return await self._undo(ports.forge, run)
                except _Moved:
                    continue
        raise UpstreamUnavailable(f"The branch {self.branch} of {self.repository} keeps moving.", retry_after_s=5.0)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        name = known(self.repository)
        ours = ours_among(await ports.forge.recent_commits(name, self.branch), run)
        return Proof(absent=ours is None, seen=f"{name}: {'still joined' if ours else 'nothing of this step'}")

    def manual(self) -> str:
        return f"git log -1 --format=%H --grep='Causeway-Step: {self.id}' origin/{self.branch} | xargs git revert"

    async def _apply(self, forge: Forge, run: Run) -> Outcome:
        name = known(self.repository)
        ours = ours_among(await forge.recent_commits(name, self.branch), run)
        if ours is not None:
            return self._done(ours)
        head, before = await self._read(forge)
        after = joined(before, self.project)
        if after == before:
            return Outcome(seen=f"{self.path} allows it already", changed=False)
        return self._done(await self._write(forge, run, head, after, signed(self._message("Let"), run)))

    async def _undo(self, forge: Forge, run: Run) -> Undone:
        name = known(self.repository)
        ours = ours_among(await forge.recent_commits(name, self.branch), run)
        if ours is None:
            return Undone(how=Undo.UNDONE, seen=f"no commit of this step on {name}")
        head, now = await self._read(forge)
        was = await self._at(forge, ours.parents[0]) if ours.parents else None
        after = parted(now, was, self.project)
        await self._write(forge, run, head, after, signed_undo(self._message("No longer let"), run))
        return Undone(how=Undo.UNDONE, seen=f"{self.path} is as it was, but for what others have added")

    async def _write(self, forge: Forge, run: Run, head: Commit, text: str | None, message: str) -> Commit:
        files = [File(self.path, text.encode())] if text is not None else []
        try:
            return await forge.commit(
                known(self.repository),
                self.branch,
                files,
                message,
                parent=head.sha,
                deleted=[] if files else [safe_path(self.path)],
                author=requester(run),
            )
        except Conflict as error:
            raise _Moved(error.message) from error

    async def _read(self, forge: Forge) -> tuple[Commit, str | None]:
        head = await forge.branch_head(known(self.repository), self.branch)
        if head is None:
            raise NotFound(f"The repository {self.repository} has no branch {self.branch}.")
        return head, await self._at(forge, head.sha)

    async def _at(self, forge: Forge, commit: str) -> str | None:
        content = await forge.file(known(self.repository), commit, self.path)
        return content.decode(errors="replace") if content is not None else None

    def _message(self, what: str) -> str:
        return f"{what} {self.path.rpartition('/')[2].removesuffix('.yaml')} reach one more place"

    def _done(self, commit: Commit) -> Outcome:
        return Outcome(
            seen=f"commit {commit.sha[:7]} on {self.branch} of {self.repository}",
            outputs={"commitHash": commit.sha},
            made={"commit": commit.sha},
        )


class _Moved(Conflict):
    """The branch moved between reading and writing: read again."""


def joined(text: str | None, project: Mapping[str, JSON]) -> str:
    """Return the file with every member of the project's lists in it; as it stands when all are there.

    What is added to gets the project's annotations as well, unless it says something else there.

    Raise `Conflict` for a file that is no AppProject.
    """
    if text is None:
        return _written(project)
    found = _parsed(text)
    spec, added = found["spec"], False
    for name in LISTS:
        members = spec.get(name) or []
        missing = [one for one in _members(project, name) if one not in members]
        if missing:
            added = True
            spec[name] = sorted([*members, *missing], key=str)
    if not added:
        return text
    _annotate(found, project)
    return _written(found)


def _annotate(found: dict[str, Any], project: Mapping[str, JSON]) -> None:
    """Give the project our annotations where it has none of its own: it has to be there before its Applications."""
    ours = project.get("metadata")
    annotations = ours.get("annotations") if isinstance(ours, dict) else None
    if annotations and isinstance(annotations, dict):
        metadata = found["metadata"] = dict(found.get("metadata") or {})
        metadata["annotations"] = {**annotations, **(metadata.get("annotations") or {})}


def parted(text: str | None, before: str | None, project: Mapping[str, JSON]) -> str | None:
    """Return the file without those members of the project's lists that were not in it `before`; None for no file."""
    if text is None:
        return None
    found = _parsed(text)
    was = _parsed(before)["spec"] if before is not None else {}
    for name in LISTS:
        ours = [one for one in _members(project, name) if one not in (was.get(name) or [])]
        found["spec"][name] = [one for one in found["spec"].get(name) or [] if one not in ours]
    return _written(found) if before is not None or found["spec"]["destinations"] else None


def _members(project: Mapping[str, JSON], name: str) -> Sequence[Any]:
    spec = project.get("spec")
    members = spec.get(name) if isinstance(spec, dict) else None
    return members if isinstance(members, list) else []


def _parsed(text: str) -> dict[str, Any]:
    found = None
    with contextlib.suppress(yaml.YAMLError, ValueError):  # ValueError: such as a date that is none
        found = yaml.safe_load(text) if _is_plain(text) else None
    spec = found.get("spec") if isinstance(found, dict) and found.get("kind") == "AppProject" else None
    lists = isinstance(spec, dict) and all(isinstance(spec.get(name) or [], list) for name in LISTS)
    if not lists or not isinstance(found, dict) or not isinstance(found.get("metadata") or {}, dict):
        raise Conflict("The project's file in the GitOps repository is no AppProject.", hint="Mend it, then try again.")
    return found


def _is_plain(text: str) -> bool:
    """Whether it neither nests without end nor holds aliases, which can stand for any number of values."""
    depth = 0
    for event in yaml.parse(text):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or isinstance(event, yaml.AliasEvent):
            return False
    return True


def _written(project: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(project), sort_keys=False, allow_unicode=True, width=120)
