"""What is seen live of one service in one environment: its Application, its workloads, its pods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.health.facts import Pod, Workload
from bot.health.parsing import pod, workload
from bot.ports import Application, Change, Deployments, Object

T = TypeVar("T")


class Shelf(dict[str, T]):
    """The objects of one watch by their UID, as they are now."""

    def __init__(self, parse: Callable[[Object], T]) -> None:
        super().__init__()
        self._parse = parse
        self._complete = False
        self.problem = ""
        """Why it is out of sight, as a sentence; empty while it is in sight."""

    @property
    def in_sight(self) -> bool:
        """Whether everything that is there has been told."""
        return self._complete and not self.problem

    def take(self, change: Change) -> None:
        if change.what == "lost":
            self.problem = change.problem
        elif change.what == "synced":
            self._complete, self.problem = True, ""
        elif change.object is not None:
            metadata = change.object["metadata"]
            uid = str(metadata["uid"]) if isinstance(metadata, Mapping) else ""
            if change.what == "deleted":
                self.pop(uid, None)
            else:
                self[uid] = self._parse(change.object)


class Sight:
    """Grows by itself while it is open. Whoever looks waits for `changed`."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.application: Application | None = None
        self.application_told = False
        """Whether Argo CD has said anything of it yet."""
        self.argocd_problem = ""
        self.gone = False
        """Whether the Application was there and is there no more."""
        self.workloads: Shelf[Workload] = Shelf(workload)
        self.pods: Shelf[Pod] = Shelf(pod)
        self._failure: Exception | None = None

    @asynccontextmanager
    async def open(self, *works: Awaitable[None]) -> AsyncIterator[None]:
        """Run these beside the block; what one of them raises is raised by the next `news`."""
        tasks = [asyncio.create_task(self._guarded(work)) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def news(self) -> None:
        """Return once something is different. Raise what ended the following against its will."""
        await self.changed.wait()
        self.changed.clear()
        if self._failure is not None:
            raise self._failure

    async def follow_application(self, deployments: Deployments, name: str) -> None:
        async for seen in deployments.follow(name):
            self.argocd_problem = seen.problem
            if not seen.problem:
                self.gone = seen.application is None and self.application is not None
                self.application, self.application_told = seen.application, True
            self.changed.set()

    async def follow_objects(self, shelf: Shelf[T], changes: AsyncIterator[Change]) -> None:
        async for change in changes:
            shelf.take(change)
            self.changed.set()

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever looks raises it
            self._failure = error
            self.changed.set()
