"""Numbers are said as people say them, whatever their size."""

from __future__ import annotations

import pytest

from bot.health.verdict.words import digits, duration, percent, rate


@pytest.mark.parametrize(
    ("value", "count", "told"),
    [
        (12_345.6, 3, "12,300"),
        (100_000.0, 3, "100,000"),
        (28.94, 3, "28.9"),
        (1.0, 3, "1"),
        (0.00005, 2, "0.00005"),
        (0.0, 2, "0"),
        (999.96, 3, "1,000"),
    ],
)
def test_digits_that_count_are_told_without_powers_of_ten(value: float, count: int, told: str) -> None:
    assert digits(value, count) == told


def test_large_and_small_values_read_well() -> None:
    assert rate(12_345.6) == "12,300 requests a second"
    assert rate(1.0) == "1 request a second"
    assert rate(1 / 60) == "1 request a minute"
    assert rate(0.0001) == "0.006 requests a minute"
    assert (duration(0.9999), duration(0.32), duration(86_400.0)) == ("1 s", "320 ms", "86,400 s")
    assert (percent(0.0000005), percent(0.12), percent(12.0)) == ("0.00005 %", "12 %", "1,200 %")
