"""Whose an entity is when two files declare it: the one that came first keeps it, over restarts and in every replica.

Without this, whoever may push to some repository could declare another team's service there, with an owner of their own
choice, and would own it wherever their file happens to be read first.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.ports import Clock
from bot.storage.catalog import catalog_documents, catalog_holders
from bot.storage.database import Database


class Holders:
    """Full reference → source of the file that holds it, those that came first first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._held: dict[str, str] = {}

    @property
    def held(self) -> Mapping[str, str]:
        return MappingProxyType(self._held)

    async def load(self) -> None:
        """Read what this and other replicas have settled."""
        rows = select(catalog_holders).order_by(catalog_holders.c.since, catalog_holders.c.ref)
        async with self._database.read() as connection:
            self._held = {row.ref: row.source for row in (await connection.execute(rows)).all()}

    async def settle(self, standing: Mapping[str, str], read: Container[str]) -> bool:
        """Write down what stands now (reference → source); forget what the sources that were `read` declare no more.

        Return whether another replica had settled something else meanwhile: then what stands must be worked out again.
        """
        gone = {ref: source for ref, source in self._held.items() if standing.get(ref) != source and source in read}
        new = {ref: source for ref, source in standing.items() if self._held.get(ref) != source}
        if not (gone or new):
            return False
        await self._write(gone, new)
        await self.load()
        return any(self._held.get(ref) != source for ref, source in standing.items())

    async def _write(self, gone: Mapping[str, str], new: Mapping[str, str]) -> None:
        now = self._clock()
        rows = [{"ref": ref, "source": source, "since": now} for ref, source in new.items()]
        dialect = sqlite if self._database.is_sqlite else postgresql
        async with self._database.write() as connection:
            there = select(catalog_documents.c.source)
            await connection.execute(delete(catalog_holders).where(catalog_holders.c.source.not_in(there)))
            for ref, source in gone.items():
                mine = (catalog_holders.c.ref == ref) & (catalog_holders.c.source == source)
                await connection.execute(delete(catalog_holders).where(mine))
            if rows:
                await connection.execute(dialect.insert(catalog_holders).on_conflict_do_nothing(), rows)
