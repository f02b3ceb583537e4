"""The inbox: one row for each delivery, stored before it is acknowledged, many rows in one transaction.

Rows that wait while a transaction runs go together into the next one (group commit), and so do the marks of finished
work. A row belongs to the process that stored it until its lease ends; then `take_over` gives it to whoever asks.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UpstreamUnavailable
from bot.ports import Clock
from bot.slack.envelope import Envelope, Malformed, restore
from bot.storage.database import Database
from bot.storage.slack_inbound import DONE, GIVEN_UP, WAITING, inbox

log = logging.getLogger(__name__)

LEASE_S = 30.0
"""A process that has not renewed for this long is taken for dead, in seconds."""
MAX_ATTEMPTS = 3
KEEP_S = 48 * 3600.0
"""How long a key is kept to recognise a second delivery, in seconds. Slack sends events again for up to 24 hours."""
MAX_WAITING = 4096
"""Deliveries that may wait to be stored or worked on; beyond, Slack is told to come back."""

_COLUMNS = ("key", "kind", "body", "received_at", "state", "attempts", "lease_until", "holder")


@dataclass(slots=True)
class _Waiting:
    envelope: Envelope
    stored: asyncio.Future[bool]


@dataclass(slots=True)
class _Batch:
    rows: list[_Waiting] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.done)


class Inbox:
    """Stores envelopes and knows which of them still wait for their work."""

    def __init__(self, database: Database, clock: Clock, dispatch: Callable[[Envelope], None]) -> None:
        """`dispatch` is called once for each new row, right after its commit; it only starts the work."""
        self._database = database
        self._clock = clock
        self._dispatch = dispatch
        self._next = _Batch()
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._running: set[str] = set()
        values = ", ".join(("?" if database.is_sqlite else "%s",) * len(_COLUMNS))
        mark = "?" if database.is_sqlite else "%s"
        # Plain driver statements: these two run for every delivery, and a built statement costs more than the insert.
        self._insert = (
            f"INSERT INTO {inbox.name} ({', '.join(_COLUMNS)}) VALUES ({values}) ON CONFLICT (key) DO NOTHING"  # noqa: S608 - constants only
        )
        self._finish = f"UPDATE {inbox.name} SET state = {DONE}, body = '' WHERE key = {mark}"  # noqa: S608 - constants only
        self._renew = f"UPDATE {inbox.name} SET lease_until = {mark} WHERE key = {mark}"  # noqa: S608 - constants only

    async def store(self, envelope: Envelope) -> bool:
        """Return once the row is committed: True for a new delivery, False for one that is here already.

        Raise `UpstreamUnavailable` when the database cannot take it; then nothing is stored.
        """
        if len(self._next.rows) + len(self._running) >= MAX_WAITING:
            raise UpstreamUnavailable("Too much is waiting to be stored.", hint="Try again in a few seconds.")
        waiting = _Waiting(envelope, asyncio.get_running_loop().create_future())
        self._next.rows.append(waiting)
        self._stir()
        return await waiting.stored

    async def record(self, connection: AsyncConnection, envelope: Envelope) -> bool:
        """Store the row inside the caller's transaction, who then starts its work; return whether it is new."""
        insert = (sqlite if self._database.is_sqlite else postgresql).insert(inbox)
        values = _row(envelope, self._clock().timestamp() + LEASE_S, secrets.token_hex(8))
        row = dict(zip(_COLUMNS, values, strict=True))
        result = await connection.execute(insert.values(row).on_conflict_do_nothing())
        return bool(result.rowcount == 1)

    def begun(self, key: str) -> None:
        """Note that the work behind `key` runs here: its lease is renewed until it is finished or dropped."""
        self._running.add(key)

    def finished(self, key: str) -> None:
        """Note that the work behind `key` is done; written with the next transaction."""
        self._running.discard(key)
        self._next.done.append(key)
        self._stir()

    def dropped(self, key: str) -> None:
        """Note that the work behind `key` broke off: it is taken up again when its lease ends."""
        self._running.discard(key)

    async def take_over(self, limit: int = 50) -> list[Envelope]:
        """Lease rows whose holder is gone and return them. Rows tried too often are given up."""
        now, holder = self._clock().timestamp(), secrets.token_hex(8)
        late = (inbox.c.state == WAITING) & (inbox.c.lease_until < now)
        async with self._database.write() as connection:
            await connection.execute(
                update(inbox).where(late, inbox.c.attempts >= MAX_ATTEMPTS).values(state=GIVEN_UP, body="")
            )
            keys = select(inbox.c.key).where(late).order_by(inbox.c.received_at).limit(limit)
            if not self._database.is_sqlite:
                keys = keys.with_for_update(skip_locked=True)
            taken = await connection.execute(
                update(inbox)
                .where(inbox.c.key.in_(keys.scalar_subquery()), inbox.c.state == WAITING)
                .values(attempts=inbox.c.attempts + 1, lease_until=now + LEASE_S, holder=holder)
                .returning(inbox.c.key, inbox.c.kind, inbox.c.body, inbox.c.received_at, inbox.c.attempts)
            )
            rows = taken.all()
        return [envelope for row in rows if (envelope := self._restored(*row)) is not None]

    async def renew(self) -> None:
        """Lengthen the leases of the work that runs here, and forget keys that no delivery can repeat any more."""
        now = self._clock().timestamp()
        if self._next:
            self._stir()  # marks of finished work whose transaction failed
        async with self._database.write() as connection:
            if self._running:
                leases = [(now + LEASE_S, key) for key in sorted(self._running)]
                await connection.exec_driver_sql(self._renew, leases)
            await connection.execute(delete(inbox).where(inbox.c.state != WAITING, inbox.c.received_at < now - KEEP_S))

    async def close(self) -> None:
        """Write what waits, then stop."""
        if self._next:
            self._stir()
        if self._writer is not None:
            await asyncio.wait({self._writer})

    def _restored(self, key: str, kind: str, body: str, received_at: float, attempts: int) -> Envelope | None:
        try:
            envelope = restore(kind, key, body, received_at, attempts)
        except (Malformed, ValueError):
            self.finished(key)  # a row that this release cannot read will not become readable
            return None
        self._running.add(key)
        return envelope

    def _stir(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="slack-inbox-writer")

    async def _write(self) -> None:
        while self._next:
            batch, self._next = self._next, _Batch()
            try:
                new = await self._commit(batch)
            except Exception:
                log.exception("slack_inbox_write_failed")
                self._fail(batch)
                return
            self._announce(batch, new)

    def _announce(self, batch: _Batch, new: set[str]) -> None:
        fresh: list[Envelope] = []
        for waiting in batch.rows:
            is_new = waiting.envelope.key in new
            if is_new:
                new.remove(waiting.envelope.key)  # the same delivery may stand twice in one batch
                fresh.append(waiting.envelope)
            if not waiting.stored.done():
                waiting.stored.set_result(is_new)
        for envelope in fresh:  # after the answers are on their way, and also where nobody waits for one any more
            self._dispatch(envelope)

    async def _commit(self, batch: _Batch) -> set[str]:
        """Write the batch in one transaction; return the keys of rows that were not there before."""
        holder = secrets.token_hex(8)
        lease = self._clock().timestamp() + LEASE_S
        # In one order everywhere: two replicas with the same deliveries must not wait for each other in a ring.
        rows = sorted(_row(waiting.envelope, lease, holder) for waiting in batch.rows)
        keys = {waiting.envelope.key for waiting in batch.rows}
        async with self._database.write() as connection:
            if rows:
                result = await connection.exec_driver_sql(self._insert, rows)
                if result.rowcount != len(rows):
                    ours = await connection.execute(select(inbox.c.key).where(inbox.c.holder == holder))
                    keys = set(ours.scalars())
            if batch.done:
                await connection.exec_driver_sql(self._finish, [(key,) for key in sorted(batch.done)])
        self._running |= keys
        return keys

    def _fail(self, batch: _Batch) -> None:
        for waiting in batch.rows:
            if not waiting.stored.done():
                waiting.stored.set_exception(
                    UpstreamUnavailable("The database did not take it.", hint="Try again in a minute.")
                )
        self._next.done[:0] = batch.done  # tried again with the next row


def _row(envelope: Envelope, lease_until: float, holder: str) -> tuple[str, str, str, float, int, int, float, str]:
    kind = envelope.kind.value
    return (envelope.key, kind, envelope.body, envelope.received_at, WAITING, 1, lease_until, holder)
