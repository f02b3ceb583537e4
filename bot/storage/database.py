"""The one database: SQLite by default, PostgreSQL for more than one replica.

Two habits hold everywhere. A state change and what it announces (ledger entry, outbox row) are written in one
`write()`. Reads that decide a write happen inside that same `write()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import aiosqlite
from sqlalchemy import MetaData, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
"""Tables of all rooms; each room declares its own in `bot/storage/<room>.py`."""


def async_url(url: str) -> URL:
    """Return `url` with the asynchronous driver of its database. Raise `ValueError` for any but the two we run on."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"Causeway runs on sqlite and postgresql, not on {other}")


class Database:
    """Opens transactions. On SQLite writers queue here, in order, rather than fight for the file's lock."""

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database not in (None, "", ":memory:"):
            file = Path(self.url.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)  # for our eyes only; an existing file keeps its rights
        self.engine: AsyncEngine = self._engine()
        self._writer = asyncio.Lock()
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    def _engine(self) -> AsyncEngine:
        if not self.is_sqlite:
            return create_async_engine(self.url, pool_pre_ping=True, hide_parameters=True)
        file = self.url.database or ":memory:"
        creator = _creator(file)
        # What people write stands in parameters: an error must not carry it into the log.
        return create_async_engine(self.url, async_creator=creator, hide_parameters=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One read-write transaction; commits at the end, rolls back on any exception."""
        async with self._writer if self.is_sqlite else nullcontext():
            async with self.engine.connect() as connection:
                await connection.execution_options(causeway_write=True)
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One read-only view of the data."""
        async with self.engine.connect() as connection:
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()


class _SqliteConnection(aiosqlite.Connection):
    """Rolls back before it closes.

    A connection whose task was cancelled in the middle of a statement is closed by SQLAlchemy while that statement is
    still open. SQLite then only pretends to close it, and it keeps the write lock for as long as the process lives.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # as SQLAlchemy does for connections that it makes: none keeps a process alive

    async def close(self) -> None:
        with contextlib.suppress(ValueError, sqlite3.Error):  # closed already, or nothing to roll back
            await self.rollback()
        await super().close()


def _creator(file: str) -> Callable[[], _SqliteConnection]:
    return lambda: _SqliteConnection(lambda: sqlite3.connect(file, check_same_thread=False))


def _prepare_sqlite(connection: object, _record: object) -> None:
    # The driver's own transaction control is switched off: it begins too late, and never IMMEDIATE.
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: object) -> None:
    # A transaction that will write takes the lock at once: upgrading a read lock later fails without waiting.
    options = connection.get_execution_options()  # type: ignore[attr-defined]
    mode = "IMMEDIATE" if options.get("causeway_write") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")  # type: ignore[attr-defined]
