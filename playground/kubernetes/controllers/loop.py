"""What drives the controllers: a change of an object leads to the keys that it concerns, each reconciled in turn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Store

log = logging.getLogger(__name__)
Key = tuple[str, ...]
"""Names what a controller works on: mostly namespace and name."""
Again = float | datetime | None
"""When to look again without a change: in so many real seconds, at a time of the playground's clock, or never."""
RETRY_S = 0.2
TICK_S = 0.1
"""How often the playground's clock is read while somebody waits for a time of it, in real seconds."""


class Controller(Protocol):
    """Brings one kind of thing about. Work is quick and never waits, so that it runs on the event loop."""

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        """Return what has to be looked at because of a change."""

    def reconcile(self, key: Key) -> Again:
        """Compare what is with what should be, and take the next step. Once or twice: the same world."""


class Loop:
    """One queue for all controllers, in the order in which things happened."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._controllers: list[Controller] = []
        self._queue: dict[tuple[Controller, Key], None] = {}
        self._filled = asyncio.Event()
        self._timers: dict[tuple[Controller, Key], asyncio.TimerHandle] = {}
        self._due: dict[tuple[Controller, Key], datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, controllers: Sequence[Controller]) -> None:
        self._controllers += controllers

    def start(self) -> None:
        """Look at everything that is there, then follow every change."""
        for resource in self._store.registry.all():
            for obj in self._store.objects.all(resource.key):
                self._hear(Change(0, "ADDED", resource.key, obj, None))
        self._store.objects.listen(self._hear)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._tick())]

    async def close(self) -> None:
        self._store.objects.unlisten(self._hear)
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def wake(self, controller: Controller, key: Key) -> None:
        """Have a controller look at a key soon."""
        self._queue[(controller, key)] = None
        self._filled.set()

    def _hear(self, change: Change) -> None:
        group, plural = change.key
        resource = self._store.registry.find(group, plural)
        if resource is None:
            return
        for controller in self._controllers:
            for key in controller.concerns(resource, change):
                self.wake(controller, key)

    async def _work(self) -> None:
        while True:
            await self._filled.wait()
            while self._queue:
                job = next(iter(self._queue))
                del self._queue[job]
                self._reconcile(*job)
                await asyncio.sleep(0)  # whoever asks over HTTP gets a turn
            self._filled.clear()

    def _reconcile(self, controller: Controller, key: Key) -> None:
        job = (controller, key)
        self._due.pop(job, None)
        if timer := self._timers.pop(job, None):
            timer.cancel()
        try:
            again = controller.reconcile(key)
        except ApiError as error:
            log.debug("retried: %s %s: %s", type(controller).__name__, key, error)
            again = RETRY_S
        except Exception:  # a mistake in one controller must not stop the others
            log.exception("controller_failed: %s %s", type(controller).__name__, key)
            again = RETRY_S * 10
        if isinstance(again, datetime):
            self._due[job] = again
        elif again is not None:
            self._timers[job] = asyncio.get_running_loop().call_later(again, self.wake, controller, key)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self._due:
                continue
            now = self._clock()
            for job in [job for job, due in self._due.items() if due <= now]:
                del self._due[job]
                self.wake(*job)
