"""`causeway ledger verify` and `show`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bot.errors import UsageError
from bot.operations import verify as verifying
from bot.operations.seal import Head, read_heads, signing_key
from bot.publishing import GitPublisher
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.operations import ledger_entries, ledger_heads
from bot.systems import ledger_key_file, open_forge, spoken_database

Result = tuple[int, list[str]]

MOST_SHOWN = 1_000_000


async def verify(settings: Settings, *, as_json: bool) -> Result:
    """Recompute the chain and hold it against the published heads: exit 0 when all is as it was sealed, else 1."""
    key_file = ledger_key_file(settings)
    if not key_file.exists():
        raise UsageError(f"There is no ledger key at {key_file}.", hint="Set CAUSEWAY_LEDGER_KEY_FILE.")
    async with _opened(settings) as database:
        heads, source = await _published(settings, database)
        verdict = await verifying.verify(database, heads, (await asyncio.to_thread(signing_key, key_file)).public_key())
    if as_json:
        told = {"ok": verdict.ok, **verdict.model_dump(mode="json"), "heads": source}
        return (0 if verdict.ok else 1), [json.dumps(told)]
    return (0 if verdict.ok else 1), [
        str(verdict),
        f"Held against {len(heads)} published head{'' if len(heads) == 1 else 's'} from {source}.",
    ]


async def _published(settings: Settings, database: Database) -> tuple[tuple[Head, ...], str]:
    """Heads from the configured file; without one from the database itself, which proves less, and is told so."""
    file = settings.configuration.ledger.publish_file
    if file is not None:
        try:
            return await asyncio.to_thread(read_heads, file), str(file)
        except ValueError as error:
            raise UsageError(f"{file} holds a line that is no signed head.", hint="Restore it from a copy.") from error
    if (git := settings.configuration.ledger.publish_git) is not None:
        forge = open_forge(settings)
        try:
            return await GitPublisher(forge, git.repository, git.path).heads(), f"{git.path} of {git.repository}"
        except ValueError as error:
            raise UsageError(f"{git.path} holds a line that is no signed head.", hint="Look at its history.") from error
        finally:
            await forge.close()
    async with database.read() as connection:
        rows = (await connection.execute(select(ledger_heads.c.head).order_by(ledger_heads.c.number))).scalars()
        heads = tuple(Head.model_validate_json(text) for text in rows)
    return (
        heads,
        "the database itself: set `ledger.publish_file` or `publish_git`, or whoever can write there can rewrite both",
    )


async def show(settings: Settings, *, operation: str | None, limit: int, as_json: bool) -> Result:
    """Print entries, newest last."""
    query = select(ledger_entries).order_by(ledger_entries.c.id.desc()).limit(min(max(1, limit), MOST_SHOWN))
    if operation:
        query = query.where(ledger_entries.c.operation == operation)
    async with _opened(settings) as database, database.read() as connection:
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    return 0, [_json(row) if as_json else _line(row) for row in reversed(rows)]


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    """Raise `UpstreamUnavailable` where it cannot be read."""
    database = Database(settings.environment.database_url)
    try:
        with spoken_database():
            yield database
    finally:
        await database.close()


def _json(row: dict[str, Any]) -> str:
    return json.dumps({**row, "body": json.loads(row["body"])}, ensure_ascii=False)


def _line(row: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(row["at"], UTC)
    number = "not sealed" if row["number"] is None else f"{row['number']:>6}"
    return f"{number}  {at:%Y-%m-%d %H:%M:%S}  {row['kind']:<24} {row['actor']:<28} {row['operation']}"
