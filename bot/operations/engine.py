"""The operations engine: what doors call, and what works in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from datetime import datetime
from typing import Any, Self

from bot.errors import PlatformError, UpstreamUnavailable
from bot.model.effect import EffectCatalog
from bot.model.operation import Asked, Behind, Decided, OperationView
from bot.model.principal import Principal
from bot.operations import ledger
from bot.operations.contracts import Announcer, Filters, Planned, Planner, Settings
from bot.operations.deciding import Decisions
from bot.operations.defects import report, sentence
from bot.operations.driver import Driver
from bot.operations.held import Means
from bot.operations.ledger import Entry
from bot.operations.record import Record, view
from bot.operations.running import Runs
from bot.operations.seal import Sealer
from bot.operations.store import Store
from bot.operations.ticking import act_on_due
from bot.ports import Clock, Ports
from bot.storage.database import Database

log = logging.getLogger("causeway.operations")


def is_final(of: OperationView) -> bool:
    return of.state.final


class Operations:
    """Stores, plans, decides, runs and undoes operations. One per replica; any replica may be asked anything."""

    def __init__(
        self,
        *,
        database: Database,
        effects: EffectCatalog,
        ports: Ports,
        planner: Planner,
        announcer: Announcer,
        clock: Clock,
        replica: str,
        settings: Settings | None = None,
        sealer: Sealer | None = None,
        driver: Driver | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._store = Store(database, announcer, clock, replica, self._settings)
        self._means = Means(self._store, effects, ports, planner, self._settings)
        self._runs = Runs(self._means)
        self._decisions = Decisions(self._means, self._begin)
        self._driver = driver or _durable(database, replica)
        self._sealer = sealer
        self._background: set[asyncio.Task[Any]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._swept = time.monotonic()

    # --- Life ---

    async def start(self) -> None:
        """Open the durable engine, go on with what this replica was doing when it died, and begin to tick."""
        await self._driver.open(self._runs.run)
        self._loops = [
            asyncio.create_task(self._every(self._settings.tick_s, self.tick)),
            asyncio.create_task(self._every(self._settings.lease_s / 3, self._runs.renew)),
        ]

    async def close(self) -> None:
        """Stop; what is unfinished goes on in another replica, or here after the next start."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._runs.close(self._settings.close_s)
        await self._driver.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def tick(self) -> int:
        """Do what is due and seal the ledger; return for how many operations something was done."""
        done = await act_on_due(self._means, self._begin, self._driver.forget)
        if self._sealer is not None:
            await self._sealer.seal()
        if time.monotonic() - self._swept >= self._settings.sweep_s:
            self._swept = time.monotonic()
            await self._driver.sweep()
        return done

    # --- Asking ---

    async def submit(self, asked: Asked) -> OperationView:
        """Store the operation and return at once; planning and running follow, whatever happens to this process.

        The same id again returns the operation as it is. Raise `UsageError` for a request that cannot be stored.
        """
        told = Entry(
            at=asked.now,
            actor=asked.principal.user,
            door=asked.door.value,
            operation=asked.operation,
            kind="operation.asked",
            body={"command": asked.command, "request": asked.request},
        )
        ledger.canonical_text(asked.request)
        stored = await self._store.add(asked, told)
        if stored is None:
            return await self.view(asked.operation)
        self._begin(stored)
        return view(stored)

    async def dry_run(self, asked: Asked) -> Planned:
        """Plan and ask policy, store nothing. Raise `PlatformError` for what a person may read."""
        try:
            return await self._means.planner.plan(asked)
        except PlatformError:
            raise
        except Exception as error:
            raise PlatformError(sentence(report(error, "planning_failed", command=asked.command))) from error

    # --- Looking ---

    async def view(self, operation: str) -> OperationView:
        """Raise `NotFound` for an unknown id."""
        return view(await self._store.read(operation))

    async def list(self, filters: Filters | None = None, limit: int = 50) -> list[OperationView]:
        """Return the latest operations first."""
        return [view(found) for found in await self._store.latest(filters or Filters(), limit)]

    async def in_lane(self, lane: str) -> tuple[Behind, ...]:
        """Return the operations that run or stand in line in that lane, first come first."""
        async with self._store.database.read() as connection:
            return await self._store.lanes.everybody(connection, lane)

    async def history(
        self, lanes: Collection[str], begin: datetime, end: datetime, limit: int = 100
    ) -> tuple[OperationView, ...]:
        """Return the operations of these lanes that were under way at some time in between, newest first."""
        async with self._store.database.read() as connection:
            found = await self._store.lanes.history(connection, lanes, begin, end, limit)
        return tuple(map(view, found))

    async def wait(self, operation: str, until: Callable[[OperationView], bool] = is_final) -> OperationView:
        """Return the operation once `until` holds for it, whichever replica brings that about.

        Waits without limit; wrap it in `asyncio.timeout`. Raise `NotFound` for an unknown id.
        """
        with self._store.changes.watch(operation) as watch:
            current = await self.view(operation)
            while not until(current):
                changed = await watch.next(self._settings.tick_s)
                if changed is not None and changed.revision > current.revision:
                    current = view(changed)
                elif changed is None and await self._store.revision(operation) != current.revision:
                    current = await self.view(operation)
            return current

    # --- Deciding ---

    async def decide(
        self, operation: str, digest: str, principal: Principal, approved: bool, reason: str = ""
    ) -> Decided:
        """Approve or reject the plan that has `digest`."""
        return await self._decisions.decide(operation, digest, principal, approved, reason)

    async def press(self, button: str, principal: Principal) -> Decided:
        """Do what the button with that opaque id stands for."""
        return await self._decisions.press(button, principal)

    async def undo(self, operation: str, principal: Principal) -> Decided:
        """Take everything back, or withdraw what has not begun."""
        return await self._decisions.undo(operation, principal)

    async def retry(self, operation: str, principal: Principal) -> Decided:
        """Try stuck undos now."""
        return await self._decisions.retry(operation, principal)

    async def wait_on(self, operation: str, principal: Principal) -> Decided:
        """Note that somebody has seen why a step is stuck, and waits."""
        return await self._decisions.wait_on(operation, principal)

    async def keep(self, operation: str, principal: Principal) -> Decided:
        """Leave what is stuck as it is."""
        return await self._decisions.keep(operation, principal)

    # --- In the background ---

    def _begin(self, stored: Record) -> None:
        """Hand a run whose lease we were given to the durable engine. If that fails, the lease lapses and a tick
        of any replica tries again."""
        self._runs.grant(stored)
        self._spawn(self._driver.start(stored.id, stored.lease_token))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._reported(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _reported(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # nobody awaits this; the lease brings the operation back
            report(error, "run_not_begun")

    async def _every(self, seconds: float, act: Callable[[], Coroutine[Any, Any, object]]) -> None:
        while True:
            try:
                await act()
            except UpstreamUnavailable as error:
                log.warning("tick_delayed", extra={"problem": str(error)})
            except Exception as error:  # noqa: BLE001  # the loop must outlive a database that is away for a while
                report(error, "tick_failed")
            await asyncio.sleep(seconds)


def _durable(database: Database, replica: str) -> Driver:
    from bot.operations.dbos_driver import DbosDriver  # noqa: PLC0415  # 0.2 s and 18 MB that only a server needs

    return DbosDriver(database.url.render_as_string(hide_password=False), replica)
