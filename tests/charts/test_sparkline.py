"""A course as signs."""

from __future__ import annotations

import math

import pytest

from bot.charts import sparkline


def line(*values: float, width: int = 24) -> str:
    return sparkline([(float(number), value) for number, value in enumerate(values)], width=width)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((), ""),
        ((math.nan, math.inf), ""),
        ((5.0,), "▄"),
        ((3.0, 3.0, 3.0), "▄▄▄"),
        ((0.0, 1.0), "▁█"),
        ((0, 1, 2, 3, 4, 5, 6, 7), "▁▂▃▄▅▆▇█"),
        ((0.0, math.nan, 1.0), "▁·█"),
        ((-1e308, 1e308), "▁█"),
    ],
)
def test_a_course_becomes_signs(values: tuple[float, ...], shown: str) -> None:
    assert line(*values) == shown


def test_a_peak_is_seen_however_many_points_there_are() -> None:
    values = [1.0] * 50_000
    values[31_234] = 9.0
    shown = line(*values)
    assert len(shown) == 24
    assert shown.count("█") == 1


def test_a_line_is_as_long_as_its_points_but_no_longer_than_asked() -> None:
    assert len(line(*range(10), width=24)) == 10
    assert len(line(*range(100), width=12)) == 12
