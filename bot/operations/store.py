"""Reads and writes operations. Every change writes its ledger entries and its announcement in the same transaction.

Two kinds of writers share a row. A run writes through `Held`, fenced by its lease token: a replica that lost its lease
writes nothing more. Everybody else (a click, the ticker) locks the row, looks, and writes with `change`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound
from bot.model.operation import Asked, Behind, Patience, State, StepState
from bot.model.principal import Principal
from bot.operations import ledger
from bot.operations.contracts import Announcer, Filters, Settings
from bot.operations.lanes import Lanes
from bot.operations.ledger import Entry
from bot.operations.record import Record, Stage, columns, record
from bot.ports import Clock
from bot.storage.database import Database
from bot.storage.operations import buttons, operations


class LeaseLost(Exception):
    """Another replica has the operation now: stop, say nothing."""


class LaneBusy(Exception):
    """Another operation of the same lane has to end first. Nothing was written."""

    def __init__(self, behind: Behind) -> None:
        super().__init__(behind.operation)
        self.behind = behind


class UndoAsked(Exception):
    """Somebody asked for undo just before the operation would have succeeded. Nothing was written."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.id)
        self.record = record


class Store:
    """The rows of all operations, as one replica sees them."""

    def __init__(
        self, database: Database, announcer: Announcer, clock: Clock, replica: str, settings: Settings
    ) -> None:
        self.database = database
        self.clock = clock
        self.replica = replica
        self.settings = settings
        self.changes = Changes()
        self.lanes = Lanes(database)
        self._announcer = announcer

    # --- Reading ---

    async def get(self, connection: AsyncConnection, operation: str, *, lock: bool = False) -> Record:
        """Raise `NotFound` for an unknown id. With `lock` nobody else changes it until the transaction ends."""
        statement = select(operations).where(operations.c.id == operation)
        row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
        if row is None:
            raise NotFound("There is no such operation.", hint="Check the id; App Home lists your latest ones.")
        return record(row)

    async def read(self, operation: str) -> Record:
        async with self.database.read() as connection:
            return await self.get(connection, operation)

    async def revision(self, operation: str) -> int:
        """Return the revision, or -1 where there is no such operation."""
        async with self.database.read() as connection:
            found = await connection.execute(select(operations.c.revision).where(operations.c.id == operation))
            return found.scalar_one_or_none() or -1

    async def latest(self, filters: Filters, limit: int) -> list[Record]:
        statement = select(operations).order_by(operations.c.created_at.desc(), operations.c.id.desc()).limit(limit)
        if filters.states is not None:
            statement = statement.where(operations.c.state.in_(sorted(filters.states)))
        if filters.user is not None:
            statement = statement.where(operations.c.user == filters.user)
        if filters.command is not None:
            statement = statement.where(operations.c.command == filters.command)
        async with self.database.read() as connection:
            return [record(row) for row in await connection.execute(statement)]

    # --- Writing ---

    async def add(self, asked: Asked, entry: Entry) -> Record | None:
        """Store a new operation whose lease is ours; return None when that id was stored before."""
        new = Record(asked=asked, created_at=asked.now, updated_at=asked.now, revision=1, lease_token=1)
        values = columns({name: getattr(new, name) for name in Record.model_fields})
        values |= {"id": asked.operation, "command": asked.command, "user": asked.principal.user} | self.lease()
        async with self.database.write() as connection:
            dialect = sqlite if self.database.is_sqlite else postgresql
            statement = dialect.insert(operations).values(values).on_conflict_do_nothing()
            if (await connection.execute(statement.returning(operations.c.id))).first() is None:
                return None
            await ledger.append(connection, [entry])
            await self._announcer.operation_changed(connection, asked.operation, 1)
        return new

    async def change(
        self, connection: AsyncConnection, of: Record, entries: Sequence[Entry], *, grant: bool = False, **changes: Any
    ) -> Record:
        """Change a row that the caller has locked.

        The token grows, so whatever run was going on is over. With `grant` a new run is wanted and the lease is ours.
        """
        token = of.lease_token + 1
        lease = self.lease() if grant else {"lease_until": None}
        changed = await self._write(connection, of, changes, lease | {"lease_token": token}, entries)
        return changed.model_copy(update={"lease_token": token})

    async def note(self, connection: AsyncConnection, of: Record, entries: Sequence[Entry], **changes: Any) -> Record:
        """Change a row that the caller has locked, without disturbing the run that is going on."""
        return await self._write(connection, of, changes, {}, entries)

    async def save(
        self,
        of: Record,
        entries: Sequence[Entry],
        *,
        let_go: bool = False,
        unless_undo: bool = False,
        in_turn: bool = False,
        **changes: Any,
    ) -> Record:
        """Change the row of an operation whose lease is ours. Raise `LeaseLost` when it is not any more.

        With `unless_undo` raise `UndoAsked`, and write nothing, when somebody has asked for undo meanwhile. With
        `in_turn` raise `LaneBusy`, and write nothing, when another operation of its lane has to end first.
        """
        lease = {"lease_until": None} if let_go else self.lease()
        async with self.database.write() as connection:
            if in_turn and (ahead := await self.lanes.ahead(connection, of.model_copy(update=changes))):
                raise LaneBusy(ahead)
            changed = await self._write(connection, of, changes, lease, entries, unless_undo=unless_undo)
            if let_go and changed.lane:
                await self.lanes.freed(connection, changed.lane, self.clock())
        self.changes.notify(changed)
        return changed

    def lease(self) -> dict[str, Any]:
        until = self.settings.lease_clock() + timedelta(seconds=self.settings.lease_s)
        return {"lease_holder": self.replica, "lease_until": until.timestamp()}

    async def _write(
        self,
        connection: AsyncConnection,
        of: Record,
        changes: Mapping[str, Any],
        lease: Mapping[str, Any],
        entries: Sequence[Entry],
        *,
        unless_undo: bool = False,
    ) -> Record:
        after = of.model_copy(update={**changes, "updated_at": self.clock()})
        after = after.model_copy(update={"buttons": _buttons(after)})
        touched = {name: getattr(after, name) for name in (*changes, "updated_at")}
        if after.buttons != of.buttons:
            touched["buttons"] = after.buttons
            await self._add_buttons(connection, of, after)
        statement = (
            update(operations)
            .where(operations.c.id == of.id, operations.c.lease_token == of.lease_token)
            .values(**columns(touched), **lease, revision=operations.c.revision + 1)
            .returning(operations.c.revision, operations.c.undo_by, operations.c.keep_by, operations.c.patience)
        )
        if unless_undo:
            statement = statement.where(operations.c.undo_by.is_(None))
        row = (await connection.execute(statement)).first()
        if row is None:
            raise await self._why_not(connection, of)
        await ledger.append(connection, entries)
        await self._announcer.operation_changed(connection, of.id, row.revision)
        # Somebody may have decided something while the run was busy.
        return after.model_copy(update={"revision": row.revision, **decided(row)})

    async def _add_buttons(self, connection: AsyncConnection, before: Record, after: Record) -> None:
        rows = [
            {
                "id": key,
                "operation": after.id,
                "action": action,
                "digest": after.digest or "",
                "created_at": self.clock().timestamp(),
            }
            for action, key in after.buttons.items()
            if before.buttons.get(action) != key
        ]
        if rows:
            await connection.execute(insert(buttons), rows)

    async def _why_not(self, connection: AsyncConnection, of: Record) -> Exception:
        now = await self.get(connection, of.id)
        if now.lease_token == of.lease_token and now.undo_by is not None:
            return UndoAsked(of.model_copy(update={"undo_by": now.undo_by}))
        return LeaseLost(of.id)


