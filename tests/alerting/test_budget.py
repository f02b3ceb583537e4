"""A channel is told so much a day: beyond it things are folded and never dropped, and the week is reported once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.alerting.budget import Week, next_report, report
from bot.model.notifications import News, TeamWishes, Wish
from tests.alerting.house import TERMS, House, a_house, alert, delivery, resolved, seen

SMALL = replace(TERMS, budget=3)


def distinct(number: int, severity: str = "warning") -> dict[str, object]:
    """An alert that shares nothing by which it would be folded."""
    return delivery(alert(f"Alert{number}", team="team-orders", severity=severity))


async def test_beyond_the_budget_there_is_one_digest_that_holds_the_rest(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=SMALL) as house:
        for number in range(8):
            await house.hear(distinct(number))
            house.later(minutes=6)
        *cards, digest = house.roots("CORDERS")
        assert len(cards) == 3
        assert digest.metadata["event_payload"]["group"].startswith("ad-")
        assert all(f"Alert{number}" in seen(digest) for number in range(3, 8))
        assert "5 groups, 5 firing" in digest.text
        house.later(minutes=6)
        await house.hear(delivery(resolved(alert("Alert7", team="team-orders", severity="warning"), house.now)))
        assert "5 groups, 4 firing" in digest.text


async def test_what_is_critical_has_a_card_whatever_it_costs(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=SMALL) as house:
        for number in range(6):
            await house.hear(distinct(number, "critical"))
            house.later(minutes=6)
        assert len(house.roots("CORDERS")) == 6


async def test_what_becomes_critical_leaves_the_digest(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=replace(TERMS, budget=1)) as house:
        await house.hear(distinct(0))
        house.later(minutes=6)
        await house.hear(distinct(1))
        house.later(minutes=6)
        await house.hear(distinct(1, "critical"))
        first, digest, card = house.roots("CORDERS")
        assert "Alert0" in first.text
        assert "Alert1" not in seen(digest)
        assert "Critical: Alert1" in card.text


async def test_what_becomes_critical_below_a_cause_elsewhere_is_told_in_its_own_channel(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=replace(TERMS, budgets={"team-checkout": 0})) as house:
        await house.hear(delivery(alert("Down", service="orders-api", environment="production")))
        place = {"service": "checkout-web", "environment": "production"}
        await house.hear(delivery(alert("Slow", severity="warning", more=place)))
        (digest,) = house.roots("CCHECKOUT")
        assert "Slow" in seen(digest)
        house.later(minutes=1)
        await house.hear(delivery(alert("Slow", severity="warning", more=place), alert("Slow", more=place)))
        await house.settle()
        digest, line = house.roots("CCHECKOUT")
        assert "Slow" not in seen(digest)
        assert line.text.startswith("Slow of `checkout-web` in production fires here. The cause is probably")
        (card,) = house.roots("CORDERS")
        assert "1 further group fires with it" in seen(card)


async def test_a_digest_that_a_team_has_chosen_speaks_of_no_budget_that_was_used_up(tmp_path: Path) -> None:
    daily = {"group:default/team-orders": TeamWishes(news={News.ALERTS: Wish.DAILY})}
    async with a_house(f"sqlite:///{tmp_path / 'db'}", wishes=daily) as house:
        await house.hear(distinct(0))
        (digest,) = house.roots("CORDERS")
        assert "has had its" not in seen(digest)
        assert "/idp notifications" in seen(digest)


async def test_a_new_day_has_a_new_budget(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=replace(TERMS, budget=1)) as house:
        await house.hear(distinct(0))
        house.later(hours=24)
        await house.hear(distinct(1))
        assert [card.metadata["event_payload"]["group"][:3] for card in house.roots()] == ["ag-", "ag-"]


async def test_channels_may_have_their_own_budget(tmp_path: Path) -> None:
    terms = replace(TERMS, budget=1, budgets={"#team-orders": 5})
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=terms) as house:
        for number in range(4):
            await house.hear(distinct(number))
            house.later(minutes=6)
        assert len(house.roots("CORDERS")) == 4


async def test_the_week_is_reported_once_in_each_channel(house: House) -> None:
    await house.office.urging.tick()
    house.later(days=1)
    for number in range(2):
        await house.hear(distinct(number))
        house.later(minutes=6)
    house.later(days=5)
    await house.office.urging.tick()
    assert len(house.roots()) == 2
    house.later(days=1)
    for replica in ("replica-1", "replica-2"):
        house.start(replica)
        await house.office.urging.tick()
        house.later(seconds=10)
    await house.settle()
    *_, told = house.roots()
    assert len(house.roots()) == 3
    assert told.text.startswith("*Alerts of the last seven days in this channel:* 2 messages, 0.3 a day.")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 11, 23, 8, 59, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)),
        (datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 30, 9, tzinfo=UTC)),
        (datetime(2026, 11, 29, 23, tzinfo=UTC), datetime(2026, 11, 30, 9, tzinfo=UTC)),
    ],
)
def test_mondays(now: datetime, due: datetime) -> None:
    assert next_report(now) == due
    assert next_report(due - timedelta(seconds=1)) == due


def test_the_report_names_what_is_loudest_and_says_when_the_budget_was_used_up() -> None:
    week = Week(
        channel="C1",
        by_day={"2026-11-23": 25, "2026-11-24": 3},
        by_title={"<!here>": 20, "Slow": 8},
        digested=7,
        folded=1,
        budget=20,
    )
    text = report(week)
    assert "28 messages, 4.0 a day. The budget is 20 a day. It was used up on 1 day (2026-11-23)." in text
    assert "7 alerts went on a digest" in text
    assert "1 alert had a cause" in text
    assert "&lt;!here&gt; (20), Slow (8)" in text
