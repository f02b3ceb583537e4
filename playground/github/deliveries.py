"""Webhooks on their way out: signed as GitHub signs them, sent one after the other per address, with a log."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

TIMEOUT_S = 10.0
"""GitHub gives a receiver ten seconds and does not try again by itself."""
LOG_LENGTH = 1000


@dataclass(slots=True)
class Delivery:
    """One webhook and what became of it. `status_code` is 0 until it was answered."""

    id: int
    url: str
    event: str
    payload: Mapping[str, Any]
    secret: str
    at: datetime
    hook_id: int
    target: str = "integration"
    """`integration` for the App's own webhook, `repository` or `organization` for hooks."""
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    redelivery: bool = False
    status_code: int = 0
    outcome: str = "pending"
    duration_s: float = 0.0

    def request(self) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(self.payload, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/playground",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.guid,
            "X-GitHub-Hook-ID": str(self.hook_id),
            "X-GitHub-Hook-Installation-Target-Type": self.target,
        }
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        return body, headers


class Deliveries:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._queues: dict[str, asyncio.Queue[Delivery]] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._next = 1
        self.log: deque[Delivery] = deque(maxlen=LOG_LENGTH)

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))

    async def close(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()
        self._queues.clear()
        if self._session:
            await self._session.close()
            self._session = None

    async def drain(self) -> None:
        """Wait until everything handed over so far has been answered or given up."""
        for queue in list(self._queues.values()):
            await queue.join()

    def send(
        self, url: str, event: str, payload: Mapping[str, Any], secret: str, *, hook_id: int, target: str
    ) -> Delivery | None:
        """Hand one webhook over and return at once; nothing is sent before `start`."""
        if self._session is None:
            return None
        delivery = Delivery(self._next, url, event, payload, secret, self._clock(), hook_id, target)
        self._next += 1
        self._enqueue(delivery)
        return delivery

    def again(self, old: Delivery) -> Delivery:
        """Send the same payload once more under the same delivery id, as GitHub's redelivery does."""
        copy = Delivery(
            self._next,
            old.url,
            old.event,
            old.payload,
            old.secret,
            self._clock(),
            old.hook_id,
            old.target,
            old.guid,
            True,
        )
        self._next += 1
        self._enqueue(copy)
        return copy

    def _enqueue(self, delivery: Delivery) -> None:
        self.log.append(delivery)
        queue = self._queues.get(delivery.url)
        if queue is None:
            queue = self._queues[delivery.url] = asyncio.Queue()
            self._workers.append(asyncio.create_task(self._work(queue)))
        queue.put_nowait(delivery)

    async def _work(self, queue: asyncio.Queue[Delivery]) -> None:
        while True:
            delivery = await queue.get()
            try:
                await self._deliver(delivery)
            finally:
                queue.task_done()

    async def _deliver(self, delivery: Delivery) -> None:
        if self._session is None:
            return
        body, headers = delivery.request()
        started = asyncio.get_running_loop().time()
        try:
            async with self._session.post(delivery.url, data=body, headers=headers) as response:
                delivery.status_code = response.status
                delivery.outcome = "OK" if response.status < 300 else response.reason or "failed"
        except TimeoutError:
            delivery.outcome = "timed out"
        except (aiohttp.ClientError, OSError):
            delivery.outcome = "failed to connect to host"
        delivery.duration_s = asyncio.get_running_loop().time() - started
