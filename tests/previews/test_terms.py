from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import Conflict, Refused, UsageError
from bot.model.previews import Previews, PreviewTerms
from bot.previews.terms import Due, choices, due, extended, first_span, latest, reminder_at

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Previews(base="staging", ttl=3 * DAY, longest=10 * DAY, reminder=timedelta(hours=12))


def terms(lives: timedelta = 3 * DAY, **given: Any) -> PreviewTerms:
    return PreviewTerms(by="user:default/author", created_at=MONDAY, expires_at=MONDAY + lives, **given)


@pytest.mark.parametrize("span", [timedelta(0), -DAY, timedelta(seconds=30)])
def test_no_time_at_all_is_no_life(span: timedelta) -> None:
    with pytest.raises(UsageError, match="too short"):
        first_span(span, POLICY)


def test_a_century_is_refused_with_the_ceiling_and_who_could_raise_it() -> None:
    with pytest.raises(Refused) as caught:
        first_span(36_500 * DAY, POLICY)
    assert "at most 10d, and not 36500d" in str(caught.value)
    assert "platform team" in str(caught.value)


def test_one_that_says_nothing_lives_the_usual_span() -> None:
    assert first_span(None, POLICY) == POLICY.ttl
    assert first_span(10 * DAY, POLICY) == 10 * DAY


def test_extending_moves_the_end_from_where_it_is_up_to_the_ceiling() -> None:
    stands = terms()
    ends = []
    for _ in range(3):
        stands = stands.model_copy(update={"expires_at": extended(stands, None, POLICY, MONDAY)})
        ends.append((stands.expires_at - MONDAY) // DAY)
    assert ends == [6, 9, 10]
    assert stands.expires_at == latest(stands, POLICY)
    with pytest.raises(Refused, match="no preview lives longer than 10d"):
        extended(stands, None, POLICY, MONDAY)


def test_more_than_is_left_is_refused_with_what_is_left() -> None:
    with pytest.raises(Refused, match="by 1d 12h at most"):
        extended(terms(timedelta(days=8, hours=12)), 2 * DAY, POLICY, MONDAY)
    assert extended(terms(8 * DAY), 2 * DAY, POLICY, MONDAY) == MONDAY + 10 * DAY


def test_what_is_over_is_not_extended() -> None:
    with pytest.raises(Conflict, match="ended already"):
        extended(terms(), None, POLICY, MONDAY + 3 * DAY)


def test_a_negative_extension_shortens_nothing() -> None:
    with pytest.raises(UsageError, match="too short"):
        extended(terms(), -DAY, POLICY, MONDAY)


def test_what_is_due_is_told_by_the_end_alone() -> None:
    stands = terms()
    assert due(stands, POLICY, MONDAY + timedelta(days=2, hours=11, minutes=59)) is None
    assert due(stands, POLICY, MONDAY + timedelta(days=2, hours=12)) is Due.REMIND
    assert due(stands, POLICY, MONDAY + 3 * DAY) is Due.DOWN
    assert due(stands, POLICY, MONDAY + 300 * DAY) is Due.DOWN


def test_a_short_one_is_asked_about_half_way() -> None:
    assert reminder_at(terms(timedelta(hours=4)), POLICY) == MONDAY + timedelta(hours=2)


def test_a_form_offers_only_what_policy_allows() -> None:
    assert list(choices(POLICY)) == ["4h", "1d", "3d", "7d"]
    assert choices(POLICY)["1d"] == "1 day"
