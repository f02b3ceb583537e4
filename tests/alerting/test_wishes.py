"""A team's channel hears of warnings when and how it wants; what is critical is told at any time."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from bot.model.alerts import Severity
from bot.model.notifications import News, QuietHours, TeamWishes, Wish
from bot.notifications.deciding import NEVER, NOW, SUMMARY, Decided, decide_alert
from tests.alerting.house import MONDAY, House, a_house, alert, delivery, resolved, seen

ORDERS = "group:default/team-orders"
NIGHT = QuietHours(begin=time(12), end=time(20), zone="UTC")
"""It is noon where the house begins."""
EVENING = MONDAY + timedelta(hours=8)
QUIET = TeamWishes(quiet=NIGHT)


def warning(name: str, severity: str = "warning", **labels: str) -> dict[str, object]:
    return alert(name, more={"severity": severity, "team": "team-orders", **labels})


async def is_told(house: House, *names: str) -> None:
    cards = house.roots("CORDERS")
    assert len(cards) == len(names)
    assert all(name in seen(card) for name, card in zip(names, cards, strict=True))


@pytest.mark.parametrize(
    ("severity", "wish", "quiet", "decided"),
    [
        ("warning", "each", False, NOW),
        ("warning", "each", True, Decided("later", EVENING)),
        ("warning", "trouble", False, NOW),
        ("warning", "trouble", True, Decided("later", EVENING)),
        ("info", "trouble", False, NEVER),
        ("info", "trouble", True, NEVER),
        ("warning", "daily", False, SUMMARY),
        ("warning", "daily", True, Decided("later", EVENING)),
        ("warning", "nothing", False, NEVER),
        *[
            ("critical", wish, quiet, NOW)
            for wish in ("each", "trouble", "daily", "nothing")
            for quiet in (True, False)
        ],
    ],
)
def test_severity_wish_and_hour_decide(severity: str, wish: str, *, quiet: bool, decided: Decided) -> None:
    wishes = TeamWishes(news={News.ALERTS: Wish(wish)}, quiet=NIGHT if quiet else None)
    assert decide_alert(Severity(severity), wishes, MONDAY + timedelta(hours=1)) == decided


async def test_quiet_hours_hold_warnings_and_tell_them_afterwards_in_order(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", wishes={ORDERS: QUIET}) as house:
        await house.hear(delivery(warning("First")))
        house.later(minutes=30)
        await house.hear(delivery(warning("Passing")))
        house.later(minutes=30)
        await house.hear(delivery(warning("Second")))
        await house.hear(delivery(warning("Burning", "critical")))
        await is_told(house, "Burning")
        house.start("replica-2")  # nothing is held in a process's memory
        await house.hear(delivery(resolved(warning("Passing"), house.now)))
        house.later(hours=6, minutes=58)
        await house.settle()
        await is_told(house, "Burning")
        house.later(minutes=2)
        await house.settle()
        burning, first, digest, second = house.roots("CORDERS")
        assert ("First" in seen(first), "Second" in seen(second)) == (True, True)
        assert digest.metadata["event_payload"]["group"].startswith("ad-")
        assert "Passing" in seen(digest)
        assert "Burning" in seen(burning)


async def test_a_held_warning_that_becomes_critical_is_told_at_once(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", wishes={ORDERS: QUIET}) as house:
        await house.hear(delivery(warning("Growing"), by=("alertname",)))
        assert house.roots() == []
        house.later(minutes=1)
        await house.hear(delivery(warning("Growing"), warning("Growing", "critical"), by=("alertname",)))
        house.later(minutes=1)
        await house.settle()
        await is_told(house, "Growing")


async def test_another_teams_alert_is_not_told_on_a_card_that_is_held(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", wishes={ORDERS: QUIET}) as house:
        cause = warning("Slow", service="orders-api", environment="production")
        await house.hear(delivery(cause))
        symptom = alert("Slow", severity="warning", service="checkout-web", environment="production")
        await house.hear(delivery(symptom))
        (card,) = house.roots()
        assert card.channel == "CCHECKOUT"


async def test_once_a_day_is_the_digest_and_nothing_is_nothing_until_it_is_critical(tmp_path: Path) -> None:
    wishes = {ORDERS: TeamWishes(news={News.ALERTS: Wish.DAILY})}
    async with a_house(f"sqlite:///{tmp_path / 'db'}", wishes=wishes) as house:
        for name in ("One", "Two"):
            await house.hear(delivery(warning(name)))
            house.later(minutes=20)
        (digest,) = house.roots("CORDERS")
        assert digest.metadata["event_payload"]["group"].startswith("ad-")
        assert all(name in seen(digest) for name in ("One", "Two"))
        house.wishes[ORDERS] = TeamWishes(news={News.ALERTS: Wish.NOTHING})
        await house.hear(delivery(warning("Three"), by=("alertname",)))
        house.later(minutes=20)
        await house.settle()
        assert "Three" not in seen(digest)
        assert len(house.roots("CORDERS")) == 1
        await house.hear(delivery(warning("Three"), warning("Three", "critical"), by=("alertname",)))
        house.later(minutes=1)
        await house.settle()
        assert "Three" in seen(house.roots("CORDERS")[-1])


async def test_what_nobody_wanted_to_hear_of_and_comes_back_critical_is_told(tmp_path: Path) -> None:
    wishes = {ORDERS: TeamWishes(news={News.ALERTS: Wish.NOTHING})}
    async with a_house(f"sqlite:///{tmp_path / 'db'}", wishes=wishes) as house:
        await house.hear(delivery(warning("Growing"), by=("alertname",)))
        await house.hear(delivery(resolved(warning("Growing"), house.now), by=("alertname",)))
        house.later(minutes=1)
        await house.settle()
        assert house.roots() == []
        await house.hear(delivery(warning("Growing", "critical"), by=("alertname",)))
        house.later(minutes=1)
        await house.settle()
        await is_told(house, "Growing")
