"""The two commits by which a database is deleted where Git delivers: first nothing protects it, then it is gone."""

from __future__ import annotations

from typing import ClassVar

from bot.effects.commits import CommitFiles
from bot.effects.files import safe_path
from bot.effects.marks import known
from bot.model.effect import Outcome, Proof, Run, Undo, Undone
from bot.ports import Forge, Ports


class LiftProtection(CommitFiles):
    """The first commit. Undo protects it again, as long as it is there: what has been deleted since, nothing brings
    back, and putting its files into Git again would make an empty database of that name."""

    kind: ClassVar[str] = "database.lift_protection"

    database: str
    """What people call it."""
    main_file: str
    """Path of the file that is there as long as the database is to be."""

    def describe(self) -> str:
        return f"Lift the protection of {self.database}, by a commit to {self.repository}"

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        if await self._was_deleted(ports.forge, run, outcome):
            return Undone(how=Undo.KEPT, seen=f"{self.database} has been deleted, and nothing brings it back.")
        return await super().undo(ports, run, outcome)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        if await self._was_deleted(ports.forge, run, outcome):
            return Proof(absent=True, seen=f"{self.database} is not in Git any more")
        return await super().gone(ports, run, outcome)

    async def _was_deleted(self, forge: Forge, run: Run, outcome: Outcome | None) -> bool:
        _, ours = await self._look(forge, run, outcome)
        if ours is None:
            return False
        return await forge.file(known(self.repository), known(self.branch), safe_path(self.main_file)) is None


class DeleteFromGit(CommitFiles):
    """The second commit. There is no undo: Argo CD deletes what it takes from Git, and with it the data."""

    kind: ClassVar[str] = "database.delete_from_git"
    undoable: ClassVar[bool] = False

    database: str

    def describe(self) -> str:
        return f"Delete {self.database}, by a commit to {self.repository}. Nothing brings back what was in it"
