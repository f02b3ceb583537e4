"""The sealer: chains ledger entries by hash, signs the head of the chain and hands it to publishers.

One replica at a time does it, held by a row lock and a short lease. The order of the chain is the order in which the
sealer saw the entries, not the order of their ids: on PostgreSQL a transaction with a lower id may commit later, and
then simply gets a later place.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import BaseModel
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UsageError
from bot.model.canonical import JSON, canonical
from bot.operations.contracts import machine_time
from bot.ports import Clock
from bot.storage.database import Database
from bot.storage.operations import duties, ledger_entries, ledger_heads

log = logging.getLogger("causeway.ledger")

GENESIS = hashlib.sha256(b"causeway ledger 1").hexdigest()
"""What the first entry is chained to."""
BATCH = 500
"""Most entries sealed in one transaction."""
DUTY = "ledger.seal"
DUTY_S = 20.0
"""How long a silent sealer keeps the duty, in seconds."""


class Head(BaseModel, frozen=True, extra="forbid"):
    """The end of the chain at one moment, signed."""

    number: int
    """Of the last entry that it covers, counted from 1."""
    hash: str
    at: str
    """ISO 8601, UTC."""
    key: str
    """Which key signed: the first 16 hexadecimal digits of the SHA-256 of its public half."""
    signature: str = ""
    """Ed25519 over the canonical JSON of the other fields, base64."""

    def signed(self, key: Ed25519PrivateKey) -> Head:
        return self.model_copy(update={"signature": base64.b64encode(key.sign(self._content())).decode()})

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        try:
            key.verify(base64.b64decode(self.signature, validate=True), self._content())
        except (InvalidSignature, ValueError):
            return False
        return True

    def _content(self) -> bytes:
        return canonical({"ledger": "causeway", **self.model_dump(exclude={"signature"})})


class HeadPublisher(Protocol):
    """Puts heads where whoever can write to the database cannot."""

    async def publish(self, head: Head) -> None:
        """Publish it; once more is harmless. Raise `PlatformError` when it did not work: it is tried again."""


class FilePublisher:
    """Appends heads to a file, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def publish(self, head: Head) -> None:
        await asyncio.to_thread(self._append, head.model_dump_json() + "\n")

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def read_heads(path: Path) -> tuple[Head, ...]:
    """Return the heads that a `FilePublisher` wrote. Raise `ValueError` for a line that is none."""
    if not path.exists():
        return ()
    return tuple(Head.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the key (PEM, PKCS 8) from `path`; make it there, readable by us alone, when there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        new = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(pem)
        try:
            os.link(new, path)  # fails where another replica was quicker: then its key is the key
        except FileExistsError:
            pass
        finally:
            new.unlink()
    try:
        return parse_signing_key(path.read_text())
    except ValueError as error:
        raise UsageError(f"{path} holds no Ed25519 private key in PEM form.", hint="Restore it from a copy.") from error


def parse_signing_key(pem: str) -> Ed25519PrivateKey:
    """Raise `ValueError` for anything but an Ed25519 private key."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("The ledger's key must be an Ed25519 private key in PEM form.")  # noqa: TRY004  # a value
    return key


def parse_public_key(pem: str) -> Ed25519PublicKey:
    """Raise `ValueError` for anything but an Ed25519 public key."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("The ledger's public key must be an Ed25519 key in PEM form.")  # noqa: TRY004  # a value
    return key


def key_name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def entry_hash(previous: str, number: int, row: Mapping[str, Any]) -> str:
    """Return the hash of the entry in `row` (columns of `ledger_entries`) at place `number` after `previous`."""
    content: dict[str, JSON] = {name: row[name] for name in ("id", "at", "actor", "door", "operation", "kind", "body")}
    return hashlib.sha256(canonical({"previous": previous, "number": number, **content})).hexdigest()


class Sealer:
    """Seals what is not yet sealed, whenever it is told to."""

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        publishers: Sequence[HeadPublisher],
        *,
        replica: str,
        clock: Clock,
        lease_clock: Clock = machine_time,
    ) -> None:
        self._database = database
        self._key = key
        self._key_name = key_name(key.public_key())
        self._publishers = tuple(publishers)
        self._replica = replica
        self._clock = clock
        self._lease_clock = lease_clock

    async def seal(self) -> int:
        """Chain, sign and publish all that is waiting, if the duty is ours; return how many entries were chained."""
        total = 0
        while sealed := await self._seal_batch():
            total += sealed
            if sealed < BATCH:
                break
        await self._publish()
        return total

    async def _seal_batch(self) -> int:
        if not await self._anything_waits():
            return 0
        async with self._database.write() as connection:
            if not await take_duty(connection, DUTY, self._replica, self._lease_clock, DUTY_S):
                return 0
            rows = (await connection.execute(_unsealed())).mappings().all()
            if not rows:
                return 0
            number, previous = await _end_of_chain(connection)
            places = []
            for row in rows:
                number += 1
                previous = entry_hash(previous, number, dict(row))
                places.append({"entry": row["id"], "place": number, "chained": previous})
            await connection.execute(
                update(ledger_entries)
                .where(ledger_entries.c.id == bindparam("entry"))
                .values(number=bindparam("place"), hash=bindparam("chained")),
                places,
            )
            head = Head(number=number, hash=previous, at=self._clock().isoformat(), key=self._key_name)
            text = head.signed(self._key).model_dump_json()
            await connection.execute(insert(ledger_heads).values(number=number, head=text))
            return len(rows)

    async def _anything_waits(self) -> bool:
        async with self._database.read() as connection:
            return (await connection.execute(_unsealed().limit(1))).first() is not None

    async def _publish(self) -> None:
        waiting = select(ledger_heads).where(ledger_heads.c.published_at.is_(None)).order_by(ledger_heads.c.number)
        async with self._database.read() as connection:
            rows = (await connection.execute(waiting)).all()
        for row in rows:
            head = Head.model_validate_json(row.head)
            for publisher in self._publishers:
                await publisher.publish(head)
            async with self._database.write() as connection:
                await connection.execute(
                    update(ledger_heads)
                    .where(ledger_heads.c.number == row.number)
                    .values(published_at=self._clock().timestamp())
                )


async def take_duty(connection: AsyncConnection, name: str, replica: str, clock: Clock, for_s: float) -> bool:
    """Return whether `replica` has the duty, taking it where it is free. Its row stays locked until the commit."""
    now = clock()
    until = (now + timedelta(seconds=for_s)).timestamp()
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(duties).values(name=name, holder=replica, until=until)
    statement = statement.on_conflict_do_update(
        index_elements=[duties.c.name],
        set_={"holder": replica, "until": until},
        where=(duties.c.holder == replica) | (duties.c.until < now.timestamp()),
    )
    return (await connection.execute(statement.returning(duties.c.name))).first() is not None


def _unsealed() -> Any:
    return select(ledger_entries).where(ledger_entries.c.number.is_(None)).order_by(ledger_entries.c.id).limit(BATCH)


async def _end_of_chain(connection: AsyncConnection) -> tuple[int, str]:
    last = select(ledger_entries.c.number, ledger_entries.c.hash).where(ledger_entries.c.number.is_not(None))
    row = (await connection.execute(last.order_by(ledger_entries.c.number.desc()).limit(1))).first()
    return (row.number, row.hash) if row else (0, GENESIS)
