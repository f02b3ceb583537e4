"""Runs of operations in this replica: taking the lease, renewing it, stopping quietly when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from bot.operations.applying import apply_all
from bot.operations.defects import report
from bot.operations.held import Held, Means
from bot.operations.planning import make_plan, recheck
from bot.operations.record import Record, Stage, record
from bot.operations.store import LeaseLost
from bot.operations.undoing import undo_all
from bot.storage.operations import operations

log = logging.getLogger("causeway.operations")

Key = tuple[str, int]
"""Operation and lease token."""

STAGES = {Stage.PLAN: make_plan, Stage.RECHECK: recheck, Stage.APPLY: apply_all, Stage.UNDO: undo_all}


@dataclass(slots=True)
class Active:
    """A run of this process. Its token grows by one when it takes its lease itself."""

    operation: str
    token: int
    task: asyncio.Task[None] | None = None
    fenced: bool = False


class Runs:
    """All runs of this replica. `run` is what the durable engine calls; it never raises."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._granted: dict[Key, Record] = {}
        self._active: dict[Key, Active] = {}

    def grant(self, record: Record) -> None:
        """Note that the lease was given to us in the write that asked for a run, so the run need not take it."""
        self._granted[record.id, record.lease_token] = record

    async def run(self, operation: str, token: int) -> None:
        key = (operation, token)
        if key in self._active:
            return
        active = self._active[key] = Active(operation, token)
        active.task = asyncio.ensure_future(self._guarded(active))
        active.task.add_done_callback(lambda _: self._active.pop(key, None))
        await asyncio.wait([active.task])  # whoever awaits us may go; the work goes on until we say otherwise

    async def renew(self) -> None:
        """Prolong every lease; stop the runs whose lease is lost."""
        for active in list(self._active.values()):
            mine = (operations.c.id == active.operation, operations.c.lease_token == active.token)
            async with self._means.store.database.write() as connection:
                renewed = await connection.execute(
                    update(operations)
                    .where(*mine, operations.c.lease_until.is_not(None))
                    .values(self._means.store.lease())
                    .returning(operations.c.undo_by, operations.c.keep_by, operations.c.patience)
                )
                row = renewed.first()
                still_mine = row is not None or (await connection.execute(select(1).where(*mine))).first()
            if row is not None and any(row):
                # Another replica took the click: whoever waits here is to hear of it.
                self._means.store.changes.notify(await self._means.store.read(active.operation))
            if not still_mine and active.task is not None and not active.fenced:
                active.fenced = True
                active.task.cancel()

    async def close(self, patience_s: float) -> None:
        """Give running effects a while to end, then stop; what is unfinished is free for any replica at once."""
        tasks = [active.task for active in self._active.values() if active.task is not None]
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=patience_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _guarded(self, active: Active) -> None:
        operation = active.operation
        try:
            current = self._granted.pop((operation, active.token), None) or await self._take(active)
            if current is not None:
                await self._work(Held(self._means, current))
        except LeaseLost:
            log.info("lease_lost", extra={"operation": operation})
        except asyncio.CancelledError:
            if not active.fenced:
                await self._free(active)
        except Exception as error:  # noqa: BLE001  # e.g. the database is away: the lease lapses and a later run goes on
            report(error, "run_interrupted", operation=operation)

    async def _work(self, held: Held) -> None:
        while (stage := STAGES.get(held.record.stage)) is not None:
            before = held.record.stage
            await stage(held)
            if held.record.stage is before:
                return

    async def _take(self, active: Active) -> Record | None:
        """Take the lease for a run that the durable engine began again after our own crash.

        Only if nobody has taken it since; the token grows, so that a process of the same name is fenced as well.
        """
        statement = (
            update(operations)
            .where(
                operations.c.id == active.operation,
                operations.c.lease_token == active.token,
                operations.c.lease_holder == self._means.store.replica,
                operations.c.lease_until.is_not(None),
            )
            .values(**self._means.store.lease(), lease_token=active.token + 1)
            .returning(*operations.c)
        )
        async with self._means.store.database.write() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            return None
        active.token += 1
        return record(row)

    async def _free(self, active: Active) -> None:
        """Let the lease lapse now rather than later."""
        past = self._means.settings.lease_clock() - timedelta(seconds=1)
        statement = (
            update(operations)
            .where(
                operations.c.id == active.operation,
                operations.c.lease_token == active.token,
                operations.c.lease_until.is_not(None),
            )
            .values(lease_until=past.timestamp())
        )
        with contextlib.suppress(Exception):  # if it cannot be written, it lapses by itself
            async with self._means.store.database.write() as connection:
                await connection.execute(statement)
