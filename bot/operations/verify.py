"""Finds out whether the ledger is as it was when its heads were published, and says where it is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel
from sqlalchemy import func, select

from bot.operations.seal import GENESIS, Head, entry_hash
from bot.storage.database import Database
from bot.storage.operations import ledger_entries, ledger_heads

MOST_FINDINGS = 20


class Finding(BaseModel, frozen=True):
    """One place where the ledger is not what it was."""

    entry: int | None
    """The first entry concerned, counted from 1; None where a published head itself is wrong."""
    what: str


class Verdict(BaseModel, frozen=True):
    """What `verify` found. Nothing is known about entries after the last published head but their number."""

    findings: tuple[Finding, ...] = ()
    """In the order of the chain, at most 20."""
    proved: int = 0
    """Entries up to the last published head."""
    not_sealed: int = 0
    """Entries after it: written, but no published head vouches for them yet."""

    @property
    def ok(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        if self.findings:
            places = "; ".join(f"entry {f.entry}: {f.what}" if f.entry else f.what for f in self.findings)
            return f"The ledger was tampered with. {places}."
        if not self.proved:
            return f"Nothing can be proved yet: no head was published. {self.not_sealed} entries are not yet sealed."
        return f"The ledger is intact: {self.proved} entries are proved, {self.not_sealed} are not yet sealed."


async def verify(database: Database, published: Sequence[Head], key: Ed25519PublicKey) -> Verdict:
    """Recompute the chain and hold it against the heads that were published elsewhere."""
    heads, findings = _trusted(published, key)
    last_head = max(heads, default=0)
    chain = _Chain(heads)
    async for row in _sealed(database):
        chain.add(row)
    findings += [*chain.end(), *await _withdrawn(database, {head.number for head in published})]
    beyond = (ledger_entries.c.number.is_(None)) | (ledger_entries.c.number > last_head)
    async with database.read() as connection:
        not_sealed = (await connection.execute(select(func.count()).select_from(ledger_entries).where(beyond))).scalar()
    return Verdict(findings=tuple(findings[:MOST_FINDINGS]), proved=last_head, not_sealed=not_sealed or 0)


async def _withdrawn(database: Database, found: set[int]) -> list[Finding]:
    """Heads that the database says were published, and that are not found where they were."""
    stated = select(ledger_heads.c.number).where(ledger_heads.c.published_at.is_not(None))
    async with database.read() as connection:
        gone = sorted(set((await connection.execute(stated)).scalars()) - found)
    if not gone:
        return []
    return [Finding(entry=None, what=f"{len(gone)} of its published heads, the first of entry {gone[0]}, were removed")]


async def _sealed(database: Database) -> AsyncIterator[Mapping[str, Any]]:
    in_order = select(ledger_entries).where(ledger_entries.c.number.is_not(None)).order_by(ledger_entries.c.number)
    async with database.read() as connection:
        async for row in (await connection.stream(in_order)).mappings():
            yield dict(row)


def _trusted(published: Sequence[Head], key: Ed25519PublicKey) -> tuple[dict[int, Head], list[Finding]]:
    heads: dict[int, Head] = {}
    findings = []
    for head in published:
        if not head.is_signed_by(key):
            findings.append(Finding(entry=None, what=f"the published head of entry {head.number} is not signed by us"))
        elif heads.setdefault(head.number, head).hash != head.hash:
            findings.append(Finding(entry=head.number, what="two published heads of it contradict each other"))
    return heads, findings


class _Chain:
    """Walks along the stored entries. After a break it goes on from what is stored, so each break is told once."""

    def __init__(self, heads: dict[int, Head]) -> None:
        self._heads = heads
        self._findings: list[Finding] = []
        self._number = 0
        self._hash = GENESIS
        self._proved = 0
        self._told: set[int] = set()

    def add(self, row: Mapping[str, Any]) -> None:
        number = row["number"]
        if not isinstance(number, int):  # SQLite stores what it is given
            self._tell(self._number + 1, f"beside it stands an entry with the number “{str(number)[:20]}”")
            return
        if number < 1:
            self._tell(number, "it stands before the first entry and was inserted")
            return
        if number > self._number + 1:
            self._missing(number - 1)
        elif _hash(self._hash, row) != row["hash"]:
            self._tell(number, "it is not what was sealed: it, or the hash of the one before it, was changed")
        self._number, self._hash = number, row["hash"] or ""
        self._compare(number)

    def end(self) -> list[Finding]:
        last = max(self._heads, default=0)
        if last > self._number:
            self._missing(last)
        return self._findings

    def _compare(self, number: int) -> None:
        head = self._heads.get(number)
        if head is None:
            return
        if head.hash != self._hash and not any(entry > self._proved for entry in self._told):
            since = self._proved + 1
            self._tell(since, f"somewhere from here to entry {number} the ledger was rewritten after it was published")
        self._proved = number

    def _missing(self, until: int) -> None:
        first = self._number + 1
        gone = "it is missing" if until == first else f"it and all up to entry {until} are missing"
        if self._proved + 1 < first:
            gone += f", and entries {self._proved + 1} to {self._number} cannot be proved any more"
        self._tell(first, gone)

    def _tell(self, entry: int, what: str) -> None:
        self._told.add(entry)
        self._findings.append(Finding(entry=entry, what=what))


def _hash(previous: str, row: Mapping[str, Any]) -> str:
    try:
        return entry_hash(previous, row["number"], row)
    except (ValueError, TypeError):  # somebody stored what JSON cannot hold
        return ""
