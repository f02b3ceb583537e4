"""A process is killed at every boundary and started again: the end is always all or nothing, never twice."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.effects import EFFECTS as REAL_EFFECTS
from bot.effects import Note
from bot.operations.contracts import Settings
from bot.storage.migrate import upgrade
from tests.operations.kill_nursery import Order
from tests.operations.kill_table import CASES, Case, case
from tests.peers.postgresql import Cluster

LONG_AGO_S = 7200.0
"""Beyond the lease of a life that was killed."""


def test_every_kind_of_effect_is_killed() -> None:
    # A note says a sentence and does nothing.
    assert {type(effect) for one in CASES for effect in one.effects} >= {*REAL_EFFECTS} - {Note}


class Nursery:
    """Starts lives and waits for their end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.operations.kill_nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def live(self, order: Order) -> dict[str, Any] | None:
        """Return the report of a life that came to its end, or None for one that was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order.model_dump_json() + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["killed"]:
            return None
        assert answer["exit"] == 0, f"a life ended badly: {order}"
        report: dict[str, Any] = json.loads(order.report.read_text())
        return report

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


def expected(one: Case, nursery: Nursery, url: str, folder: Path, **plan: bool) -> dict[str, Any]:
    """Live once without being killed; return the report and what can be seen then."""
    upgrade(url)
    asyncio.run(one.begin(folder))
    before = one.look(folder)
    order = Order(url=url, folder=folder, case=one.name, report=folder.with_suffix(".report"), **plan)
    report = nursery.live(order)
    assert report is not None
    seen = one.look(folder)
    assert report["state"] == ("undone" if plan.get("fails") else "succeeded"), report
    assert (seen == before) is bool(plan.get("fails"))
    return {**report, "seen": seen}


@pytest.mark.timeout(900)  # some two hundred lives on a busy machine
@pytest.mark.parametrize("fails", [False, True], ids=["to the end", "and back"])
@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_a_kill_at_any_boundary_changes_nothing_of_the_end(
    one: Case, fails: bool, nursery: Nursery, url: str, tmp_path: Path
) -> None:
    if fails and not one.returns:
        pytest.skip("nothing brings back what was deleted for good")
    survive(one, nursery, url, tmp_path, fails=fails, durable=one.name == "files")


def test_a_kill_at_any_boundary_of_an_approval_changes_nothing_of_the_end(
    nursery: Nursery, url: str, tmp_path: Path
) -> None:
    survive(case("files"), nursery, url, tmp_path, approved=True)


def survive(one: Case, nursery: Nursery, url: str, tmp_path: Path, **plan: bool) -> None:
    end = expected(one, nursery, url, tmp_path / "whole", **plan)
    for number, point in enumerate(end["points"]):
        if one.name != "files" and point.startswith("before commit"):
            continue  # nothing of it is written then; one case that shows so is enough
        folder = tmp_path / f"killed-{number}"
        asyncio.run(one.begin(folder))
        report_file = folder.with_suffix(".report")
        order = Order(url=url, folder=folder, case=one.name, report=report_file, operation=f"kill-{number + 1}", **plan)
        assert nursery.live(order.model_copy(update={"kill_at": number})) is None, f"{point} was not reached"
        second = {"replica": "b" if "postgresql" in order.url else "a", "late_s": LONG_AGO_S}
        report = nursery.live(order.model_copy(update=second))
        assert report is not None
        assert (report["state"], one.look(folder)) == (end["state"], end["seen"]), f"killed at {number}: {point}"


def test_a_kill_in_the_second_life_changes_nothing_either(nursery: Nursery, url: str, tmp_path: Path) -> None:
    one = case("files")
    end = expected(one, nursery, url, tmp_path / "whole", fails=True)
    folder = tmp_path / "killed"
    asyncio.run(one.begin(folder))
    order = Order(url=url, folder=folder, case=one.name, report=folder.with_suffix(".report"), fails=True)
    order = order.model_copy(update={"operation": "kill-1"})
    for life in range(1, 6):
        update = {"kill_at": 2 + life, "late_s": LONG_AGO_S * life}
        assert nursery.live(order.model_copy(update=update)) is None
    report = nursery.live(order.model_copy(update={"late_s": LONG_AGO_S * 9}))
    assert report is not None
    assert (report["state"], one.look(folder)) == (end["state"], end["seen"])


def test_a_restarted_replica_goes_on_at_once_without_waiting_for_its_lease(
    nursery: Nursery, url: str, tmp_path: Path
) -> None:
    one = case("files")
    upgrade(url)
    asyncio.run(one.begin(tmp_path / "world"))
    order = Order(url=url, folder=tmp_path / "world", case=one.name, report=tmp_path / "report.json")
    assert nursery.live(order.model_copy(update={"kill_at": 8})) is None
    report = nursery.live(order)
    assert report is not None
    assert report["state"] == "succeeded"


def test_a_second_replica_takes_over_within_thirty_seconds() -> None:
    """It acts on the first tick after the lease has lapsed (shown above with the clock moved); these are the bounds."""
    settings = Settings()
    assert settings.lease_s + 2 * settings.tick_s < 30
    assert settings.lease_s / 3 < settings.lease_s - 2 * settings.tick_s, "a lease is renewed well before it lapses"


def test_a_living_replica_finishes_the_operation_of_a_dead_one(
    nursery: Nursery, postgresql: Cluster, tmp_path: Path
) -> None:
    one, url = case("files"), postgresql.database()
    upgrade(url)
    asyncio.run(one.begin(tmp_path / "world"))
    order = Order(url=url, folder=tmp_path / "world", case=one.name, report=tmp_path / "report.json", lease_s=0.6)
    assert nursery.live(order.model_copy(update={"kill_at": 8})) is None
    report = nursery.live(order.model_copy(update={"replica": "b"}))
    assert report is not None
    assert report["state"] == "succeeded"
