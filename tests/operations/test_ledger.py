from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update

from bot.errors import UpstreamUnavailable, UsageError
from bot.model.canonical import JSON
from bot.operations.ledger import HIDDEN, Entry, append, without_secrets
from bot.operations.seal import (
    DUTY_S,
    GENESIS,
    FilePublisher,
    Head,
    Sealer,
    entry_hash,
    parse_public_key,
    parse_signing_key,
    read_heads,
    signing_key,
)
from bot.operations.verify import Verdict, verify
from bot.storage.database import Database, metadata
from bot.storage.operations import ledger_entries, ledger_heads
from tests.operations.replica import replica
from tests.operations.world import asked

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()


class Published:
    """A publisher that keeps what it was given, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.heads: list[Head] = []
        self._failures = failures

    async def publish(self, head: Head) -> None:
        if self._failures:
            self._failures -= 1
            raise UpstreamUnavailable("The place of the heads did not answer.")
        self.heads.append(head)


class Time:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


def entry(number: int) -> Entry:
    body: dict[str, JSON] = {"what": f"thing {number}"}
    return Entry(at=MONDAY, actor="user:default/author", door="cli", operation=f"op-{number}", kind="test", body=body)


async def write(database: Database, numbers: range) -> None:
    async with database.write() as connection:
        await append(connection, [entry(number) for number in numbers])


def sealer(database: Database, published: Published, *, replica: str = "a", time: Time | None = None) -> Sealer:
    clock = time or Time()
    return Sealer(database, KEY, [published], replica=replica, clock=clock, lease_clock=clock)


async def opened(url: str) -> Database:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return database


async def check(database: Database, published: Published) -> Verdict:
    return await verify(database, published.heads, KEY.public_key())


async def test_an_untouched_ledger_is_intact(url: str) -> None:
    database, published = await opened(url), Published()
    for start in (0, 3, 6):
        await write(database, range(start, start + 3))
        assert await sealer(database, published).seal() == 3
    await write(database, range(9, 11))
    verdict = await check(database, published)
    assert verdict.ok
    assert (verdict.proved, verdict.not_sealed) == (9, 2)
    assert [head.number for head in published.heads] == [3, 6, 9]
    assert str(verdict) == "The ledger is intact: 9 entries are proved, 2 are not yet sealed."
    await database.close()


async def test_a_transaction_that_commits_late_is_sealed_all_the_same(postgresql: Any) -> None:
    database, published = await opened(postgresql.database()), Published()
    async with database.write() as slow:
        await append(slow, [entry(1)])
        await write(database, range(2, 4))
        assert await sealer(database, published).seal() == 2
    assert await sealer(database, published).seal() == 1
    async with database.read() as connection:
        order = select(ledger_entries.c.id).order_by(ledger_entries.c.number)
        assert [row.id for row in await connection.execute(order)] == [2, 3, 1]
    assert (await check(database, published)).ok
    await database.close()


async def test_several_sealers_at_once_make_one_chain(url: str) -> None:
    database, published = await opened(url), Published()
    await write(database, range(40))
    sealers = [sealer(database, published, replica=name) for name in "abcd"]
    assert sum(await asyncio.gather(*(one.seal() for one in sealers))) == 40
    assert (await check(database, published)).ok
    await database.close()


async def test_another_replica_seals_once_the_sealer_has_been_silent(sqlite_url: str) -> None:
    database, published, time = await opened(sqlite_url), Published(), Time()
    await write(database, range(1))
    assert await sealer(database, published, replica="a", time=time).seal() == 1
    await write(database, range(1, 2))
    other = sealer(database, published, replica="b", time=time)
    assert await other.seal() == 0
    time.now += timedelta(seconds=DUTY_S + 1)
    assert await other.seal() == 1
    await database.close()


async def test_a_head_that_could_not_be_published_is_published_later(sqlite_url: str) -> None:
    database, published = await opened(sqlite_url), Published(failures=1)
    await write(database, range(2))
    with pytest.raises(UpstreamUnavailable):
        await sealer(database, published).seal()
    assert not published.heads
    await sealer(database, published).seal()
    assert [head.number for head in published.heads] == [2]
    await database.close()


async def test_without_a_published_head_nothing_is_proved(sqlite_url: str) -> None:
    database = await opened(sqlite_url)
    await write(database, range(2))
    verdict = await check(database, Published())
    assert verdict.ok
    assert "Nothing can be proved yet" in str(verdict)
    await database.close()


async def test_a_forged_head_is_found(sqlite_url: str) -> None:
    database, published = await opened(sqlite_url), Published()
    await write(database, range(2))
    await sealer(database, published).seal()
    published.heads[0] = published.heads[0].model_copy(update={"hash": "0" * 64})
    verdict = await check(database, published)
    assert [finding.what for finding in verdict.findings] == ["the published head of entry 2 is not signed by us"]
    await database.close()


async def test_a_tick_of_the_engine_seals_what_was_written(sqlite_url: str, tmp_path: Path) -> None:
    published = Published()
    async with replica(sqlite_url, tmp_path) as a:
        a.operations._sealer = sealer(a.database, published)
        await a.operations.submit(asked("one"))
        await a.until()
        await a.operations.tick()
        verdict = await check(a.database, published)
        assert verdict.ok
        assert verdict.proved == 4


# --- Tampering --------------------------------------------------------------------------------------------------------

Tamper = Callable[[Any, int], Awaitable[None]]


async def edit(connection: Any, at: int) -> None:
    await connection.execute(
        update(ledger_entries).where(ledger_entries.c.number == at).values(actor="user:default/nobody")
    )


async def edit_with_hash(connection: Any, at: int) -> None:
    await edit(connection, at)
    await _rehash(connection, at, at)


async def rewrite(connection: Any, at: int) -> None:
    await edit(connection, at)
    await _rehash(connection, at, LENGTH)


async def remove(connection: Any, at: int) -> None:
    await connection.execute(delete(ledger_entries).where(ledger_entries.c.number == at))


async def remove_and_close_up(connection: Any, at: int) -> None:
    await remove(connection, at)
    for number in range(at + 1, LENGTH + 1):
        await connection.execute(
            update(ledger_entries).where(ledger_entries.c.number == number).values(number=number - 1)
        )
    await _rehash(connection, at, LENGTH - 1)


async def insert_one(connection: Any, at: int) -> None:
    for number in range(LENGTH, at - 1, -1):
        await connection.execute(
            update(ledger_entries).where(ledger_entries.c.number == number).values(number=number + 1)
        )
    row = {"at": 1.0, "actor": "x", "door": "cli", "operation": "o", "kind": "k", "body": "{}", "number": at}
    await connection.execute(insert(ledger_entries).values(**row, hash="0" * 64))
    await _rehash(connection, at, LENGTH + 1)


async def swap(connection: Any, at: int) -> None:
    other = at % LENGTH + 1
    for old, new in ((at, -1), (other, at), (-1, other)):
        await connection.execute(update(ledger_entries).where(ledger_entries.c.number == old).values(number=new))


async def truncate(connection: Any, at: int) -> None:
    await connection.execute(delete(ledger_entries).where(ledger_entries.c.number >= at))
    await connection.execute(delete(ledger_heads).where(ledger_heads.c.number >= at))


async def unseal(connection: Any, at: int) -> None:
    await connection.execute(update(ledger_entries).where(ledger_entries.c.number == at).values(number=None, hash=None))


async def move_in_time(connection: Any, at: int) -> None:
    await connection.execute(
        update(ledger_entries).where(ledger_entries.c.number == at).values(at=ledger_entries.c.at + 1)
    )


async def _rehash(connection: Any, first: int, last: int) -> None:
    """What a forger does who knows how the chain is made but has not our key."""
    rows = select(ledger_entries).where(ledger_entries.c.number.is_not(None)).order_by(ledger_entries.c.number)
    previous = None
    for row in (await connection.execute(rows)).mappings().all():
        if previous is None and row["number"] == 1:
            previous = GENESIS
        chained = row["hash"]
        if first <= row["number"] <= last:
            chained = entry_hash(previous or "", row["number"], row)
            await connection.execute(
                update(ledger_entries).where(ledger_entries.c.id == row["id"]).values(hash=chained)
            )
        previous = chained


LENGTH = 9
TAMPERINGS: list[Tamper] = [
    edit, edit_with_hash, rewrite, remove, remove_and_close_up, insert_one, swap, truncate, unseal, move_in_time,
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    tamper=st.sampled_from(TAMPERINGS),
    at=st.integers(1, LENGTH),
    batches=st.lists(st.integers(1, LENGTH), max_size=3),
)
def test_any_single_tampering_is_found_and_located(tamper: Tamper, at: int, batches: list[int]) -> None:
    verdict = asyncio.run(_tampered(tamper, at, sorted({*batches, LENGTH})))
    assert not verdict.ok
    first = verdict.findings[0].entry
    assert first is not None
    # A rewrite that is consistent in itself can only be narrowed down to what lies between two published heads.
    before = max((batch for batch in batches if batch < at), default=0)
    nearest = min(at, at % LENGTH + 1) if tamper is swap else at
    assert min(before, nearest - 1) + 1 <= first <= at + 1 or f"entries {before + 1} to" in verdict.findings[0].what


async def _tampered(tamper: Tamper, at: int, batches: list[int]) -> Verdict:
    database = Database("sqlite://")
    published = Published()
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        written = 0
        for batch in batches:
            await write(database, range(written, batch))
            await sealer(database, published).seal()
            written = batch
        assert (await check(database, published)).ok
        async with database.write() as connection:
            await tamper(connection, at)
        return await check(database, published)
    finally:
        await database.close()


async def test_what_is_forged_goes_on_being_found_after_more_was_sealed(sqlite_url: str) -> None:
    database, published = await opened(sqlite_url), Published()
    await write(database, range(LENGTH))
    await sealer(database, published).seal()
    async with database.write() as connection:
        await truncate(connection, 5)
    await write(database, range(20, 30))
    await sealer(database, published).seal()
    verdict = await check(database, published)
    assert verdict.findings[0].entry == 1
    assert "rewritten after it was published" in verdict.findings[0].what
    await database.close()


# --- Entries, keys, files ---------------------------------------------------------------------------------------------


async def test_published_heads_that_were_removed_are_missed(sqlite_url: str) -> None:
    database, published = await opened(sqlite_url), Published()
    for start in (0, 3):
        await write(database, range(start, start + 3))
        await sealer(database, published).seal()
    for kept in ([], published.heads[:1]):
        verdict = await verify(database, kept, KEY.public_key())
        assert not verdict.ok
        assert "published heads" in str(verdict)
        assert "were removed" in str(verdict)
    await database.close()


@pytest.mark.parametrize("number", ["abc", 1.5])
async def test_a_number_that_is_none_is_found(sqlite_url: str, number: Any) -> None:
    database, published = await opened(sqlite_url), Published()
    await write(database, range(4))
    await sealer(database, published).seal()
    async with database.write() as connection:
        await connection.execute(
            text("UPDATE ledger_entries SET number = :number WHERE number = 2"), {"number": number}
        )
    verdict = await verify(database, published.heads, KEY.public_key())
    assert any(finding.entry == 2 for finding in verdict.findings)
    await database.close()


def test_secrets_do_not_reach_the_ledger() -> None:
    body = {
        "name": "orders",
        "webhook_secret": "hunter2",
        "nested": {"dbPassword": "x", "url": "https://me:pw@example.com/"},
        "note": "use ghp_0123456789abcdef0123 please",
    }
    clean = without_secrets(body)  # type: ignore[arg-type]  # a plain dict is JSON
    text = json.dumps(clean)
    assert all(secret not in text for secret in ("hunter2", '"x"', "me:pw", "ghp_"))
    assert clean["name"] == "orders"  # type: ignore[index,call-overload]  # it is a dict
    assert HIDDEN in text


@pytest.mark.parametrize("value", [2**60, float("nan"), "\ud800"])
async def test_what_json_cannot_carry_is_a_wrong_request(sqlite_url: str, value: Any) -> None:
    database = await opened(sqlite_url)
    one = Entry(at=MONDAY, actor="a", door="cli", operation="o", kind="k", body={"value": value})
    async with database.write() as connection:
        with pytest.raises(UsageError):
            await append(connection, [one])
    await database.close()


def test_the_key_is_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "ledger.pem"
    first, second = signing_key(file), signing_key(file)
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["ledger.pem"]


@pytest.mark.parametrize("parse", [parse_signing_key, parse_public_key])
def test_what_is_no_key_is_refused(parse: Callable[[str], object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the text is the library's
        parse("-----BEGIN NOTHING-----")


def test_a_key_file_that_holds_no_key_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("")
    with pytest.raises(UsageError, match="holds no Ed25519 private key"):
        signing_key(tmp_path / "key.pem")


async def test_published_heads_are_read_back_from_the_file(tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / "published" / "heads.jsonl"
    database = await opened(sqlite_url)
    for start in (0, 2):
        await write(database, range(start, start + 2))
        await Sealer(database, KEY, [FilePublisher(file)], replica="a", clock=Time()).seal()
    assert [head.number for head in read_heads(file)] == [2, 4]
    assert (await verify(database, read_heads(file), KEY.public_key())).ok
    assert read_heads(tmp_path / "none") == ()
    await database.close()
