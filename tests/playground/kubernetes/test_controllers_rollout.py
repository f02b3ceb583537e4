from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.kubernetes.controllers.rollout import Limits, Sized, limits, recreate, rolling


def test_percentages_are_rounded_so_that_a_rollout_can_move() -> None:
    assert limits({"replicas": 3}) == Limits(1, 0)
    assert limits({"replicas": 10}) == Limits(3, 2)
    rolling_update = {"maxSurge": 0, "maxUnavailable": 0}
    assert limits({"replicas": 1, "strategy": {"rollingUpdate": rolling_update}}) == Limits(0, 1)


def test_the_new_set_grows_only_as_far_as_the_surge_allows() -> None:
    old = Sized("old", 4, 4, 4)
    assert rolling(4, Limits(1, 1), Sized("new", 0, 0, 0), [old]) == {"new": 1}


def test_broken_old_pods_go_first() -> None:
    broken, good = Sized("broken", 1, 1, 0), Sized("good", 3, 3, 3)
    assert rolling(3, Limits(1, 0), Sized("new", 1, 1, 0), [good, broken]) == {"broken": 0}
    assert rolling(3, Limits(1, 0), Sized("new", 1, 1, 1), [good, broken]) == {"broken": 0, "good": 2}


def test_an_old_set_waits_for_the_new_pods_to_be_available() -> None:
    old = Sized("old", 2, 2, 2)
    assert rolling(2, Limits(1, 0), Sized("new", 1, 1, 0), [old]) == {}
    assert rolling(2, Limits(1, 0), Sized("new", 1, 1, 1), [old]) == {"old": 1}


def test_recreating_begins_when_the_last_old_pod_has_ended() -> None:
    assert recreate(2, Sized("new", 0, 0, 0), [Sized("old", 2, 2, 2)]) == {"old": 0}
    assert recreate(2, Sized("new", 0, 0, 0), [Sized("old", 0, 1, 0)]) == {}
    assert recreate(2, Sized("new", 0, 0, 0), [Sized("old", 0, 0, 0)]) == {"new": 2}


@given(
    desired=st.integers(1, 20),
    surge=st.integers(0, 5),
    unavailable=st.integers(0, 5),
    old=st.integers(0, 20),
)
def test_a_rollout_of_working_pods_ends_within_its_limits(desired: int, surge: int, unavailable: int, old: int) -> None:
    allowed = Limits(surge, unavailable if surge or unavailable else 1)
    wanted: dict[str, Any] = {"new": 0, "old": old}
    for _ in range(200):
        sets = {name: Sized(name, count, count, count) for name, count in wanted.items()}
        changes = rolling(desired, allowed, sets["new"], [sets["old"]])
        if not changes:
            break
        wanted |= changes
        assert sum(wanted.values()) <= max(desired + allowed.surge, old)
        assert sum(wanted.values()) >= min(desired - allowed.unavailable, old)
    assert wanted == {"new": desired, "old": 0}


@pytest.mark.parametrize("replicas", [None, 1])
def test_no_replicas_said_means_one(replicas: int | None) -> None:
    assert limits({"replicas": replicas}) == Limits(1, 0)
