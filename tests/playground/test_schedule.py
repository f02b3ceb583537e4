from __future__ import annotations

from datetime import UTC, datetime

import pytest

from playground.schedule import ScheduleError, parse

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("0 9 * * *", "2026-03-02 09:00"),
        ("31 9 * * *", "2026-03-01 09:31"),
        ("*/20 * * * *", "2026-03-02 09:20"),
        ("0 18 * * 5", "2026-02-27 18:00"),
        ("0 18 * * fri", "2026-02-27 18:00"),
        ("0 0 * * 7", "2026-03-01 00:00"),
        ("0 0 1 * 1", "2026-03-02 00:00"),
        ("5,10-12 8 * * *", "2026-03-02 08:12"),
        ("0 0 29 2 *", "2024-02-29 00:00"),
        ("@daily", "2026-03-02 00:00"),
    ],
)
def test_the_last_start_is_the_latest_that_fits(line: str, last: str) -> None:
    assert parse(line).last(MONDAY) == datetime.fromisoformat(f"{last}Z")


def test_a_day_that_never_comes_has_no_last_start() -> None:
    assert parse("0 0 30 2 *").last(MONDAY) is None


@pytest.mark.parametrize("line", ["", "* * * *", "60 * * * *", "x * * * *", "*/0 * * * *", "5-1 * * * *"])
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(ScheduleError):
        parse(line)
