"""Continuous delivery in memory: applications that a test puts, changes and takes away, and what was asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import NotFound, Refused
from bot.ports import Application, Seen, SyncWindows
from tests.fakes.faults import Faults, call

OPEN = SyncWindows(may_sync=True, may_sync_by_hand=True)


def application(name: str, **fields: Any) -> Application:
    """Return one that is Synced and Healthy, but for what is told otherwise."""
    service, _, environment = name.rpartition("-")
    usual: dict[str, Any] = {
        "name": name,
        "project": "team-orders",
        "repo_url": "https://forge.example/acme/gitops.git",
        "path": f"apps/{service}/{environment}",
        "target_revision": "main",
        "server": "https://kubernetes.default.svc",
        "namespace": name,
        "sync": "Synced",
        "revision": "",
        "health": "Healthy",
        "automated": True,
    }
    return Application(**(usual | fields))


class FakeDeployments:
    """Implements `bot.ports.Deployments`."""

    def __init__(self, *applications: Application) -> None:
        self.faults = Faults()
        self.labels: dict[str, Mapping[str, str]] = {}
        """Of applications, by their name."""
        self.closed: dict[str, SyncWindows] = {}
        """Sync windows, by application; open where there is none."""
        self.refreshed: list[str] = []
        self.synced: list[tuple[str, str, bool]] = []
        """Application, revision and whether to prune."""
        self.on_refresh: Callable[[str], object] = lambda _: None
        """What Argo CD does when it reads its repository."""
        self._applications = {one.name: one for one in applications}
        self._followers: dict[str, list[asyncio.Queue[Seen]]] = {}
        self._problem = ""

    # --- what tests do behind the bot's back

    def put(self, changed: Application) -> None:
        self._applications[changed.name] = changed
        self._tell(changed.name)

    def change(self, name: str, **fields: Any) -> Application:
        changed = replace(self._applications[name], **fields)
        self.put(changed)
        return changed

    def remove(self, name: str) -> None:
        self._applications.pop(name, None)
        self._tell(name)

    def lose_sight(self, problem: str = "Argo CD does not answer.") -> None:
        self._problem = problem
        for queues in self._followers.values():
            for queue in queues:
                queue.put_nowait(Seen(problem=problem))

    def mend(self) -> None:
        self._problem = ""
        for name in self._followers:
            self._tell(name)

    @property
    def followed(self) -> set[str]:
        """Names that somebody follows at the moment."""
        return {name for name, queues in self._followers.items() if queues}

    # --- the port

    @call
    async def application(self, name: str) -> Application | None:
        return self._applications.get(name)

    @call
    async def applications(self, *, labels: Mapping[str, str] | None = None) -> Sequence[Application]:
        wanted = (labels or {}).items()
        return [one for name, one in sorted(self._applications.items()) if wanted <= self.labels.get(name, {}).items()]

    async def follow(self, name: str) -> AsyncIterator[Seen]:
        queue: asyncio.Queue[Seen] = asyncio.Queue()
        self._followers.setdefault(name, []).append(queue)
        queue.put_nowait(Seen(problem=self._problem) if self._problem else Seen(self._applications.get(name)))
        try:
            while True:
                yield await queue.get()
        finally:
            self._followers[name].remove(queue)

    @call
    async def refresh(self, name: str) -> None:
        self._known(name)
        self.refreshed.append(name)
        self.on_refresh(name)

    @call
    async def sync(self, name: str, *, revision: str = "", prune: bool = True) -> None:
        self._known(name)
        if not (await self.windows(name)).may_sync_by_hand:
            raise Refused(f"A sync window of {name} is closed.", hint="Wait until it opens.")
        self.synced.append((name, revision, prune))

    @call
    async def windows(self, name: str) -> SyncWindows:
        self._known(name)
        return self.closed.get(name, OPEN)

    def web_url(self, name: str) -> str:
        return f"https://argocd.example/applications/argocd/{name}"

    def _known(self, name: str) -> None:
        if name not in self._applications:
            raise NotFound(f"Argo CD has no application {name}, or hides it from us.")

    def _tell(self, name: str) -> None:
        if not self._problem:
            for queue in self._followers.get(name, []):
                queue.put_nowait(Seen(self._applications.get(name)))
