"""10,000 alerts in 100 groups while Slack answers 429 for an hour: none lost, one root message each, in order."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import deque
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.slack.pace import Pace
from tests.alerting.house import TERMS, House, a_house, alert, delivery, resolved
from tests.fakes.slack import Fault

GROUPS, ALERTS = 100, 100
LOUD = replace(TERMS, budget=10_000)


def storm(teams: tuple[str, ...] = ("team-orders", "team-checkout")) -> list[dict[str, Any]]:
    """Return a body for each group; nothing that they share folds them."""
    return [
        delivery(
            *(
                alert(f"Alert{number:03}", team=teams[number % len(teams)], severity="warning", shard=str(shard))
                for shard in range(ALERTS)
            ),
            by=("alertname",),
        )
        for number in range(GROUPS)
    ]


async def busy_for(house: House, span: timedelta) -> None:
    """Slack answers 429 to every post, and the outbox goes on trying."""
    until = house.timer.at + span.total_seconds()
    while house.timer.at < until:
        house.slack.faults["chat.postMessage"] = deque([Fault.BUSY] * 50)
        await house.outbox.tick()
        due = await house.outbox._rows.next_due()
        await house.timer.sleep(max((due or 0.0) - house.timer.now(), 120.0))
    house.slack.faults.clear()
    house.now = max(house.now, house.now + span)


async def patiently(house: House) -> None:
    """Send all that waits, a second at a time: the outbox itself would look ten times as often."""
    while await house.outbox._rows.next_due() is not None:
        if not await house.outbox.tick():
            await house.timer.sleep(1.0)


async def test_a_storm_while_slack_is_busy_for_an_hour(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}", terms=LOUD) as house:
        house.slack.pace = Pace(house.timer)
        bodies = storm()
        await house.store(*bodies)
        await house.desk.work_off()
        await house.store(*reversed(bodies[:20]))  # Alertmanager sends again, in any order
        await house.desk.work_off()
        house.later(seconds=6)
        await house.desk.work_off()
        await busy_for(house, timedelta(hours=1))
        assert house.roots() == []
        await patiently(house)

        groups = await house.groups()
        assert len(groups) == GROUPS
        assert {group.firing for group in groups} == {ALERTS}
        for channel, first in (("CORDERS", 0), ("CCHECKOUT", 1)):
            named = [card.text.split(":")[1].strip() for card in house.roots(channel)]
            assert named == [f"Alert{number:03}" for number in range(first, GROUPS, 2)]  # once each, and in order
        assert house.figures.taken == (GROUPS + 20) * ALERTS
        for channel in ("CORDERS", "CCHECKOUT"):
            times = [float(card.ts) for card in house.roots(channel)]
            assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 1.0

        ended = [
            {**body, "alerts": [resolved(one, house.now) for one in body["alerts"]], "status": "resolved"}
            for body in bodies
        ]
        house.slack.pace = None
        await house.hear(*ended)
        assert len(house.roots()) == GROUPS
        assert all(card.text.startswith("Resolved") for card in house.roots())


async def test_a_storm_of_one_alert_over_many_services_has_one_card(house: House) -> None:
    bodies = [
        delivery(*(alert("NodeDown", team="team-orders", zone=f"z{number}", pod=str(pod)) for pod in range(10)),
                 by=("alertname", "zone"))
        for number in range(GROUPS)
    ]  # fmt: skip
    await house.hear(*bodies)
    (card,) = house.roots()
    (first,) = [group for group in await house.groups() if group.has_card]
    assert first.folded_total == GROUPS - 1
    assert card.metadata["event_payload"]["group"] == first.id


async def test_a_giant_group_takes_bounded_memory(house: House) -> None:
    one = delivery(*(alert("Full", team="team-orders", volume=f"v{number}") for number in range(2_000)))
    await house.store(one)
    del one
    tracemalloc.start()
    try:
        await house.desk.work_off()
        house.later(seconds=6)
        await house.settle()
        for _ in range(3):
            await house.store(delivery(alert("Full", team="team-orders", volume="v1"), by=("alertname", "service")))
            await house.desk.work_off()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (group,) = await house.groups()
    assert (group.firing, len(group.alerts)) == (2_000, 20)
    assert left < 10_000_000


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel", "channel_not_found"])
async def test_a_channel_that_cannot_be_posted_in_loses_nothing(house: House, code: str) -> None:
    house.slack.refusals["CORDERS"] = code
    await house.hear(delivery(alert("First", team="team-orders")))
    house.later(minutes=10)
    await house.hear(delivery(alert("Second", team="team-orders")))
    assert [card.text.split(":")[1].strip() for card in house.roots("CPLATFORM")] == ["First", "Second"]
    assert "This belongs in <#CORDERS>" in str(house.roots("CPLATFORM")[0].blocks)
