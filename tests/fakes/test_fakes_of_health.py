"""The fakes of what observes: what tests of health and alerts rely on."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import NotFound, TimedOut
from bot.model.alerts import AlertGroup, AlertState, Severity
from bot.ports import AlertBook, Alerts, LogLine, Logs, Matcher, Measured, Metrics, Silence, Traces
from tests.fakes.alert_book import FakeAlertBook
from tests.fakes.alerts import FakeAlerts
from tests.fakes.logs import FakeLogs
from tests.fakes.metrics import FakeMetrics, measured
from tests.fakes.traces import FakeTraces

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_they_are_the_ports() -> None:
    ports: tuple[Metrics, Alerts, Logs, Traces, AlertBook]
    ports = (FakeMetrics(), FakeAlerts(), FakeLogs(), FakeTraces(), FakeAlertBook())
    assert len(ports) == 5


async def test_the_last_programmed_answer_that_fits_decides() -> None:
    metrics = FakeMetrics()
    metrics.answers("errors", 0.5)
    metrics.answers(lambda query: "staging" in query, measured(({}, [(0, math.nan)]), warnings=("half",)))
    metrics.answers("slow", TimedOut("No."))
    assert await metrics.at("rate") == Measured()
    over = await metrics.over("errors", NOW - HOUR, NOW, HOUR)
    assert over.series[0].points == (((NOW - HOUR).timestamp(), 0.5), (NOW.timestamp(), 0.5))
    assert (await metrics.at("errors staging")).partial
    with pytest.raises(TimedOut):
        await metrics.at("slow")
    assert [one.query for one in metrics.asked] == ["rate", "errors", "errors staging", "slow"]


async def test_a_held_question_waits_until_it_is_let_go() -> None:
    metrics = FakeMetrics()
    metrics.answers("cpu", 1)
    gate = metrics.hold("cpu")
    task = asyncio.create_task(metrics.at("cpu"))
    assert await metrics.at("memory") == Measured()
    assert not task.done()
    gate.set()
    assert (await task).series[0].points == ((0.0, 1),)


async def test_lines_are_the_newest_of_their_time() -> None:
    logs = FakeLogs()
    logs.answers("app", [LogLine(NOW - minutes * timedelta(minutes=1), str(minutes), {}) for minutes in range(90)])
    found = await logs.lines("{app}", NOW - HOUR, NOW, limit=2)
    assert [line.text for line in found] == ["1", "2"]


async def test_silences_are_kept_for_all_processes_and_end(tmp_path: Path) -> None:
    now = NOW
    here, there = (FakeAlerts(tmp_path / "alerts.json", clock=lambda: now) for _ in range(2))
    silence = Silence(matchers=(Matcher("a", "b"),), starts_at=NOW, ends_at=NOW + HOUR, by="Sample Author", comment="x")
    made = await here.silence(silence)
    assert [one.id for one in there.standing] == [made]
    assert await there.unsilence(made)
    assert not await here.unsilence(made)
    assert [one.state for one in await here.silences()] == ["expired"]
    with pytest.raises(NotFound):
        await here.silence(replace(silence, id="nobody"))


async def test_a_group_is_changed_once_for_a_key(tmp_path: Path) -> None:
    book = FakeAlertBook(tmp_path / "book.json")
    book.put(group())
    first = await book.change("ag-1", {"acknowledged_by": "user:default/author"}, "Sample Author is on it.", key="op")
    again = await FakeAlertBook(tmp_path / "book.json").change("ag-1", {"acknowledged_by": None}, "No.", key="op")
    assert again == first == await book.group("ag-1")
    assert (first.revision, book.timeline("ag-1")) == (1, ("Sample Author is on it.",))
    assert await book.firing(service="orders-api") == (first,)
    assert await book.firing(service="other") == ()
    assert await book.between(NOW - HOUR, NOW - HOUR, service="orders-api") == ()
    with pytest.raises(ValueError, match="state"):
        await book.change("ag-1", {"state": "resolved"}, "", key="op-2")


def group() -> AlertGroup:
    return AlertGroup(
        id="ag-1",
        key="{}",
        state=AlertState.FIRING,
        title="Slow",
        severity=Severity.CRITICAL,
        service="orders-api",
        environment="production",
        channel="C1",
        alerts=(),
        firing=1,
        total=1,
        started_at=NOW,
    )
