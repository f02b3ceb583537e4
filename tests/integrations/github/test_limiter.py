from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UpstreamUnavailable
from integrations.github.limiter import Cost, Limiter, Pace

READ, WRITE, CREATE = Cost.READ, Cost.WRITE, Cost.CREATE


class Time:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def limiter(time: Time, **pace: float) -> Limiter:
    return Limiter(Pace(**{"longest_wait_s": 10_000, **pace}), clock=time, sleep=time.sleep)  # type: ignore[arg-type]  # numbers by name


async def starts(costs: list[Cost], **pace: float) -> list[float]:
    time = Time()
    gate = limiter(time, **pace)
    moments = []
    for cost in costs:
        await gate.wait(cost)
        moments.append(time.now - 1000.0)
    return moments


async def test_a_burst_goes_at_once_and_the_rest_once_a_second() -> None:
    assert await starts([WRITE] * 6, burst=3) == [0, 0, 0, 0, 1, 2]


async def test_reads_do_not_wait_for_the_pace_of_writes() -> None:
    assert await starts([WRITE, WRITE, READ], burst=0) == [0, 1, 1]
    time = Time()
    gate = limiter(time, burst=0)
    await gate.wait(WRITE)
    gate._reserve(WRITE)
    await gate.wait(READ)
    assert time.now == 1000.0


async def test_eighty_creations_a_minute_and_five_hundred_an_hour() -> None:
    moments = await starts([CREATE] * 600, seconds_between_writes=0, points_per_minute=100_000)
    assert moments[79] == 0
    assert moments[80] == 60
    assert moments[499] < 3600
    assert moments[500] == 3600


async def test_points_are_counted_one_for_a_read_and_five_for_a_write() -> None:
    moments = await starts([READ] * 5 + [WRITE] * 2, points_per_minute=10, burst=100)
    assert moments == [0, 0, 0, 0, 0, 0, 60]


@given(costs=st.lists(st.sampled_from(list(Cost)), max_size=150))
async def test_no_minute_ever_holds_more_than_is_allowed(costs: list[Cost]) -> None:
    moments = await starts(costs, points_per_minute=60, creations_per_minute=5, burst=4)
    for first in moments:
        within = [cost for moment, cost in zip(moments, costs, strict=True) if first <= moment < first + 60]
        assert sum(1 if cost is READ else 5 for cost in within) <= 60
        assert within.count(CREATE) <= 5
    assert all(earlier <= later for earlier, later in pairwise(moments))


async def test_what_is_past_is_forgotten() -> None:
    time = Time()
    gate = limiter(time)
    for _ in range(1000):
        time.now += 1
        await gate.wait(READ)
    assert len(gate._points._spent) <= 61


async def test_a_pause_holds_everybody_and_a_shorter_one_does_not_cut_it() -> None:
    time = Time()
    gate = limiter(time)
    gate.pause(30)
    gate.pause(5)
    assert gate.paused_s == 30
    await gate.wait(READ)
    assert time.now == 1030.0
    assert gate.paused_s == 0


async def test_a_pause_that_begins_during_the_wait_is_kept_too() -> None:
    time = Time()
    gate = limiter(time, burst=0)
    await gate.wait(WRITE)

    async def sleep(seconds: float) -> None:
        time.now += seconds
        if time.now < 1010:
            gate.pause(20)

    gate._sleep = sleep
    await gate.wait(WRITE)
    assert time.now == 1021.0


async def test_a_wait_that_is_too_long_is_given_back_with_the_time_to_come_again() -> None:
    time = Time()
    gate = limiter(time, longest_wait_s=60)
    gate.pause(600)
    with pytest.raises(UpstreamUnavailable, match="in 10 minutes") as caught:
        await gate.wait(READ)
    assert caught.value.retry_after_s == 600
    assert time.now == 1000.0
