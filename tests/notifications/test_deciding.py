from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.model.notifications import WEEKDAYS, News, Personal, PersonalWishes, QuietHours, TeamWishes, Wish
from bot.notifications.deciding import NEVER, NOW, SUMMARY, Decided, decide, decide_for, next_summary

NIGHT = QuietHours(begin=time(20), end=time(8), zone="Europe/Berlin", whole_days=("saturday", "sunday"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "over"),
    [
        ("2026-11-25 12:00", None),  # a Wednesday noon, 13:00 in Berlin
        ("2026-11-25 18:59", None),
        ("2026-11-25 19:00", "2026-11-26 07:00"),  # 20:00 in Berlin
        ("2026-11-26 02:00", "2026-11-26 07:00"),
        ("2026-11-26 06:59", "2026-11-26 07:00"),
        ("2026-11-26 07:00", None),
        ("2026-11-27 19:00", "2026-11-30 07:00"),  # Friday evening: the night, the weekend, and Sunday's night
        ("2026-11-28 12:00", "2026-11-30 07:00"),
        ("2026-03-28 23:30", "2026-03-30 06:00"),  # clocks go forward in that night, and it is a weekend
        ("2026-10-24 20:00", "2026-10-26 07:00"),  # and back in this one
    ],
)
def test_quiet_hours_go_over_midnight_weekends_and_changes_of_the_clock(now: str, over: str | None) -> None:
    assert NIGHT.until(at(now)) == (at(over) if over else None)


def test_an_hour_that_happens_twice_is_quiet_twice() -> None:
    quiet = QuietHours(begin=time(2), end=time(3), zone="Europe/Berlin")
    assert quiet.until(at("2026-10-25 00:30")) is not None
    assert quiet.until(at("2026-10-25 02:30")) is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"zone": ""}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"days": ("someday",)}, "no day of the week"),
        ({"whole_days": WEEKDAYS}, "some day has to be left"),
    ],
)
def test_wrong_quiet_hours_are_a_sentence(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        QuietHours.model_validate({"begin": "20:00", "end": "08:00", "zone": "UTC"} | given)


def test_wishes_decide() -> None:
    noon, night = at("2026-11-25 12:00"), at("2026-11-25 22:00")
    morning = Decided("later", at("2026-11-26 07:00"))
    wishes = TeamWishes(
        news={News.DEPLOYS: Wish.DAILY, News.CI: Wish.TROUBLE, News.PREVIEWS: Wish.NOTHING}, quiet=NIGHT
    )
    assert decide(News.ALERTS, wishes, noon, trouble=True) == NOW
    assert decide(News.ALERTS, wishes, night, trouble=True) == morning
    assert decide(News.ALERTS, wishes, night, trouble=True, pressing=True) == NOW
    assert decide(News.DEPLOYS, wishes, noon, trouble=False) == SUMMARY
    assert decide(News.DEPLOYS, wishes, noon, trouble=True) == NOW
    assert decide(News.CI, wishes, noon, trouble=False) == NEVER
    assert decide(News.PREVIEWS, wishes, night, trouble=True) == morning
    assert decide(News.ENDINGS, TeamWishes(), night, trouble=False) == NOW


def test_a_person_is_told_what_they_want_to_hear_of() -> None:
    wishes = PersonalWishes(told=frozenset({Personal.ENDED}), quiet=NIGHT)
    assert decide_for(Personal.APPROVALS, wishes, at("2026-11-25 12:00")) == NEVER
    assert decide_for(Personal.ENDED, wishes, at("2026-11-25 12:00")) == NOW
    assert decide_for(Personal.ENDED, wishes, at("2026-11-25 22:00")).how == "later"
    assert decide_for(Personal.ENDED, wishes, at("2026-11-25 22:00"), pressing=True) == NOW


def test_the_summary_comes_in_the_morning_of_the_teams_zone() -> None:
    assert next_summary(TeamWishes(quiet=NIGHT), at("2026-11-25 12:00")) == at("2026-11-26 08:00")
    assert next_summary(TeamWishes(quiet=NIGHT), at("2026-11-27 12:00")) == at("2026-11-30 07:00"), "not on a weekend"
    assert next_summary(TeamWishes(), at("2026-11-25 08:59")) == at("2026-11-25 09:00")


quiets = st.builds(
    QuietHours,
    begin=st.times(),
    end=st.times(),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]
    ),
    days=st.lists(st.sampled_from(WEEKDAYS)).map(tuple),
    whole_days=st.lists(st.sampled_from(WEEKDAYS[1:])).map(tuple),
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # zone given beside
wishes_of_a_team = st.builds(
    TeamWishes,
    news=st.dictionaries(st.sampled_from(News), st.sampled_from(Wish)),
    quiet=st.none() | quiets,
)


@given(st.sampled_from(News), wishes_of_a_team, moments, st.booleans())
def test_what_presses_is_never_held_and_trouble_is_never_dropped(
    news: News, wishes: TeamWishes, now: datetime, trouble: bool
) -> None:
    assert decide(news, wishes, now, trouble=trouble, pressing=True) == NOW
    assert decide(news, wishes, now, trouble=True).how in ("now", "later")


@given(quiets, moments)
def test_no_quiet_lasts_for_ever_and_after_it_things_are_told(quiet: QuietHours, now: datetime) -> None:
    over = quiet.until(now)
    if over is not None:
        assert now < over <= now + timedelta(days=9)
        assert quiet.until(over) is None
    assert quiet.until(next_summary(TeamWishes(quiet=quiet), now)) is None
