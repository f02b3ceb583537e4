"""`POST /webhooks/github`: verified over the raw body, stored, answered; the work comes after the answer."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from aiohttp import web
from sqlalchemy import delete, insert, select, update

from bot.errors import PlatformError, Refused, UsageError
from bot.http.answers import problem, read_body
from bot.model.forge_events import (
    BuildEnded,
    ForgeEvent,
    PullRequestComment,
    PullRequestEvent,
    Push,
    RepositoryEvent,
    UnknownEvent,
    WorkflowRun,
)
from bot.ports import Clock
from bot.storage.database import Database
from bot.storage.webhooks import webhook_deliveries

log = logging.getLogger(__name__)

SOURCE = "github"
MAX_BODY = 25_000_000
"""GitHub's own cap on a payload, in bytes."""
MAX_ATTEMPTS = 5
KEEP = timedelta(days=7)
"""How long a delivery's id is remembered, so that a late redelivery is known."""

KINDS: Mapping[str, type[ForgeEvent]] = {
    kind.__name__: kind
    for kind in (Push, PullRequestEvent, PullRequestComment, WorkflowRun, BuildEnded, RepositoryEvent, UnknownEvent)
}

Verify = Callable[[bytes, str | None], None]
"""Raises `Refused` for a wrong signature."""
Parse = Callable[[str, str, bytes, str], ForgeEvent]
"""`(event, delivery, body, content_type)`."""
Handle = Callable[[ForgeEvent], Awaitable[None]]


class GitHubWebhooks:
    """Takes deliveries in and works on them one after the other."""

    def __init__(self, database: Database, clock: Clock, *, verify: Verify, parse: Parse, handle: Handle) -> None:
        self._database = database
        self._clock = clock
        self._verify = verify
        self._parse = parse
        self._handle = handle
        self._new = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/webhooks/github", self.receive)]

    async def start(self) -> None:
        """Begin with what an earlier run left undone."""
        self._new.set()
        self._task = asyncio.create_task(self._work(), name="github-webhooks")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def receive(self, request: web.Request) -> web.Response:
        body = await read_body(request, MAX_BODY)
        if body is None:
            return problem(413, "The delivery is larger than GitHub sends.")
        try:
            self._verify(body, request.headers.get("X-Hub-Signature-256"))
        except Refused as error:
            return problem(401, error.message)
        delivery = request.headers.get("X-GitHub-Delivery", "").strip()
        if not delivery:
            raise UsageError("The delivery has no `X-GitHub-Delivery` header.")
        event = self._parse(request.headers.get("X-GitHub-Event", ""), delivery, body, request.content_type)
        is_new = await self._store(event)
        self._new.set()
        return web.json_response({"stored": is_new}, status=202)

    async def work_off(self) -> int:
        """Work on everything that waits; return how many deliveries were done."""
        done = 0
        while (row := await self._next()) is not None:
            delivery, text = row
            try:
                await self._handle(_event(text))
            except PlatformError as error:
                # What could not be read now is read by the next sweep.
                log.warning("webhook_not_followed", extra={"delivery": delivery, "problem": str(error)})
            except Exception:
                log.exception("webhook_failed", extra={"delivery": delivery})
            await self._done(delivery)
            done += 1
        return done

    async def _work(self) -> None:
        while True:
            await self._new.wait()
            self._new.clear()
            try:
                await self.work_off()
                await self._forget_old()
            except Exception:
                log.exception("webhooks_stalled")  # the database is away: the next delivery or start tries again

    async def _store(self, event: ForgeEvent) -> bool:
        row = {
            "source": SOURCE,
            "delivery": event.delivery,
            "event": json.dumps({"kind": type(event).__name__, "event": event.model_dump(mode="json")}),
            "received_at": self._clock().timestamp(),
        }
        same = (webhook_deliveries.c.source == SOURCE) & (webhook_deliveries.c.delivery == event.delivery)
        async with self._database.write() as connection:
            if (await connection.execute(select(webhook_deliveries.c.delivery).where(same))).first() is not None:
                return False
            await connection.execute(insert(webhook_deliveries).values(row))
        return True

    async def _next(self) -> tuple[str, str] | None:
        """Return the oldest waiting delivery, counting the attempt first: one that kills us must not do so for ever."""
        table = webhook_deliveries
        waiting = (
            select(table.c.delivery, table.c.event)
            .where(table.c.source == SOURCE, table.c.done_at.is_(None), table.c.attempts < MAX_ATTEMPTS)
            .order_by(table.c.received_at)
            .limit(1)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(waiting)).first()
            if row is None:
                return None
            count = update(table).where(table.c.source == SOURCE, table.c.delivery == row.delivery)
            await connection.execute(count.values(attempts=table.c.attempts + 1))
        return row.delivery, row.event

    async def _done(self, delivery: str) -> None:
        table = webhook_deliveries
        mark = update(table).where(table.c.source == SOURCE, table.c.delivery == delivery)
        async with self._database.write() as connection:
            await connection.execute(mark.values(done_at=self._clock().timestamp()))

    async def _forget_old(self) -> None:
        table = webhook_deliveries
        old = table.c.received_at < (self._clock() - KEEP).timestamp()
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.source == SOURCE, old))


def _event(text: str) -> ForgeEvent:
    stored = json.loads(text)
    return KINDS[stored["kind"]].model_validate(stored["event"])
