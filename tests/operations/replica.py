"""One replica of the engine with everything a test wants to turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.model.operation import OperationView
from bot.operations.contracts import Settings
from bot.operations.engine import Operations, is_final
from bot.operations.seal import Sealer
from bot.storage.database import Database, metadata
from tests.operations.world import EFFECTS, FakeAnnouncer, FakePlanner, Folder, TaskDriver, Time, ports

DEADLINE_S = 60
NEVER_S = 3600.0


class Replica:
    """An engine that ticks only when told, and sleeps only on paper."""

    def __init__(self, url: str, folder: Folder, *, name: str = "a", time: Time | None = None) -> None:
        self.database = Database(url)
        self.folder = folder
        self.planner = FakePlanner()
        self.announcer = FakeAnnouncer()
        self.time = time or Time()
        self.driver = TaskDriver()
        self.slept: list[float] = []
        self.sealer: Sealer | None = None
        self.settings = Settings(tick_s=NEVER_S, lease_s=NEVER_S, close_s=0.0, lease_clock=self.time, sleep=self._sleep)
        self.operations = Operations(
            database=self.database,
            effects=EFFECTS,
            ports=ports(folder),
            planner=self.planner,
            announcer=self.announcer,
            clock=self.time,
            replica=name,
            settings=self.settings,
            driver=self.driver,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def until(self, holds: Callable[[OperationView], bool] = is_final, operation: str = "op-1") -> OperationView:
        """Return the operation once it is so; it must come to that by itself."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.operations.wait(operation, holds)

    async def settle(self) -> None:
        """Wait until nothing is going on here any more."""
        while work := [*self.operations._background, *self.driver._tasks]:
            await asyncio.gather(*work)


@asynccontextmanager
async def replica(url: str, path: Path, *, name: str = "a", time: Time | None = None) -> AsyncIterator[Replica]:
    one = Replica(url, Folder(path / "world"), name=name, time=time)
    async with one.database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    try:
        async with one.operations:
            yield one
    finally:
        await one.database.close()
