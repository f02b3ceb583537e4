"""What a picture and a line of signs say to whoever does not see them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.charts import Mark, Series, alt_text, beyond, in_words, said
from bot.charts.units import number
from tests.charts.examples import BEGIN, CHARTS, LATENCY, after, course, slow


def test_the_numbers_of_a_chart_are_said() -> None:
    assert alt_text(LATENCY) == (
        "orders-api in production: latency (p99), 27 Nov 2026, 06:00 to 07:00 UTC. Objective: 300 ms. "
        "p99: now 838 ms, highest 848 ms at 06:58, above its objective for 23 min. Marked: v1.4.2 at 06:36."
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("availability", "good: now 99.78 %, lowest 99.78 % at 06:42, below its objective for 18 min."),
        ("far-objective", "always within its objective."),
        ("nothing", "Objective: 512 MiB. orders-api-7d9f: no values."),
        ("no-line", "orders-api: memory, 27 Nov 2026, 06:00 to 07:00 UTC."),
        ("one-point", "p99: 300 MiB at 06:30, the last, highest 300 MiB at 06:30, always within its objective."),
        ("zero", "errors: now 0 %, highest 0 % at 06:00, always within its objective."),
        ("many", "8 more lines, the highest of all is 1.35 cores. Marked:"),
        ("many", "v1.14.0 at 06:56, and 10 before."),
    ],
)
def test_every_kind_of_chart_is_said(name: str, part: str) -> None:
    assert part in alt_text(CHARTS[name])


@pytest.mark.parametrize("name", CHARTS)
def test_a_description_is_one_line_that_slack_takes(name: str) -> None:
    told = alt_text(CHARTS[name])
    assert len(told) <= 1000
    assert told.isprintable()


def test_a_long_time_names_the_day() -> None:
    end = BEGIN + timedelta(days=2)
    points = (*course(slow, 100, end)[:50], *((at, 0.1) for at, _ in course(slow, 100, end)[50:]))
    told = alt_text(replace(LATENCY, series=(Series("p99", points),), marks=(Mark(end, "v2"),), end=end))
    assert "27 Nov 2026, 06:00, to 29 Nov 2026, 06:00 UTC" in told
    assert "highest 210 ms at 27 Nov, " in told
    assert "v2 at 29 Nov, 06:00" in told


def test_a_series_that_ended_is_not_told_as_now() -> None:
    points = LATENCY.series[0].points[:60]
    told = alt_text(replace(LATENCY, series=(Series("p99", points),)))
    assert " at 06:29, the last, highest" in told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((), "no values"),
        ((math.nan, math.inf), "no values"),
        ((0.2, 0.2), "now 200 ms, steady"),
        ((0.18, 1.2, 0.412), "now 412 ms, 180 ms to 1.2 s"),
        ((0.18, math.nan), "now 180 ms, steady"),
    ],
)
def test_a_line_of_signs_has_words_beside_it(values: tuple[float, ...], told: str) -> None:
    assert in_words([(float(at), value) for at, value in enumerate(values)], "s") == told


def test_how_long_an_objective_was_broken_does_not_count_gaps() -> None:
    points = [(0.0, 2.0), (60.0, 2.0), (120.0, 0.0), (180.0, 2.0), (3600.0, 0.0)]
    assert beyond(points, 1.0) == timedelta(minutes=3)
    assert beyond(points, 1.0, worse="below") == timedelta(minutes=2)
    assert beyond([], 1.0) == timedelta(0)
    assert beyond([(after(1).timestamp(), 5.0)], 1.0) == timedelta(0)


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0.0, "s", "0 s"),
        (0.000012, "s", "12 µs"),
        (0.0123, "s", "12.3 ms"),
        (0.3, "s", "300 ms"),
        (1.204, "s", "1.2 s"),
        (90.0, "s", "1.5 min"),
        (7200.0, "s", "2 h"),
        (320.0, "ms", "320 ms"),
        (1500.0, "ms", "1.5 s"),
        (0.999, "ratio", "99.9 %"),
        (0.99995, "ratio", "99.995 %"),
        (0.9, "ratio", "90 %"),
        (1.0, "ratio", "100 %"),
        (0.0012, "ratio", "0.12 %"),
        (42.0, "%", "42 %"),
        (12.0, "req/s", "12 req/s"),
        (12_345.0, "req/s", "12,345 req/s"),
        (1_234_500.0, "req/s", "1.23 M req/s"),
        (512.0 * 2**20, "bytes", "512 MiB"),
        (0.25, "cores", "0.25 cores"),
        (3.0, "", "3"),
        (-0.04, "s", "−40 ms"),
        (math.nan, "s", "no number"),
        (math.inf, "s", "beyond all bounds"),
        (1e18, "", "1,000,000,000 G"),
        (5.0, "widgets", "5 widgets"),
    ],
)
def test_a_value_is_said_with_its_unit(value: float, unit: str, told: str) -> None:
    assert said(value, unit) == told


@pytest.mark.parametrize(
    ("value", "told"), [(999.96, "1,000"), (1234567.0, "1,234,567"), (0.1, "0.1"), (1e-9, "1.00e−09"), (99.95, "100")]
)
def test_numbers_have_three_digits_that_count(value: float, told: str) -> None:
    assert number(value) == told
