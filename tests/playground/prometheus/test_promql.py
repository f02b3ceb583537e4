"""What the suite against the real one cannot show: marks of an end, bounds, and what is refused by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from playground.monitoring.prometheus.labels import NAME, Matcher, labelled, value_of
from playground.monitoring.prometheus.promql.compiling import compiled
from playground.monitoring.prometheus.promql.errors import BadQuery, Unevaluable
from playground.monitoring.prometheus.promql.model import SAMPLES, Vector
from playground.monitoring.prometheus.promql.numbers import plain, told
from playground.monitoring.prometheus.samples import Recorded, Series


class Some:
    def __init__(self, *series: Series) -> None:
        self.series = series

    def select(self, matchers: Sequence[Matcher]) -> Sequence[Series]:
        words = [(one.name, one.word()) for one in matchers]
        return [one for one in self.series if all(fits(value_of(one.labels, name)) for name, fits in words)]


def series(name: str, *points: tuple[int, float | None], **labels: str) -> Recorded:
    """Points in seconds."""
    return Recorded(labelled({NAME: name, **labels}), [(at * 1000, value) for at, value in points])


def ask(query: str, at: int, *found: Series) -> Vector:
    return compiled(query, Some(*found), at * 1000, at * 1000).values(at * 1000)


def values(query: str, at: int, *found: Series) -> list[float]:
    return [value for _, value in ask(query, at, *found)]


def test_a_sample_counts_for_five_minutes() -> None:
    one = series("up", (100, 1.0))
    assert [len(ask("up", at, one)) for at in (99, 100, 400, 401)] == [0, 1, 1, 0]


def test_a_mark_ends_a_series_at_once_and_is_no_sample() -> None:
    one = series("up", (100, 1.0), (115, None))
    assert values("up", 114, one) == [1.0]
    assert values("up", 115, one) == []
    assert values("count_over_time(up[1m])", 120, one) == [1.0]


def test_a_range_holds_both_its_ends() -> None:
    one = series("up", (100, 1.0), (160, 2.0), (220, 4.0))
    assert values("sum_over_time(up[1m])", 160, one) == [3.0]


def test_what_a_counter_had_before_a_reset_is_not_lost() -> None:
    one = series("c_total", *((15 * n, float(n)) for n in range(4)), (60, 0.0), (75, 1.0))
    assert values("increase(c_total[75s])", 75, one) == [4.0]
    assert values("resets(c_total[75s])", 75, one) == [1.0]


def test_a_single_sample_has_no_rate() -> None:
    assert values("rate(c_total[1m])", 100, series("c_total", (90, 1.0))) == []


def test_not_a_number_is_least_and_stays() -> None:
    some = (series("x", (10, math.nan), a="1"), series("x", (10, 2.0), a="2"), series("x", (10, 1.0), a="3"))
    assert values("topk(2, x)", 10, *some) == [2.0, 1.0]
    assert values("max(x)", 10, *some) == [2.0]
    assert values("min(x)", 10, *some) == [1.0]
    assert math.isnan(values("sum(x)", 10, *some)[0])
    assert len(values("x == x", 10, *some)) == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('up{a="1" or b="2"}', "alternatives in a selector"),
        ("limitk(1, up)", "limitk"),
        ("sum(up", "parse error"),
        ("up[5m:1m] + 1", "parse error"),
        ("(" * 300 + "up" + ")" * 300, "nested too deeply"),
        ('up{a=~"\\\\C"}', "regex"),
    ],
)
def test_what_is_not_known_is_refused_with_its_name(query: str, words: str) -> None:
    with pytest.raises(BadQuery, match=words.replace("(", "\\(")):
        ask(query, 100, series("up", (90, 1.0)))


def test_a_query_reads_only_so_many_samples() -> None:
    long = series("up", *((n, 1.0) for n in range(1000)))
    assert values("sum_over_time(up[1h])", 999, long) == [1000.0]
    many = " + ".join(["sum_over_time(up[1h])"] * (SAMPLES // 1000 + 1))
    with pytest.raises((Unevaluable, BadQuery, RecursionError)):
        ask(many, 999, long)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (123456789012.5, "123456789012.5"),
        (1e21, "1e+21"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(value: float, written: str) -> None:
    assert told(value) == written


def test_a_number_in_a_label_has_no_exponent() -> None:
    assert plain(1e-7) == "0.0000001"
    assert plain(1e21) == "1" + "0" * 21
