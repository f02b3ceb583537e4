"""Commits that databases are changed by where Git delivers, and what each of them can be taken back to.

A database is deleted by two: first nothing protects it, then it is gone.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar

from bot.effects.commits import CommitFiles
from bot.effects.files import safe_path
from bot.effects.marks import known
from bot.effects.objects import is_never_pruned
from bot.errors import NotFound, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.ports import Forge, Object, ObjectRef, Ports

LOOK_S = 2.0
LOOKS = 60
"""About two minutes; then the undo is shown as stuck, and tried again by itself."""


class RetireDatabase(Effect):
    """Does nothing when it is applied. Undo comes after the commit that has asked for a new database was reverted: it
    waits until Argo CD has deleted what nothing protects yet, and with it the volumes."""

    kind: ClassVar[str] = "database.retire"

    cluster: str
    api_version: str
    object_kind: str
    name: str
    namespace: str = ""
    database: str
    """What people call it."""
    application: str = ""
    """The Argo CD Application that makes it."""

    def describe(self) -> str:
        return f"Note that the database {self.database} is new: until it is protected, an undo removes it"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        return Outcome(seen=f"{self.database} is new: until it is protected, an undo removes it")

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        with ports.waiting.listening() as pause:
            for _ in range(LOOKS):
                live = await self._live(ports)
                if live is None:
                    return Undone(how=Undo.UNDONE, seen=f"{self.database} is gone")
                if is_never_pruned(live):
                    return Undone(how=Undo.KEPT, seen=f"{self.database} is protected, and stays with what is in it")
                if ports.deployments is not None and self.application:
                    with contextlib.suppress(NotFound):
                        await ports.deployments.refresh(self.application)
                await pause(LOOK_S)
        raise UpstreamUnavailable(
            f"Argo CD has not removed {self.database} yet.",
            hint="Look in Argo CD what holds it, as a rule a finalizer.",
        )

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        there = await self._live(ports) is not None
        return Proof(absent=not there, seen=f"{self._ref}: {'still there' if there else 'gone'}")

    async def _live(self, ports: Ports) -> Object | None:
        try:
            return await ports.cluster(self.cluster).get(self._ref)
        except NotFound:  # the cluster does not know the kind
            return None

    @property
    def _ref(self) -> ObjectRef:
        return ObjectRef(self.api_version, self.object_kind, self.name, self.namespace)


class ProtectDatabase(CommitFiles):
    """The commit by which a new database is protected, once it is ready. Something may write into it from then on: an
    undo keeps it, with what the commits before have made."""

    kind: ClassVar[str] = "database.protect"

    database: str
    """What people call it."""
    environment: str

    def describe(self) -> str:
        return f"Protect {self.database}, by a commit to {self.repository}"

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        _, ours = await self._look(ports.forge, run, outcome)
        if ours is None or (outcome is not None and not outcome.changed):
            return await super().undo(ports, run, outcome)
        told = f"{self.database} is ready and protected, and may hold data: it stays."
        return Undone(how=Undo.KEPT, seen=told)

    def manual(self) -> str:
        return f"/database delete {self.database} in {self.environment}"


class GrowDisk(CommitFiles):
    """A commit by which a disk grows. No disk shrinks again, so that an undo keeps it."""

    kind: ClassVar[str] = "database.grow_disk"

    database: str

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        _, ours = await self._look(ports.forge, run, outcome)
        if ours is None or (outcome is not None and not outcome.changed):
            return await super().undo(ports, run, outcome)
        told = f"The disk of {self.database} has grown, and no disk shrinks again: its new size stays."
        return Undone(how=Undo.KEPT, seen=told)


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