class Watch:
    """Somebody who waits for one operation to change."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._latest: Record | None = None

    def tell(self, changed: Record) -> None:
        self._latest = changed
        self._changed.set()

    def wake(self) -> None:
        """Let `next` return without news of the operation."""
        self._changed.set()

    async def next(self, timeout_s: float) -> Record | None:
        """Return what the operation has become here, or None after `timeout_s`: another replica may have changed it."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return None
        self._changed.clear()
        return self._latest


class Changes:
    """Wakes those in this process who wait for an operation to change."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}

    def notify(self, changed: Record) -> None:
        for watch in self._watches.get(changed.id, ()):
            watch.tell(changed)

    @contextmanager
    def watch(self, operation: str) -> Iterator[Watch]:
        watch = Watch()
        self._watches.setdefault(operation, set()).add(watch)
        try:
            yield watch
        finally:
            watches = self._watches[operation]
            watches.discard(watch)
            if not watches:
                del self._watches[operation]


def _buttons(of: Record) -> dict[str, str]:
    """Return action → id for what a person can decide about `of` now. An id serves one state of one plan."""
    return {action: of.buttons.get(action) or secrets.token_urlsafe(16) for action in _actions(of)}


def _actions(of: Record) -> tuple[str, ...]:
    if of.stage is Stage.AWAIT:
        return ("approve", "reject", "undo")
    if of.stage is Stage.QUEUE:
        return ("undo",)
    if of.stage is Stage.APPLY:
        return () if of.undo_by or of.keep_by else (*_about_a_wait(of), "undo")
    if of.state is State.SUCCEEDED:
        # Where the card offers to roll back, a second button for nearly the same would only puzzle.
        plan = of.plan
        return () if of.undo_by or (plan is not None and (plan.offers or not plan.undo_later)) else ("undo",)
    if of.state is State.FAILED and any(step.state is StepState.STUCK for step in of.steps):
        return ("retry", "keep")
    return ()


def _about_a_wait(of: Record) -> tuple[str, ...]:
    """What can be decided about a step that is stuck: go on waiting (once for each reason), or leave it as it is."""
    stuck = next((step for step in of.steps if step.stalled and step.state is StepState.RUNNING), None)
    if stuck is None:
        return ()
    seen = of.patience is not None and of.patience.progress == stuck.progress
    return (*(() if seen else ("wait",)), *(("keep",) if stuck.keepable else ()))


def decided(row: Row[Any]) -> dict[str, Any]:
    """Return what people have decided about a running operation, as its row has it."""
    return {
        "undo_by": Principal.model_validate_json(row.undo_by) if row.undo_by else None,
        "keep_by": Principal.model_validate_json(row.keep_by) if row.keep_by else None,
        "patience": Patience.model_validate_json(row.patience) if row.patience else None,
    }
