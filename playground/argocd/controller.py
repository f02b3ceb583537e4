"""The application controller: which applications have to be looked at, and when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from playground.argocd.live import Key, Live, key_of
from playground.argocd.reconciling import GROUP, NAMESPACE, Reconciler
from playground.argocd.sources import Sources
from playground.argocd.sync import TERMINATING
from playground.argocd.tree import tree_of
from playground.kubernetes.controllers.objects import Object, meta, name_of, namespace_of, spec_of, status_of
from playground.kubernetes.objects import Change
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Store

log = logging.getLogger(__name__)
SETTLE_S = 0.03
"""Changes that follow one another within this time are looked at together, in real seconds."""
RETRY_S, TICK_S = 0.2, 0.1


class ApplicationController:
    """One queue of application names, worked off one at a time."""

    def __init__(self, store: Store, clock: Callable[[], datetime], sources: Sources) -> None:
        self._store = store
        self._clock = clock
        self.sources = sources
        self.live = Live(store)
        self._reconciler = Reconciler(store, clock, self.live, sources)
        self._queue: dict[str, None] = {}
        self._filled = asyncio.Event()
        self._due: dict[str, datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.live.start(self.look_at)
        self._store.objects.listen(self._hear)
        for application in self.applications():
            self.refresh(name_of(application))
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._tick())]

    async def close(self) -> None:
        self.live.close()
        self._store.objects.unlisten(self._hear)
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def applications(self) -> list[Object]:
        return self._store.list(GROUP, "Application", NAMESPACE)

    def application(self, name: str) -> Object | None:
        return self._reconciler.application(name)

    def project_of(self, application: Object) -> Object | None:
        return self._reconciler.project_of(application)

    def tree_of(self, application: Object) -> Object:
        """Return the resource tree of what the status names and of what belongs to the application."""
        found = {key_of(obj): obj for obj in self.live.tracked(name_of(application))}
        missing = []
        for one in status_of(application).get("resources") or []:
            key = Key(one.get("group", ""), one["kind"], one.get("namespace", ""), one["name"])
            if key not in found and (obj := self.live.get(key)):
                found[key] = obj
            elif key not in found:
                missing.append(one)
        return tree_of(self.live, list(found.values()), missing)

    def look_at(self, name: str) -> None:
        """Compare an application with the cluster soon."""
        if name:
            self._queue[name] = None
            self._filled.set()

    def refresh(self, name: str) -> None:
        """Read an application's repository anew soon."""
        self._reconciler.fresh.add(name)
        self.look_at(name)

    def pushed(self, is_source: Callable[[str], bool]) -> None:
        """Hear of a push, as through a webhook: refresh who reads a repository that `is_source` names."""
        for application in self.applications():
            if is_source((spec_of(application).get("source") or {}).get("repoURL", "")):
                self.refresh(name_of(application))

    def _hear(self, change: Change) -> None:
        name = name_of(change.object)
        if change.key == (GROUP, "applications") and namespace_of(change.object) == NAMESPACE:
            before = change.previous
            if before is None or spec_of(before) != spec_of(change.object):
                self.refresh(name)
            elif asked(before) != asked(change.object):
                self.look_at(name)

    async def _work(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(SETTLE_S)
            self._filled.clear()
            while self._queue:
                name = next(iter(self._queue))
                del self._queue[name]
                await self._reconcile(name)

    async def _reconcile(self, name: str) -> None:
        try:
            again = await self._reconciler.reconcile(name)
        except ApiError as error:
            log.debug("reconciled again: %s: %s", name, error)
            again = RETRY_S
        except Exception:  # one application must not stop the others
            log.exception("application_failed: %s", name)
            again = RETRY_S * 10
        if isinstance(again, datetime):
            self._due[name] = again
        elif again is not None:
            asyncio.get_running_loop().call_later(again, self.look_at, name)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self._due:
                continue
            now = self._clock()
            for name in [name for name, due in self._due.items() if due <= now]:
                del self._due[name]
                self.look_at(name)


def asked(application: Object) -> Object:
    """Return what is asked of an application: everything but what its status tells."""
    metadata = {key: meta(application).get(key) for key in ("annotations", "finalizers", "deletionTimestamp")}
    phase = (status_of(application).get("operationState") or {}).get("phase")
    return {"operation": application.get("operation"), "ends": phase == TERMINATING, **metadata}
