"""Take out of the GitOps repository what is torn down: its files, and its place in the team's project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bot.effects.commits import CommitFiles
from bot.effects.files import FileBody
from bot.effects.marks import known, ours_among, signed
from bot.effects.project import JoinProject, parted
from bot.model.canonical import JSON
from bot.model.effect import Outcome, Proof, Run, Undo, Undone
from bot.ports import Forge, Ports

STAYS = "what is torn down is not put back"


class RemoveFiles(CommitFiles):
    """One commit that deletes files. Argo CD deletes what stood in them, data included: putting the files back would
    make something else of the same name, so nothing does."""

    kind: ClassVar[str] = "forge.remove_files"
    undoable: ClassVar[bool] = False

    files: tuple[FileBody, ...] = ()

    def describe(self) -> str:
        count = len(self.deleted)
        return f"Delete {count} file{'' if count == 1 else 's'} from {self.repository}, branch {self.branch}"

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        return Undone(how=Undo.NOTHING, seen=STAYS)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        return Proof(absent=True, seen=STAYS)


class LeaveProject(JoinProject):
    """Takes destinations out of a team's AppProject; the last one takes the file along. It comes after Argo CD has
    deleted what it had made there: without its project it deletes nothing."""

    kind: ClassVar[str] = "gitops.leave_project"
    undoable: ClassVar[bool] = False

    def describe(self) -> str:
        return f"No longer let the Argo CD project {self.path.rpartition('/')[2].removesuffix('.yaml')} reach this"

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        return Undone(how=Undo.NOTHING, seen=STAYS)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        return Proof(absent=True, seen=STAYS)

    async def _apply(self, forge: Forge, run: Run) -> Outcome:
        name = known(self.repository)
        ours = ours_among(await forge.recent_commits(name, self.branch), run)
        if ours is not None:
            return self._done(ours)
        head, now = await self._read(forge)
        if now is None or not _destinations(self.project):
            return Outcome(seen=f"{self.path} is not there", changed=False)
        # What else it allows, other services of the team may need: only the destination is this one's alone.
        after = parted(now, None, {"spec": {"destinations": _destinations(self.project)}})
        if after == now:
            return Outcome(seen=f"{self.path} allows it no more already", changed=False)
        return self._done(await self._write(forge, run, head, after, signed(self._message("No longer let"), run)))


def _destinations(project: Mapping[str, JSON]) -> list[JSON]:
    spec = project.get("spec")
    found = spec.get("destinations") if isinstance(spec, dict) else None
    return found if isinstance(found, list) else []
