"""A signal has moved from the first point on at which a person with a ruler would say so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.explaining.facts import Kind
from bot.explaining.moving import Point, Stretch, moved

MINUTE = 60.0


def series(values: Sequence[float], *, at: float = 0.0) -> list[Point]:
    return [(at + MINUTE * number, value) for number, value in enumerate(values)]


def of(values: Sequence[float], objective: float | None = 0.3, kind: Kind = "latency") -> Stretch | None:
    return moved(series(values), objective, kind)


def minute(found: Stretch | None) -> float | None:
    return None if found is None else found.begin / MINUTE


QUIET = [0.1] * 60
NAN = math.nan


@pytest.mark.parametrize(
    ("values", "begins"),
    [
        ([*QUIET], None),
        ([*QUIET, 0.8, 0.9, 0.8], 60),
        ([*QUIET, 0.8], None),  # one point alone
        ([*QUIET, 0.8, *QUIET], None),
        ([*QUIET, 0.22, 0.25, 0.4, 0.5], 60),  # outside of the hours before, two minutes before the objective breaks
        ([*QUIET, 0.4, 0.1, 0.4, 0.4], 60),  # one good point does not end it
        ([*QUIET, 0.4, 0.4, 0.1, 0.1, 0.4, 0.4], 64),  # two do
        ([*QUIET, NAN, NAN, 0.4, NAN, 0.4, NAN], 62),
        ([*QUIET, math.inf, 0.4, 0.4], 61),
        ([*QUIET, -5.0, 0.4, 0.4], 61),  # of a counter that was reset
        ([0.5] * 60, 0),
        ([], None),
        ([NAN] * 30, None),
        ([0.4, 0.4], 0),
        ([0.29] * 60 + [0.31, 0.32], None),  # always close to its objective: it crosses it by chance
        ([0.29] * 60 + [0.44, 0.45], 60),
    ],
)
def test_it_moved_with_the_first_point_that_is_out(values: Sequence[float], begins: float | None) -> None:
    assert minute(of(values)) == begins


def test_what_is_told_of_it() -> None:
    found = of([*QUIET, 0.8, 0.9, 0.7])
    assert found == Stretch(
        begin=3600.0, end=None, from_start=False, before=0.1, worst=0.9, breaks_objective=True, up=True
    )


def test_a_move_that_is_over_has_an_end() -> None:
    found = of([*QUIET, 0.8, 0.9, *QUIET[:10]])
    assert found is not None
    assert (found.begin, found.end) == (60 * MINUTE, 62 * MINUTE)


def test_what_was_so_at_the_first_point_may_be_older() -> None:
    found = of([0.5] * 60)
    assert found is not None
    assert (found.from_start, found.before) == (True, None)


def test_a_pause_ends_a_stretch_since_nobody_knows_what_was_in_it() -> None:
    points = [*series([*QUIET, 0.8, 0.8]), *series([0.8, 0.8], at=80 * MINUTE)]
    assert minute(moved(points, 0.3, "latency")) == 80


@pytest.mark.parametrize(
    ("objective", "share", "out"),
    [(0.001, 0.003, False), (0.001, 0.007, True), (0.05, 0.06, False), (0.05, 0.08, True)],
)
def test_a_single_failed_request_within_minutes_breaks_no_objective_of_weeks(
    objective: float, share: float, out: bool
) -> None:
    found = of([*[0.0009] * 60, share, share], objective, "errors")
    assert (found is not None and found.breaks_objective) is out


@pytest.mark.parametrize(
    ("kind", "values", "out"),
    [
        ("traffic", [*[10.0] * 60, 25.0, 30.0], True),
        ("traffic", [*[10.0] * 60, 15.0, 15.0], False),
        ("traffic", [*[10.0] * 60, 2.0, 0.0], True),
        ("traffic", [*[0.1] * 60, 0.5, 0.5], False),  # five times of nearly nothing
        ("errors", [*[0.0] * 60, 0.005, 0.005], False),
        ("errors", [*[0.0] * 60, 0.05, 0.05], True),
        ("saturation", [*[0.3] * 60, 0.7, 0.8], True),
        ("latency", [*[0.3] * 60, 0.05, 0.05], False),  # quicker is no trouble
        ("errors", [0.5, 0.5, 0.5], False),  # too few hours before
    ],
)
def test_without_an_objective_it_moved_when_it_stands_far_outside_of_the_hours_before(
    kind: Kind, values: Sequence[float], out: bool
) -> None:
    assert (of(values, None, kind) is not None) is out


def test_traffic_that_is_gone_went_down() -> None:
    found = of([*[10.0] * 60, 2.0, 0.0], None, "traffic")
    assert found is not None
    assert (found.up, found.worst, found.before) == (False, 0.0, 10.0)


POINTS = st.lists(
    st.tuples(st.floats(0, 1e6), st.one_of(st.floats(), st.just(math.nan), st.just(math.inf))), max_size=80
)


@given(points=POINTS, objective=st.one_of(st.none(), st.floats(0, 100)), turned=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_nothing_breaks_it(
    points: list[Point], objective: float | None, turned: object
) -> None:
    distinct = list(dict(points).items())
    found = moved(distinct, objective, "latency")
    mixed = list(distinct)
    turned.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis' Random
    assert moved(mixed, objective, "latency") == found
    if found is not None:
        times = {at for at, _ in distinct}
        assert found.begin in times
        assert math.isfinite(found.worst)
