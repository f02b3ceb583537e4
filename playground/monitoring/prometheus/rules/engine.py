"""What evaluates the rules: every few seconds, and through all the time that the playground's clock has leapt over."""

from __future__ import annotations

import asyncio
import logging

from playground.monitoring.incidents import NOTHING
from playground.monitoring.prometheus.lives import Lives, Stretch
from playground.monitoring.prometheus.rules.book import Book
from playground.monitoring.prometheus.rules.model import INTERVAL_MS
from playground.monitoring.prometheus.rules.notifying import Notifier
from playground.monitoring.prometheus.storage import Storage

log = logging.getLogger(__name__)
TICK_S = INTERVAL_MS / 1000
STEPS = 60
"""The most evaluations of one leap."""
AFTERWARDS_MS = 3_600_000
"""How long after trouble rules may still begin to fire: they look back."""
BEFORE_MS = 600_000
"""How far back a playground that is started again looks, so that what fired goes on firing."""


class Engine:
    """Where nothing is wrong, nothing can begin to fire between two looks, and one look is enough."""

    def __init__(self, storage: Storage, book: Book, notifier: Notifier) -> None:
        self._storage = storage
        self._lives: Lives = storage.lives
        self._book = book
        self._notifier = notifier
        self._last: int | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    def start(self) -> None:
        self._ticker = asyncio.create_task(self._tick())

    async def close(self) -> None:
        if self._ticker:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        await self._notifier.close()

    async def catch_up(self) -> None:
        """Evaluate everything up to now, in order, and tell Alertmanager. Never raises: time goes on all the same."""
        try:
            async with self._turn:
                await self._catch_up()
        except Exception:
            log.exception("rules_not_evaluated")

    async def _catch_up(self) -> None:
        self._lives.note()
        now = self._lives.now()
        last = self._last if self._last is not None else now - BEFORE_MS
        begin, end = self._unrest(last, now)
        begin = last if self._is_active() else begin
        step = max(INTERVAL_MS, -(-(now - begin) // STEPS))
        for at in range(begin + step, now, step):
            if at > end and not self._is_active():
                break
            self._evaluate(at, now)
            await asyncio.sleep(0)
        self._evaluate(now, now)
        self._last = now
        await self._notifier.send(self._book, now)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self.catch_up()

    def _is_active(self) -> bool:
        return any(active.state != "inactive" for _, active in self._book.alerts())

    def _unrest(self, begin: int, now: int) -> tuple[int, int]:
        """Return from when and until when something may begin to fire; twice now where nothing is wrong."""
        first, last = now, 0
        for life in self._lives.all():
            for index, stretch in enumerate(life.stretches):
                ended = life.begins[index + 1] if index + 1 < len(life.begins) else now
                if ended + AFTERWARDS_MS > begin and _is_wrong(stretch):
                    first, last = min(first, max(stretch.begin, begin)), max(last, ended + AFTERWARDS_MS)
        return first, last or now

    def _evaluate(self, at: int, now: int) -> None:
        self._storage.refresh()
        self._book.refresh(at)
        for group in self._book.groups():
            if at == now or group.is_due(at):
                group.evaluated_at = at
                for rule in group.rules:
                    rule.evaluate(self._storage, at)


def _is_wrong(stretch: Stretch) -> bool:
    """Say whether anything is otherwise than it should be."""
    if stretch.effect != NOTHING:
        return True
    return not stretch.gone and (stretch.ready < stretch.wanted or any(pod.restarts for pod in stretch.pods))
