"""Argo CD through the cluster: Application and AppProject resources. It only reads, unless it is let write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.errors import NotFound, PlatformError, Refused
from bot.ports import Application, Cluster, Object, ObjectRef, Seen, SyncWindows
from integrations.argocd import shapes, windows
from integrations.argocd.board import Board

API_VERSION = "argoproj.io/v1alpha1"
REFRESH = "argocd.argoproj.io/refresh"
LOOK_AGAIN_S = 5.0
CONFIGURE = (
    "Set CAUSEWAY_ARGOCD_URL and CAUSEWAY_ARGOCD_TOKEN, so that Argo CD's API is asked; or grant the right to patch "
    "Applications (manifests/install/components/argocd-write) and set `platform.argocd.write_applications: true`."
)


class ApplicationResources:
    """Implements `bot.ports.Deployments`.

    Health per object is empty unless Argo CD stores it with the Application: from version 3 on it keeps that in its
    own cache (`controller.resource.health.persist`).
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespace: str = "argocd",
        web_url: str = "",
        may_write: bool = False,
        clock: Callable[[], datetime] = windows.utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._web_url = web_url.rstrip("/")
        self._may_write = may_write
        self._clock = clock
        self._sleep = sleep
        self._board = Board()
        self._task: asyncio.Task[None] | None = None
        self._there: set[str] = set()
        """Names of all that there are."""
        self._synced = False
        self._readings: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        tasks = [task for task in (self._task, *self._readings) if task is not None]
        self._task, self._synced = None, False
        self._there.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def can_read(self) -> bool:
        """Return whether the cluster knows Applications, and lets us see them. Raise `UpstreamUnavailable`."""
        try:
            await self._cluster.get(self._ref("causeway"))
        except (NotFound, Refused):
            return False
        return True

    async def application(self, name: str) -> Application | None:
        found = await self._cluster.get(self._ref(name))
        return None if found is None else shapes.application(found)

    async def applications(self, *, labels: Mapping[str, str] | None = None) -> Sequence[Application]:
        found = await self._cluster.list(API_VERSION, "Application", namespace=self._namespace, labels=labels)
        return [shapes.application(one) for one in found]

    async def follow(self, name: str) -> AsyncGenerator[Seen, None]:
        follower = self._board.join(name)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="Application resources")
        elif self._synced:
            reading = asyncio.create_task(self._look(name))
            self._readings.add(reading)
            reading.add_done_callback(self._readings.discard)
        try:
            while True:
                yield await follower.next()
        finally:
            self._board.leave(name, follower)
            if not self._board.names:
                await self.close()

    async def refresh(self, name: str) -> None:
        live = await self._writable(name, f"refresh {name}")
        if not live.get("operation"):  # a sync that is about to begin compares anyway
            await self._cluster.apply(self._patch(name, {"annotations": {REFRESH: "normal"}}))

    async def sync(self, name: str, *, revision: str = "", prune: bool = True) -> None:
        live = await self._writable(name, f"sync {name}")
        application = shapes.application(live)
        if application.operation is not None and application.operation.phase in ("Running", "Terminating"):
            return
        found = await self._windows(application)
        if not found.may_sync_by_hand:
            raise Refused(f"Argo CD does not sync {name}: {windows.in_words(found)}.", hint="Wait until it opens.")
        spec: Any = live.get("spec")
        policy = spec.get("syncPolicy") if isinstance(spec, Mapping) else None
        asked: dict[str, Any] = {"prune": prune, **({"revision": revision} if revision else {})}
        asked |= (
            {"syncOptions": policy["syncOptions"]} if isinstance(policy, Mapping) and policy.get("syncOptions") else {}
        )
        operation = {"initiatedBy": {"username": "causeway"}, "sync": asked}
        await self._cluster.apply(self._patch(name, {}, operation=operation))

    async def windows(self, name: str) -> SyncWindows:
        application = await self.application(name)
        if application is None:
            raise _unknown(name)
        return await self._windows(application)

    def web_url(self, name: str) -> str:
        return f"{self._web_url}/applications/{self._namespace}/{name}" if self._web_url else ""

    # --- following

    async def _run(self) -> None:
        """Follow all with one watch; parse and keep only what somebody follows."""
        try:
            async for change in self._cluster.watch(API_VERSION, "Application", namespace=self._namespace):
                if change.what == "lost":
                    self._synced = False
                    self._board.lose(change.problem)
                elif change.what == "synced":
                    self._synced = True
                    self._board.find()
                    for name in set(self._board.names) - self._there:
                        self._board.show(name, None)
                elif change.object is not None:
                    self._take(change.object, gone=change.what == "deleted")
        except Exception as error:
            self._board.fail(error)
            raise

    def _take(self, obj: Object, *, gone: bool) -> None:
        name = shapes.name_of(obj)
        (self._there.discard if gone else self._there.add)(name)
        if not self._synced:
            self._board.find()  # it tells again, though not everything yet
        if self._board.follows(name):
            self._board.show(name, None if gone else shapes.application(obj), shapes.version(obj))

    async def _look(self, name: str) -> None:
        """Show one that is followed only since everything was told; try until it works, or all is told anew."""
        while self._synced and self._board.follows(name):
            asked_at = self._board.words(name)
            try:
                found = await self._cluster.get(self._ref(name))
            except PlatformError as error:
                self._board.tell(name, error.while_waiting())
                await self._sleep(LOOK_AGAIN_S)
                continue
            application = None if found is None else shapes.application(found)
            self._board.show(name, application, 0 if found is None else shapes.version(found), asked_at=asked_at)
            return

    # --- acting

    async def _writable(self, name: str, doing: str) -> Object:
        if not self._may_write:
            raise Refused(f"Causeway may not {doing}: it only reads Argo CD's resources.", hint=CONFIGURE)
        live = await self._cluster.get(self._ref(name))
        if live is None:
            raise _unknown(name)
        return live

    async def _windows(self, application: Application) -> SyncWindows:
        project = await self._cluster.get(ObjectRef(API_VERSION, "AppProject", application.project, self._namespace))
        return windows.of_project(project or {}, application, self._clock())

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(API_VERSION, "Application", name, self._namespace)

    def _patch(self, name: str, metadata: dict[str, Any], **rest: Any) -> Object:
        named = {"name": name, "namespace": self._namespace, **metadata}
        return {"apiVersion": API_VERSION, "kind": "Application", "metadata": named, **rest}


def _unknown(name: str) -> NotFound:
    return NotFound(f"Argo CD has no application `{name}`.")
