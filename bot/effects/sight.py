"""What is seen live of one service in one environment: its Application, its workloads, its pods."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.health import parsing
from bot.health.facts import Pod, ReplicaSet, Workload
from bot.ports import Application, Change, Cluster, Deployments, Object

T = TypeVar("T")


class Shelf(dict[str, T]):
    """The objects of one watch, by UID, as they are now."""

    def __init__(self, parse: Callable[[Object], T]) -> None:
        super().__init__()
        self._parse = parse
        self.complete = False
        """Whether everything that was there has been told."""
        self.problem = ""
        """Why it is out of sight, as a sentence; empty while it is in sight."""

    def take(self, change: Change) -> None:
        if change.what == "lost":
            self.problem = change.problem
        elif change.what == "synced":
            self.complete, self.problem = True, ""
        elif change.object is not None:
            metadata = change.object["metadata"]
            uid = str(metadata["uid"]) if isinstance(metadata, Mapping) else ""
            if change.what == "deleted":
                self.pop(uid, None)
            else:
                self[uid] = self._parse(change.object)

    @property
    def in_sight(self) -> bool:
        return self.complete and not self.problem


class Sight:
    """Grows by itself while it is open; `changed` is set whenever something is different."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.application: Application | None = None
        self.application_told = False
        """Whether Argo CD has said anything yet."""
        self.argocd_problem = ""
        self.gone = False
        """Whether an Application that was there is there no more."""
        self.workloads: Shelf[Workload] = Shelf(parsing.workload)
        self.replica_sets: Shelf[ReplicaSet] = Shelf(parsing.replica_set)
        self.pods: Shelf[Pod] = Shelf(parsing.pod)

    async def follow_application(self, deployments: Deployments, name: str) -> None:
        async for seen in deployments.follow(name):
            self.argocd_problem = seen.problem
            if not seen.problem:
                self.gone = seen.application is None and self.application is not None
                self.application, self.application_told = seen.application, True
            self.changed.set()

    async def follow_objects(
        self, cluster: Cluster, shelf: Shelf[T], api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> None:
        async for change in cluster.watch(api_version, kind, namespace=namespace, labels=labels):
            shelf.take(change)
            self.changed.set()


@asynccontextmanager
async def together(*works: asyncio.Task[None]) -> AsyncIterator[None]:
    """Run these beside the block. What one of them raises, cancels the block and is raised in its place; at the end
    of the block all of them are cancelled."""
    block = asyncio.current_task()
    failures: list[BaseException] = []

    def ended(work: asyncio.Task[None]) -> None:
        failure = None if work.cancelled() else work.exception()
        if failure is not None:
            failures.append(failure)
            if block is not None:
                block.cancel()

    for work in works:
        work.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if not failures or block is None:
            raise
        block.uncancel()
        raise failures[0] from None
    finally:
        for work in works:
            work.remove_done_callback(ended)
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*works, return_exceptions=True)
