"""One stream of changes for all who follow applications; it comes back by itself."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from bot.errors import NotFound, PlatformError, UpstreamUnavailable
from bot.ports import Seen
from integrations.argocd import shapes
from integrations.argocd.answers import told
from integrations.argocd.board import Board, Follower
from integrations.argocd.client import Client, application_path

PATH = "/api/v1/stream/applications"
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LOOK_AGAIN_S = 5.0
"""Between two readings of an application while the stream tells nothing."""
AT_ONCE = 8
"""Applications that are read at the same time."""
WATCHING = "tell how applications change"

Sleep = Callable[[float], Awaitable[None]]


class Stream:
    """Runs while somebody follows. Of all that it is told it parses only what is followed.

    Argo CD answers a stream with its first event, so a quiet one cannot be told from one that does not work. Until it
    has told something, everybody who follows reads the application again and again; whether Argo CD is out of sight is
    for these readings to say, not for the stream.
    """

    def __init__(self, client: Client, namespace: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._namespace = namespace
        self._sleep = sleep
        self._board = Board()
        self._over: asyncio.Event | None = None
        """Set when the connection that tells us now has ended; None while there is none that has told anything."""
        self._task: asyncio.Task[None] | None = None
        self._readings: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def follow(self, name: str) -> AsyncGenerator[Seen, None]:
        follower = self._board.join(name)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="Argo CD's stream")
        reading = asyncio.create_task(self._read(name, follower), name=f"reading {name}")
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)
        try:
            while True:
                yield await follower.next()
        finally:
            self._board.leave(name, follower)
            reading.cancel()
            if not self._board.names:
                await self.close()

    async def close(self) -> None:
        tasks = [task for task in (self._task, *self._readings) if task is not None]
        self._task = self._over = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- reading

    async def _read(self, name: str, follower: Follower) -> None:
        """Show how one application is until the stream tells, and from the moment that it does not any more."""
        failures = 0
        try:
            while True:
                over = self._over  # before asking, so that no gap is left between what is read and what is told
                try:
                    await self._look(name)
                    failures = 0
                except PlatformError as error:
                    failures += 1
                    if failures > 1:  # what fails is tried again before anybody is told
                        self._miss(name, error.while_waiting())
                if failures or over is None:
                    await self._sleep(LOOK_AGAIN_S)
                else:
                    await over.wait()
        except Exception as error:  # noqa: BLE001  # whatever it is, who follows raises it
            follower.fail(error)

    async def _look(self, name: str) -> None:
        asked_at = self._board.words(name)
        document: Any = None
        with suppress(NotFound):
            async with self._gate:
                document = await self._client.get(
                    application_path(name), f"show {name}", {"appNamespace": self._namespace}
                )
        self._board.find()
        if document is None:
            self._board.show(name, None, asked_at=asked_at)
        else:
            self._board.show(name, shapes.application(document), shapes.version(document))

    def _miss(self, name: str, problem: str) -> None:
        if self._board.words(name) == 0:
            self._board.tell(name, problem)
        elif self._over is None:
            self._board.lose(problem)

    # --- being told

    async def _run(self) -> None:
        failures = 0
        try:
            while True:
                with suppress(PlatformError):  # what is wrong is met by those who read meanwhile
                    await self._one_connection()
                failures += 1
                if self._over is not None:
                    self._over.set()
                    self._over, failures = None, 1
                await self._sleep(_pause(failures))
        except Exception as error:
            self._board.fail(error)
            raise

    async def _one_connection(self) -> None:
        # From version 0 on: what happens from now on, without everything that there is.
        query = {"resourceVersion": "0", "appNamespace": self._namespace}
        async with self._client.stream(PATH, WATCHING, query) as lines:
            async for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        text = line.strip()
        if text.startswith(b"data:"):
            text = text[5:].strip()
        if not text.startswith(b"{"):
            return  # a comment that keeps the connection alive
        event = _event(text)
        if "error" in event:
            raise UpstreamUnavailable(f"Argo CD ended its stream: {told(event['error'])}.")
        self._begin()
        result = event.get("result") or {}
        document = result.get("application") or {}
        name = shapes.name_of(document)
        if not self._board.follows(name) or shapes.namespace_of(document) not in ("", self._namespace):
            return
        gone = result.get("type") == "DELETED"
        self._board.show(name, None if gone else shapes.application(document), shapes.version(document))

    def _begin(self) -> None:
        """Rely on the connection: what has told one event will tell the next."""
        if self._over is None:
            self._over = asyncio.Event()
            self._board.find()


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
