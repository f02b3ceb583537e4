"""What keeps runs going over crashes and restarts, as the engine sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import URL

from bot.storage.database import async_url

Run = Callable[[str, int], Awaitable[None]]
"""`(operation id, lease token)`: work on the operation until it ends or has to wait. Never raises."""


class Driver(Protocol):
    """Begins runs, and begins them again after a crash of this process."""

    async def open(self, run: Run) -> None: ...
    async def start(self, operation: str, token: int) -> None:
        """Begin `run(operation, token)` in the background; do nothing if it was begun before."""

    async def forget(self, operation: str, token: int) -> None:
        """Never begin that run again: another one has taken its place."""

    async def sweep(self) -> None:
        """Drop what is remembered of finished runs."""

    async def close(self) -> None: ...


def workflow_id(operation: str, token: int) -> str:
    return f"{operation}.{token}"


def system_url(url: str) -> URL:
    """Return where the system tables of DBOS stand for Causeway's database `url`."""
    ours = async_url(url)
    if ours.get_backend_name() == "postgresql":
        return ours.set(drivername="postgresql+psycopg")
    if not ours.database or ours.database == ":memory:":
        return ours.set(drivername="sqlite")
    file = Path(ours.database)
    return ours.set(drivername="sqlite", database=str(file.with_name(f"{file.stem}.engine{file.suffix}")))
