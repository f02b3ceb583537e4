"""Write into our book what was made for a while, and that it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from bot.effects.marks import known
from bot.errors import NotFound
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import EnvironmentRecord, Environments, Ports

Kind = Literal["preview", "database"]


class EnterBook(Effect):
    """A line for what this operation makes; or, where `before` stands in the book, what has changed of it.

    It goes first: what is half made stands in the book too. A line of that name that an earlier operation has left
    open ends where a new one begins. Undo ends the line that this step wrote, or puts back `before`.
    """

    kind: ClassVar[str] = "book.enter"

    name: str
    """Of the preview or the database."""
    what: Kind
    cluster: str
    namespace: str
    team: str
    by: str
    """Full reference of the person whose it is."""
    expires_at: AwareDatetime | None = None
    holds: Mapping[str, JSON] = Field(default_factory=dict)
    """What must be gone with it and stands elsewhere."""
    before: EnvironmentRecord | None = None
    """The line that stands and is changed; None: this operation makes something new."""

    def describe(self) -> str:
        if self.before is not None:
            return f"Write down what changes of the {_called(self.what, self.name)}"
        return f"Write down the {_called(self.what, self.name)}, so that nothing of it is forgotten"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        book = _book(ports)
        there = await self._standing(book)
        operation = self.before.operation if self.before is not None else run.operation
        if there is not None and there.operation != operation:
            await book.end(self.what, self.cluster, self.name, there.operation, run.now)
            there = None
        created_at = there.created_at if there is not None else run.now
        if there is None and self.before is not None:
            created_at = self.before.created_at
        wanted = self._line(operation, created_at)
        if there != wanted:
            await book.enter(wanted)
        return Outcome(seen=f"the {_called(self.what, self.name)} is written down{_until(self.expires_at)}")

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        book = _book(ports)
        there = await self._standing(book)
        if self.before is not None:
            if there is not None and there != self.before and there.operation == self.before.operation:
                await book.enter(self.before)
            return Undone(how=Undo.UNDONE, seen=f"what was written down of {self.name} before holds again")
        if there is not None and there.operation == run.operation:
            await book.end(self.what, self.cluster, self.name, run.operation, run.now)
        seen = f"the {_called(self.what, self.name)} of this operation is not written down any more"
        return Undone(how=Undo.UNDONE, seen=seen)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        there = await self._standing(_book(ports))
        if self.before is not None:
            mine = there is not None and there == self._line(self.before.operation, self.before.created_at)
            mine = mine and there != self.before
        else:
            mine = there is not None and there.operation == run.operation
        return Proof(absent=not mine, seen=f"{self.name}: {'still' if mine else 'not'} written down by this step")

    async def _standing(self, book: Environments) -> EnvironmentRecord | None:
        found = await book.get(self.what, self.cluster, self.name)
        return found if found is not None and found.ended_at is None else None

    def _line(self, operation: str, created_at: datetime) -> EnvironmentRecord:
        line = EnvironmentRecord(
            name=self.name,
            kind=self.what,
            cluster=self.cluster,
            namespace=self.namespace,
            team=self.team,
            by=self.by,
            operation=operation,
            created_at=created_at,
            expires_at=self.expires_at,
            holds=dict(self.holds),
        )
        # A line keeps what a change says nothing of.
        return replace(line, holds=dict(self.before.holds)) if self.before is not None and not self.holds else line


class EndInBook(Effect):
    """Its absence was proved: the line ends. It comes last, and nothing takes it back, as nothing brings back what is
    gone. What was not proved stays written down: the nightly sweep tells of it until somebody has looked."""

    kind: ClassVar[str] = "book.end"
    undoable: ClassVar[bool] = False

    name: str
    what: Kind
    cluster: str
    made_by: str = ""
    """The operation that made it; empty: whatever line stands."""
    proofs: tuple[Text, ...] = ()
    """What each proof of its absence came to: the outputs `proved` of `teardown.prove_gone`."""
    unseen: bool = False
    """Whether something could not even be looked at when this was planned."""

    def describe(self) -> str:
        return f"Write down that the {_called(self.what, self.name)} has ended"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        book = _book(ports)
        line = await book.get(self.what, self.cluster, self.name)
        operation = self.made_by or (line.operation if line is not None else "")
        if line is None or line.operation != operation:
            return Outcome(seen=f"nothing was written down of the {_called(self.what, self.name)}", changed=False)
        if line.ended_at is None and (self.unseen or "no" in map(known, self.proofs)):
            told = f"the {_called(self.what, self.name)} stays written down, for not all of it is proved to be gone"
            return Outcome(seen=f"{told}; the nightly sweep tells of it", changed=False)
        if line.ended_at is None:
            await book.end(self.what, self.cluster, self.name, operation, run.now)
        return Outcome(seen=f"the end of the {_called(self.what, self.name)} is written down")


def _called(what: Kind, name: str) -> str:
    """`preview pr-8`, `database reports in staging`: the book knows a database as `reports.staging`."""
    return f"{what} {name.replace('.', ' in ') if what == 'database' else name}"


def _until(at: datetime | None) -> str:
    return f"; it ends on {at.day} {at:%B %Y at %H:%M} UTC" if at is not None else ""


def _book(ports: Ports) -> Environments:
    if ports.environments is None:
        raise NotFound("This installation keeps no book of previews and databases.", hint="Start it with a database.")
    return ports.environments
