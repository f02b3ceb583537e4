"""One stream of changes for all who follow applications; it comes back by itself."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from bot.errors import NotFound, PlatformError, UpstreamUnavailable
from bot.ports import Seen
from integrations.argocd import shapes
from integrations.argocd.answers import told
from integrations.argocd.board import Board
from integrations.argocd.client import Client, application_path

PATH = "/api/v1/stream/applications"
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
AT_ONCE = 8
"""Applications that are read at the same time after coming back."""
WATCHING = "tell how applications change"

Sleep = Callable[[float], Awaitable[None]]


class Stream:
    """Runs while somebody follows. Of all that it is told it parses only what is followed."""

    def __init__(self, client: Client, namespace: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._namespace = namespace
        self._sleep = sleep
        self._board = Board()
        self._live = False
        self._heard = False
        """Whether the connection has brought anything."""
        self._task: asyncio.Task[None] | None = None
        self._readings: set[asyncio.Task[None]] = set()

    async def follow(self, name: str) -> AsyncGenerator[Seen, None]:
        follower = self._board.join(name)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="Argo CD's stream")
        elif self._live:
            self._look_soon(name)
        try:
            while True:
                yield await follower.next()
        finally:
            self._board.leave(name, follower)
            if not self._board.names:
                await self.close()

    async def close(self) -> None:
        tasks = [task for task in (self._task, *self._readings) if task is not None]
        self._task, self._live = None, False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        try:
            while True:
                self._heard = False
                try:
                    await self._one_connection()
                except PlatformError as error:
                    if failures and not self._heard:  # what breaks off is opened again before anybody is told
                        self._board.lose(error.while_waiting())
                self._live = False
                failures = 1 if self._heard else failures + 1
                await self._sleep(_pause(failures))
        except Exception as error:
            self._board.fail(error)
            raise

    async def _one_connection(self) -> None:
        # From version 0 on: what happens from now on, without everything that there is.
        query = {"resourceVersion": "0", "appNamespace": self._namespace}
        async with self._client.stream(PATH, WATCHING, query) as lines:
            self._board.find()
            self._live = True
            gate = asyncio.Semaphore(AT_ONCE)
            for name in self._board.names:
                self._look_soon(name, gate)
            async for line in lines:
                self._heard = True
                self._take(line)

    def _look_soon(self, name: str, gate: asyncio.Semaphore | None = None) -> None:
        reading = asyncio.create_task(self._look(name, gate or asyncio.Semaphore()))
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)

    async def _look(self, name: str, gate: asyncio.Semaphore) -> None:
        """Show how one application is now; try until it works, or the stream breaks as well."""
        pause = FIRST_PAUSE_S
        while self._live and self._board.follows(name):
            asked_at = self._board.words(name)
            try:
                async with gate:
                    document = await self._client.get(
                        application_path(name), f"show {name}", {"appNamespace": self._namespace}
                    )
            except NotFound:
                self._board.show(name, None, asked_at=asked_at)
                return
            except PlatformError as error:
                if self._board.words(name) == 0:
                    self._board.tell(name, error.while_waiting())
                await self._sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            self._board.show(name, shapes.application(document), shapes.version(document))
            return

    def _take(self, line: bytes) -> None:
        text = line.strip()
        if text.startswith(b"data:"):
            text = text[5:].strip()
        if not text.startswith(b"{"):
            return  # a comment that keeps the connection alive
        event = _event(text)
        if "error" in event:
            raise UpstreamUnavailable(f"Argo CD ended its stream: {told(event['error'])}.")
        result = event.get("result") or {}
        document = result.get("application") or {}
        name = shapes.name_of(document)
        if not self._board.follows(name) or shapes.namespace_of(document) not in ("", self._namespace):
            return
        gone = result.get("type") == "DELETED"
        self._board.show(name, None if gone else shapes.application(document), shapes.version(document))


def _event(text: bytes) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise UpstreamUnavailable("A line of Argo CD's stream is cut off.")
    return event


def _pause(failures: int) -> float:
    """Return seconds: hardly any the first time, then 1, 2, 4 … to 30, a little less at random."""
    if failures == 1:
        return FIRST_PAUSE_S / 10
    return float(min(FIRST_PAUSE_S * 2.0 ** (failures - 2), LONGEST_PAUSE_S)) * random.uniform(0.8, 1.0)  # noqa: S311
