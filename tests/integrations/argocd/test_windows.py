"""Sync windows from an AppProject resource, judged as Argo CD judges them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import SyncWindows
from integrations.argocd import shapes, windows
from integrations.argocd.cron import last_start
from tests.integrations.argocd.documents import document, project

SATURDAY = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
OPEN = SyncWindows(may_sync=True, may_sync_by_hand=True)
WEEKEND = {"kind": "deny", "schedule": "0 18 * * 5", "duration": "60h", "applications": ["*"]}
OFFICE = {"kind": "allow", "schedule": "0 9 * * mon-fri", "duration": "8h", "namespaces": ["orders-*"]}


def judged(now: datetime, *declared: dict[str, Any]) -> SyncWindows:
    return windows.of_project(project(*declared), shapes.application(document()), now)


def test_no_window_no_hindrance() -> None:
    assert judged(SATURDAY) == OPEN


def test_an_open_deny_wins_over_an_open_allow() -> None:
    always = {**OFFICE, "schedule": "* * * * *", "duration": "1h"}
    assert judged(SATURDAY, always, WEEKEND) == SyncWindows(
        may_sync=False, may_sync_by_hand=False, told="deny 0 18 * * 5 for 60h"
    )
    assert judged(MONDAY, always, WEEKEND).may_sync


def test_an_allow_lets_only_while_it_is_open() -> None:
    assert judged(MONDAY, OFFICE) == SyncWindows(
        may_sync=True, may_sync_by_hand=True, told="allow 0 9 * * mon-fri for 8h"
    )
    assert judged(SATURDAY, OFFICE) == SyncWindows(
        may_sync=False, may_sync_by_hand=False, told="allow 0 9 * * mon-fri for 8h"
    )


@pytest.mark.parametrize(("window", "now"), [(WEEKEND, SATURDAY), (OFFICE, SATURDAY)])
def test_manual_syncs_may_be_let_through(window: dict[str, Any], now: datetime) -> None:
    found = judged(now, {**window, "manualSync": True})
    assert (found.may_sync, found.may_sync_by_hand) == (False, True)


@pytest.mark.parametrize(
    ("fields", "concerns"),
    [
        ({"applications": ["orders-*"]}, True),
        ({"applications": ["billing-*"]}, False),
        ({"namespaces": ["orders-api-staging"]}, True),
        ({"clusters": ["https://kubernetes.default.svc"]}, True),
        ({"clusters": ["other"]}, False),
        ({"applications": ["billing"], "namespaces": ["orders-*"]}, True),
        ({"applications": ["billing"], "namespaces": ["orders-*"], "andOperator": True}, False),
        ({"applications": ["orders-*"], "namespaces": ["orders-*"], "andOperator": True}, True),
        ({}, False),
    ],
)
def test_whom_a_window_concerns(fields: dict[str, Any], *, concerns: bool) -> None:
    window = {"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", **fields}
    assert judged(SATURDAY, window).may_sync is not concerns


def test_a_window_has_a_time_zone() -> None:
    tokyo = {**WEEKEND, "schedule": "0 21 * * *", "duration": "1h", "timeZone": "Asia/Tokyo"}
    assert not judged(SATURDAY, tokyo).may_sync, "noon in UTC is nine in the evening there"
    assert judged(SATURDAY + timedelta(hours=1), tokyo).may_sync


@pytest.mark.parametrize(
    "broken",
    [
        {"schedule": "every friday"},
        {"schedule": "61 * * * *"},
        {"schedule": "0 18 * * 5 2026"},
        {"duration": "long"},
        {"timeZone": "Nowhere/Land"},
    ],
    ids=lambda broken: next(iter(broken.values())),
)
def test_a_window_that_cannot_be_read_covers_nothing(broken: dict[str, str]) -> None:
    assert judged(SATURDAY, {**WEEKEND, **broken}) == OPEN


@pytest.mark.parametrize(
    ("line", "began"),
    [
        ("0 18 * * 5", datetime(2026, 3, 6, 18, 0, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 3, 7, 12, 0, tzinfo=UTC)),
        ("1-59/20 11,23 * * *", datetime(2026, 3, 7, 11, 41, tzinfo=UTC)),
        ("0 0 1 * *", datetime(2026, 3, 1, 0, 0, tzinfo=UTC)),
        ("0 0 1 * 5", datetime(2026, 3, 6, 0, 0, tzinfo=UTC)),
        ("0 0 * feb SUN", datetime(2026, 2, 22, 0, 0, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 3, 1, 0, 0, tzinfo=UTC)),
        ("@daily", datetime(2026, 3, 7, 0, 0, tzinfo=UTC)),
        ("30 12 * * 6", datetime(2026, 2, 28, 12, 30, tzinfo=UTC)),
    ],
)
def test_when_a_cron_line_began_last(line: str, began: datetime) -> None:
    assert last_start(line, SATURDAY, within=timedelta(days=31)) == began


def test_a_start_that_is_too_long_ago_is_none() -> None:
    assert last_start("0 0 1 1 *", SATURDAY, within=timedelta(days=31)) is None


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    day=st.none() | st.integers(1, 31),
    weekday=st.none() | st.integers(0, 6),
    now=st.datetimes(SATURDAY.replace(tzinfo=None), MONDAY.replace(tzinfo=None, year=2027), timezones=st.just(UTC)),
)
def test_the_last_start_is_the_newest_minute_that_fits(
    minute: int, hour: int, day: int | None, weekday: int | None, now: datetime
) -> None:
    line = f"{minute} {hour} {'*' if day is None else day} * {'*' if weekday is None else weekday}"
    found = last_start(line, now, within=timedelta(days=31))

    def fits(at: datetime) -> bool:
        of_month, of_week = at.day == day, at.isoweekday() % 7 == weekday
        if day is not None and weekday is not None:
            right_day = of_month or of_week
        else:
            right_day = (day is None or of_month) and (weekday is None or of_week)
        return right_day and (at.hour, at.minute) == (hour, minute)

    at = now.replace(second=0, microsecond=0)
    days = [at.replace(hour=hour, minute=minute) - timedelta(days=ago) for ago in range(33)]
    expected = next((one for one in days if one <= at and fits(one) and now - one <= timedelta(days=31)), None)
    assert found == expected
