"""The experiment behind docs/adr/0001-durable-engine.md: what DBOS does and does not do for us."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.operations.dbos_driver import APPLICATION_VERSION, DbosDriver
from bot.operations.driver import system_url

CHILD = Path(__file__).with_name("durable_child.py")
DEADLINE_S = 60


def begin_and_die(url: str, replica: str, operation: str) -> None:
    """Begin a run in another process and kill that process in the middle of it."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), url, replica, operation],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout as said:
        assert said.readline() == f"running {operation}.1\n"
        child.send_signal(signal.SIGKILL)
        child.wait(DEADLINE_S)


class Runs:
    """Notes what was begun in this process."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def __call__(self, operation: str, token: int) -> None:
        self.begun.put_nowait((operation, token))

    async def next(self) -> tuple[str, int]:
        return await asyncio.wait_for(self.begun.get(), DEADLINE_S)


async def with_driver(url: str, replica: str, act: Callable[[DbosDriver, Runs], Awaitable[None]]) -> Runs:
    runs = Runs()
    driver = DbosDriver(url, replica)
    await driver.open(runs)
    try:
        await act(driver, runs)
    finally:
        await driver.close()
    return runs


def stored(url: str) -> dict[str, str]:
    """Return workflow id → status, as DBOS keeps them."""
    engine = sa.create_engine(system_url(url))
    table = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT workflow_uuid, status FROM {table}")).all()  # noqa: S608  # ours
    engine.dispose()
    return {row[0]: row[1] for row in rows}


async def test_a_replica_that_comes_back_begins_its_own_runs_again(url: str) -> None:
    begin_and_die(url, "a", "op-1")

    async def act(_driver: DbosDriver, runs: Runs) -> None:
        assert await runs.next() == ("op-1", 1)

    await with_driver(url, "a", act)
    assert stored(url) == {"op-1.1": "SUCCESS"}


async def test_another_replica_does_not_begin_them_so_our_leases_must(url: str) -> None:
    begin_and_die(url, "a", "op-1")

    async def act(driver: DbosDriver, runs: Runs) -> None:
        # What our ticker does once the lease of `a` has lapsed: a higher token, which is a new run.
        await driver.start("op-1", 2)
        await driver.forget("op-1", 1)
        assert await runs.next() == ("op-1", 2)

    runs = await with_driver(url, "b", act)
    assert runs.begun.empty()
    assert stored(url) == {"op-1.1": "CANCELLED", "op-1.2": "SUCCESS"}


async def test_a_taken_over_run_does_not_come_back_with_its_replica(sqlite_url: str) -> None:
    begin_and_die(sqlite_url, "a", "op-1")

    async def take_over(driver: DbosDriver, _runs: Runs) -> None:
        await driver.forget("op-1", 1)

    async def come_back(driver: DbosDriver, runs: Runs) -> None:
        await driver.start("op-2", 1)
        assert await runs.next() == ("op-2", 1)

    await with_driver(sqlite_url, "b", take_over)
    runs = await with_driver(sqlite_url, "a", come_back)
    assert runs.begun.empty()
    assert stored(sqlite_url)["op-1.1"] == "CANCELLED"


async def test_without_a_fixed_version_the_next_release_would_leave_them_lying(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_and_die(sqlite_url, "a", "op-1")
    monkeypatch.setattr("bot.operations.dbos_driver.APPLICATION_VERSION", APPLICATION_VERSION + "-next")

    async def act(driver: DbosDriver, runs: Runs) -> None:
        await driver.start("op-2", 1)
        assert await runs.next() == ("op-2", 1)

    runs = await with_driver(sqlite_url, "a", act)
    assert runs.begun.empty()
    assert stored(sqlite_url)["op-1.1"] == "PENDING"


async def test_the_same_run_is_begun_once(sqlite_url: str) -> None:
    async def act(driver: DbosDriver, runs: Runs) -> None:
        await driver.start("op-1", 1)
        assert await runs.next() == ("op-1", 1)
        await driver.start("op-1", 1)
        await driver.start("op-2", 1)
        assert await runs.next() == ("op-2", 1)

    assert (await with_driver(sqlite_url, "a", act)).begun.empty()


async def test_finished_runs_are_swept(url: str) -> None:
    async def act(driver: DbosDriver, runs: Runs) -> None:
        await driver.start("op-1", 1)
        await runs.next()

    async def sweep(driver: DbosDriver, _runs: Runs) -> None:
        await driver.sweep()

    await with_driver(url, "a", act)
    await with_driver(url, "a", sweep)
    assert stored(url) == {}


async def test_our_event_loop_keeps_its_own_thread_pool_and_no_thread_stays(sqlite_url: str) -> None:
    before = set(threading.enumerate())
    seen: list[str] = []

    async def act(driver: DbosDriver, runs: Runs) -> None:
        await driver.start("op-1", 1)
        await runs.next()
        seen.append(await asyncio.to_thread(lambda: threading.current_thread().name))

    await with_driver(sqlite_url, "a", act)
    assert seen[0].startswith("asyncio_")
    assert await asyncio.to_thread(lambda: True)
    left = {thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio_")}
    assert left == set()


async def test_its_tables_stand_beside_ours(sqlite_url: str, tmp_path: Path) -> None:
    async def act(_driver: DbosDriver, _runs: Runs) -> None: ...

    await with_driver(sqlite_url, "a", act)
    assert (tmp_path / "causeway.engine.sqlite").exists()
    assert not (tmp_path / "causeway.sqlite").exists()
