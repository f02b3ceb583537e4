"""Ticks at round numbers and round times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.axes import times, values


@pytest.mark.parametrize(
    ("low", "high", "unit", "labels"),
    [
        (0, 0.83, "s", ["0 ms", "500 ms", "1,000 ms"]),
        (0, 1.2, "s", ["0 s", "0.5 s", "1.0 s", "1.5 s"]),
        (0, 0.05, "ratio", ["0 %", "2 %", "4 %", "6 %"]),
        (0.9975, 0.9995, "ratio", ["99.75 %", "99.80 %", "99.85 %", "99.90 %", "99.95 %"]),
        (0, 210, "req/s", ["0 req/s", "100 req/s", "200 req/s", "300 req/s"]),
        (0, 512 * 2**20, "bytes", ["0 MiB", "200 MiB", "400 MiB", "600 MiB"]),
        (-0.04, 0.04, "s", ["−40 ms", "−20 ms", "0 ms", "20 ms", "40 ms"]),
        (5, 5, "", ["5", "6", "7", "8"]),
    ],
)
def test_values_stand_at_round_numbers(low: float, high: float, unit: str, labels: list[str]) -> None:
    axis = values(low, high, unit)
    assert [tick.label for tick in axis.ticks] == labels
    assert axis.low <= low
    assert axis.high >= high * (1 - 1e-9)


@given(
    st.floats(-1e300, 1e300, allow_nan=False),
    st.floats(-1e300, 1e300, allow_nan=False),
    st.sampled_from(["s", "ms", "ratio", "%", "bytes", "cores", "req/s", ""]),
)
def test_any_values_get_a_few_ticks_around_them(one: float, other: float, unit: str) -> None:
    low, high = min(one, other), max(one, other)
    axis = values(low, high, unit)
    places = [tick.at for tick in axis.ticks]
    assert 2 <= len(places) <= 8
    assert places == sorted(set(places))
    slack = 1e-5 * (axis.high / 2 - axis.low / 2)
    assert axis.low - slack <= low
    assert high <= axis.high + slack


@pytest.mark.parametrize(
    ("begin", "end", "labels"),
    [
        ("2026-11-27T06:00", "2026-11-27T07:00", ["06:00", "06:10", "06:20", "06:30", "06:40", "06:50", "07:00"]),
        ("2026-11-27T06:03", "2026-11-27T06:18", ["06:05", "06:10", "06:15"]),
        ("2026-11-27T06:00:00", "2026-11-27T06:00:20", ["06:00:00", "06:00:05", "06:00:10", "06:00:15", "06:00:20"]),
        ("2026-11-27T21:00", "2026-11-28T03:00", ["21:00", "22:00", "23:00", "28 Nov", "01:00", "02:00", "03:00"]),
        ("2026-11-27T06:00", "2026-11-30T06:00", ["12:00", "28 Nov", "12:00", "29 Nov", "12:00", "30 Nov"]),
    ],
)
def test_times_stand_at_round_times(begin: str, end: str, labels: list[str]) -> None:
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (begin, end))
    assert [tick.label for tick in times(first, last, most=7)] == labels


@pytest.mark.parametrize("days", [1 / 86_400, 0.01, 1, 30, 90, 400, 4000])
def test_any_time_gets_a_few_ticks(days: float) -> None:
    begin = datetime(2026, 11, 27, 6, 1, 7, tzinfo=UTC).timestamp()
    assert len(times(begin, begin + days * 86_400, most=7)) <= 8
