"""A small outside world for the engine's tests: a folder of files, and an effect that makes one of them.

The folder outlives the process, so what a killed process did can be seen afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Conflict
from bot.model.effect import Effect, EffectCatalog, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.model.operation import Asked, Need, OperationView
from bot.model.plan import Plan, Revision
from bot.model.principal import Door, Principal
from bot.operations.contracts import Allowed, Denied, NeedsApproval, Planned
from bot.ports import CatalogRegistry, Forge, Ports

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
AUTHOR = Principal(user="user:default/author", display_name="Sample Author", groups=frozenset({"group:default/orders"}))
APPROVER = Principal(user="user:default/approver", display_name="Sample Approver")
OTHER = Principal(user="user:default/other", display_name="Sample Other")

Hook = Callable[[str, str], Awaitable[None]]


class Folder:
    """The outside system: files that carry the mark of the operation that made them."""

    def __init__(self, path: Path, hook: Hook | None = None) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._hook = hook
        self.faults: dict[str, list[Exception | Callable[[], Awaitable[None]]]] = defaultdict(list)

    def files(self) -> dict[str, str]:
        """Return name → text of all that is there."""
        found = {file.name: json.loads(file.read_text()) for file in self.path.glob("*.json")}
        return {name.removesuffix(".json"): content["text"] for name, content in sorted(found.items())}

    def history(self) -> list[str]:
        """Return every making and removing that ever happened, in order."""
        log = self.path / "history"
        return log.read_text().splitlines() if log.exists() else []

    async def at(self, point: str, name: str) -> None:
        """Called by the effect at each boundary: a place for faults and kills."""
        if self._hook is not None:
            await self._hook(point, name)
        faults = self.faults.get(f"{point} {name}")
        if faults:
            fault = faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            await fault()

    def read(self, name: str) -> dict[str, str] | None:
        file = self.path / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def write(self, name: str, text: str, mark: str) -> None:
        new = self.path / f"{name}.new"
        new.write_text(json.dumps({"text": text, "mark": mark}))
        self._note(f"made {name}")
        new.rename(self.path / f"{name}.json")

    def remove(self, name: str) -> None:
        (self.path / f"{name}.json").unlink()
        self._note(f"removed {name}")

    def _note(self, line: str) -> None:
        with (self.path / "history").open("a") as log:
            log.write(line + "\n")


class MakeFile(Effect, frozen=True):
    """Make one file; refuse one that others made."""

    kind: ClassVar[str] = "test.make_file"

    text: Text = "hello"

    def describe(self) -> str:
        return f"Make the file {self.id}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        folder = _folder(ports)
        await folder.at("apply before", self.id)
        there = folder.read(self.id)
        if there is None:
            folder.write(self.id, str(self.text), run.operation)
        elif there["mark"] != run.operation:
            raise Conflict(f"The file {self.id} exists already.", hint="Choose another name.")
        await folder.at("apply between", self.id)
        digest = hashlib.sha256(str(self.text).encode()).hexdigest()[:8]
        return Outcome(seen=f"file {self.id}", outputs={"digest": digest}, made={"text": str(self.text)})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        folder = _folder(ports)
        await folder.at("undo before", self.id)
        there = folder.read(self.id)
        if there is None or there["mark"] != run.operation:
            how = Undo.UNDONE if outcome else Undo.NOTHING
            return Undone(how=how, seen=f"no file {self.id} of ours")
        if outcome is not None and there["text"] != outcome.made["text"]:
            return Undone(how=Undo.KEPT, seen=f"{self.id} was edited since", command=f"rm {self.id}")
        folder.remove(self.id)
        await folder.at("undo between", self.id)
        return Undone(how=Undo.UNDONE, seen=f"removed {self.id}")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        folder = _folder(ports)
        await folder.at("gone", self.id)
        there = folder.read(self.id)
        return Proof(absent=there is None or there["mark"] != run.operation, seen=f"file {self.id}")

    def manual(self) -> str:
        return f"rm {self.id}"


class Await(Effect, frozen=True):
    """Waits; has nothing to undo."""

    kind: ClassVar[str] = "test.await"
    undoable: ClassVar[bool] = False

    def describe(self) -> str:
        return "Wait until it is ready"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        await _folder(ports).at("apply before", self.id)
        return Outcome(seen="ready", changed=False)


def _folder(ports: Ports) -> Folder:
    return cast("Folder", ports.forge)


def ports(folder: Folder) -> Ports:
    return Ports(forge=cast("Forge", folder), catalog=cast("CatalogRegistry", None))


EFFECTS = EffectCatalog([MakeFile, Await])


class FakePlanner:
    """Plans the files that the request names, with the policy it is told."""

    def __init__(self) -> None:
        self.decision: Allowed | NeedsApproval | Denied = Allowed()
        self.revisions: tuple[Revision, ...] = ()
        self.errors: list[Exception] = []
        self.refuses: frozenset[str] = frozenset()
        self.hook: Hook | None = None
        self.asked = 0

    async def plan(self, asked: Asked) -> Planned:
        self.asked += 1
        if self.hook is not None:
            await self.hook("plan", "")
        if self.errors:
            raise self.errors.pop(0)
        names = cast("list[str]", asked.request["files"])
        return Planned(plan=files_plan(names, self.revisions), decision=self.decision)

    async def may_approve(self, view: OperationView, principal: Principal) -> Allowed | Denied:
        need = view.need
        if principal.user in self.refuses or (
            need and principal.user == view.principal.user and not need.self_approval
        ):
            return Denied("You may not approve this: rule test.")
        return Allowed()

    async def may_undo(self, view: OperationView, principal: Principal) -> Allowed | Denied:
        return Denied("You may not undo this: rule test.") if principal.user in self.refuses else Allowed()


def files_plan(names: Sequence[str], revisions: Sequence[Revision] = ()) -> Plan:
    effects = [
        Await(id=name) if name.startswith("await") else MakeFile(id=name, text=f"text of {name}") for name in names
    ]
    return Plan.of(f"Make {', '.join(names)}", effects, revisions=revisions)


def needs_approval(hours: float = 24) -> NeedsApproval:
    need = Need(approvers=frozenset({APPROVER.user}), rule="owners approve")
    return NeedsApproval(need=need, expires_after=timedelta(hours=hours))


def asked(*files: str, operation: str = "op-1", now: datetime = MONDAY) -> Asked:
    request: dict[str, Any] = {"files": list(files)}
    return Asked(operation=operation, command="test.files", request=request, principal=AUTHOR, door=Door.CLI, now=now)


class FakeAnnouncer:
    """Notes what was announced."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    async def operation_changed(self, connection: AsyncConnection, operation_id: str, revision: int) -> None:
        self.told.append((operation_id, revision))


class Time:
    """A clock that the test moves."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class TaskDriver:
    """Begins runs as plain tasks, for tests of all that does not hang on the durable engine."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[str, int]] = []
        self.started: list[tuple[str, int]] = []
        self.deaf = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._run: Callable[[str, int], Awaitable[None]] | None = None

    async def open(self, run: Callable[[str, int], Awaitable[None]]) -> None:
        self._run = run

    async def start(self, operation: str, token: int) -> None:
        assert self._run is not None
        self.started.append((operation, token))
        if not self.deaf:
            task = asyncio.ensure_future(self._run(operation, token))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def forget(self, operation: str, token: int) -> None:
        self.forgotten.append((operation, token))

    async def sweep(self) -> None: ...

    async def close(self) -> None:
        await asyncio.gather(*self._tasks)
