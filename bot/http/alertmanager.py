"""`POST /webhooks/alertmanager`: who calls is checked first, the body is stored as it came, then comes the answer.

Bodies that wait while a transaction runs go together into the next one (group commit). What they hold is read later,
by `bot.alerting`; here it is only seen that it is a body of Alertmanager's. Nothing of it reaches a log.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import SecretStr

from bot.errors import UpstreamUnavailable
from bot.http.answers import problem, read_body
from bot.ports import Clock
from bot.storage.alerts import alert_intake
from bot.storage.database import Database

log = logging.getLogger(__name__)

MAX_BODY = 5_000_000
"""In bytes. Alertmanager can be told to send fewer alerts at once (`max_alerts`)."""
MAX_WAITING = 64_000_000
"""Most characters that wait to be stored; more is sent away, and Alertmanager tries again."""
LARGE = 100_000
"""A body longer than this is looked at beside the loop."""


@dataclass(slots=True)
class _Waiting:
    body: str
    received_at: float
    stored: asyncio.Future[None]


class AlertmanagerWebhook:
    """Takes deliveries in."""

    def __init__(self, database: Database, clock: Clock, *, token: SecretStr, stored: Callable[[], None]) -> None:
        """`stored` is called after each commit, so that the work can begin. Without a token nothing is taken."""
        self._database = database
        self._clock = clock
        self._token = token.get_secret_value().encode()
        self._stored = stored
        self._waiting: list[_Waiting] = []
        self._size = 0
        self._writer: asyncio.Task[None] | None = None
        mark = "?" if database.is_sqlite else "%s"
        no = "0" if database.is_sqlite else "false"
        # A plain driver statement: it runs for every delivery.
        self._insert = (
            f"INSERT INTO {alert_intake.name} (body, received_at, attempts, failed) VALUES ({mark}, {mark}, 0, {no})"  # noqa: S608 - constants only
        )

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/webhooks/alertmanager", self.receive)]

    async def close(self) -> None:
        """Write what waits, then stop."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 200 once it is stored. Alertmanager tries again after a 5xx, and gives up after a 4xx."""
        if not self._is_known(request.headers.get("Authorization", "")):
            refused = problem(
                401, "This webhook needs Alertmanager's bearer token.", hint="See CAUSEWAY_ALERTMANAGER_TOKEN."
            )
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        body = await read_body(request, MAX_BODY)
        if body is None:
            return problem(413, "The delivery is too large.", hint="Set max_alerts for this receiver in Alertmanager.")
        text = await asyncio.to_thread(_readable, body) if len(body) > LARGE else _readable(body)
        if text is None:
            return problem(
                400, "This is not a delivery of Alertmanager's.", hint="Send version 4 of its webhook, JSON."
            )
        await self._store(text)
        return web.json_response({"stored": True})

    def _is_known(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        given = token.strip().encode("utf-8", "replace")
        # Compared in any case, and in the same time however much of it is right.
        same = hmac.compare_digest(given, self._token)
        return same and bool(self._token) and scheme.lower() == "bearer"

    async def _store(self, body: str) -> None:
        """Return once it is committed. Raise `UpstreamUnavailable` when the database cannot take it."""
        if self._size + len(body) > MAX_WAITING:
            raise UpstreamUnavailable("Too much is waiting to be stored.", hint="Try again in a few seconds.")
        waiting = _Waiting(body, self._clock().timestamp(), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._size += len(body)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="alertmanager-writer")
        await waiting.stored

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting, self._size = self._waiting, [], 0
            try:
                async with self._database.write() as connection:
                    rows = [(one.body, one.received_at) for one in batch]
                    await connection.exec_driver_sql(self._insert, rows)
            except Exception as error:  # noqa: BLE001  # whatever it is: it is not stored, and Alertmanager sends it again
                log.error("alerts_not_stored", extra={"kind": type(error).__name__})  # noqa: TRY400  # it may show a body
                failed = UpstreamUnavailable("The database did not take it.", hint="Try again in a minute.")
                for one in batch:
                    if not one.stored.done():
                        one.stored.set_exception(failed)
                continue
            for one in batch:
                if not one.stored.done():
                    one.stored.set_result(None)
            self._stored()


def _readable(body: bytes) -> str | None:
    """Return the body as text that a database can hold; None where it is no delivery."""
    try:
        text = body.decode()
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("alerts"), list) or "\x00" in text:
        return None
    return text
