"""What the webhook missed appears, what ended unheard is closed after some answers, and silence is no news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.alerting.polling import EVERY_S, UNHEARD, Polling
from bot.errors import UpstreamUnavailable
from bot.model.alerts import AlertState
from bot.ports import FiringAlert, FiringGroup
from tests.alerting.house import House, a_house, alert, buttons, delivery, resolved, seen
from tests.fakes.alerts import FakeAlerts

SLOW = alert(service="orders-api", environment="production")
DOWN = alert("Down", service="orders-db", environment="production")


def firing(one: Mapping[str, Any], *, silenced: bool = False, receiver: str = "causeway") -> FiringGroup:
    """Return what the API says of an alert, in a group as its webhook has it."""
    told = FiringAlert(
        fingerprint=one["fingerprint"],
        labels=one["labels"],
        annotations=one["annotations"],
        starts_at=datetime.fromisoformat(one["startsAt"]),
        silenced_by=("silence-1",) if silenced else (),
    )
    labels = {name: one["labels"][name] for name in ("service", "alertname")}
    return FiringGroup(labels=labels, receiver=receiver, alerts=(told,))


class Room:
    def __init__(self, house: House) -> None:
        self.house = house
        self.alertmanager = FakeAlerts(clock=house.clock)
        self.replicas = [self.replica(name) for name in ("replica-1", "replica-2")]

    def replica(self, name: str) -> Polling:
        house = self.house
        return Polling(self.alertmanager, house.desk, house.database, house.clock, replica=name)

    async def poll(self) -> bool:
        """Let the time come, and let every replica look."""
        self.house.later(seconds=EVERY_S + 1)
        asked = [await replica.tick() for replica in self.replicas]
        assert asked.count(True) <= 1
        self.house.later(seconds=6)
        await self.house.settle()
        return any(asked)


@pytest.fixture
async def room(house: House) -> Room:
    return Room(house)


async def test_what_the_webhook_missed_appears_and_its_late_delivery_changes_nothing(room: Room) -> None:
    room.alertmanager.fire(firing(SLOW))
    assert await room.poll()
    (card,) = room.house.roots()
    assert card.channel == "CORDERS"
    await room.house.hear(delivery(SLOW))
    assert len(await room.house.groups()) == 1
    assert room.house.roots() == [card]
    assert room.house.thread(card) == ["It fires: 1 alert."]


async def test_it_is_asked_once_for_each_time_however_many_replicas_there_are(room: Room) -> None:
    for _ in range(3):
        await room.poll()
    for replica in room.replicas:
        assert not await replica.tick()
    assert room.alertmanager.faults.calls.count("groups") == 3


async def test_what_ended_unheard_is_closed_after_some_answers_without_it(room: Room) -> None:
    await room.house.hear(delivery(SLOW))
    room.alertmanager.fire()
    for _ in range(UNHEARD - 1):
        await room.poll()
        (group,) = await room.house.groups()
        assert group.state is AlertState.FIRING
    await room.poll()
    (group,) = await room.house.groups()
    assert group.state is AlertState.RESOLVED
    assert group.alerts[0].labels["service"] == "orders-api"  # what was known of it stays
    (card,) = room.house.roots()
    assert "Resolved" in seen(card)


async def test_an_alertmanager_that_has_just_started_ends_nothing(room: Room) -> None:
    """It remembers silences and no alerts; Prometheus tells it of those within a minute and an evaluation."""
    await room.house.hear(delivery(SLOW))
    (card,) = room.house.roots()
    begin = room.house.now
    room.alertmanager.fire()
    while room.house.now - begin < timedelta(seconds=90):
        await room.poll()
    room.alertmanager.fire(firing(SLOW))
    await room.poll()
    (group,) = await room.house.groups()
    assert (group.state, group.flapping) == (AlertState.FIRING, 0)
    assert room.house.thread(card) == ["It fires: 1 alert."]


async def test_what_ended_unheard_is_closed_though_its_clock_is_ahead(room: Room) -> None:
    await room.house.hear(delivery({**SLOW, "startsAt": (room.house.now + timedelta(minutes=50)).isoformat()}))
    for _ in range(UNHEARD):
        await room.poll()
    (group,) = await room.house.groups()
    assert group.state is AlertState.RESOLVED


async def test_one_answer_without_it_is_forgotten_when_it_is_back(room: Room) -> None:
    await room.house.hear(delivery(SLOW))
    for fires in ((), (firing(SLOW),), (), (firing(SLOW),)):
        room.alertmanager.fire(*fires)
        await room.poll()
    (group,) = await room.house.groups()
    assert group.state is AlertState.FIRING


async def test_while_alertmanager_is_away_nothing_is_closed(room: Room) -> None:
    await room.house.hear(delivery(SLOW))
    room.alertmanager.fire()
    for _ in range(4):
        room.alertmanager.faults.refuse("groups", UpstreamUnavailable("Alertmanager did not answer."))
        assert not await room.poll()
    (group,) = await room.house.groups()
    assert group.state is AlertState.FIRING


async def test_what_is_silenced_before_it_was_told_is_not_told(room: Room) -> None:
    room.alertmanager.fire(firing(SLOW, silenced=True))
    await room.poll()
    assert room.house.roots() == []
    room.alertmanager.fire(firing(SLOW))
    await room.poll()
    assert len(room.house.roots()) == 1


async def test_a_silence_shows_on_the_card_and_its_end_as_well(room: Room) -> None:
    await room.house.hear(delivery(SLOW))
    (card,) = room.house.roots()
    room.alertmanager.fire(firing(SLOW, silenced=True))
    await room.poll()
    assert "Silenced in Alertmanager" in seen(card)
    assert "silence" not in buttons(card)
    room.alertmanager.fire(firing(SLOW))
    await room.poll()
    assert "Silenced" not in seen(card)


async def test_nothing_is_folded_into_what_is_silenced(room: Room) -> None:
    await room.house.hear(delivery(DOWN))
    room.alertmanager.fire(firing(DOWN, silenced=True), firing(SLOW))
    await room.poll()
    assert [card.metadata["event_payload"]["service"] for card in room.house.roots()] == ["orders-db", "orders-api"]


async def test_an_alert_that_alertmanager_gave_up_and_has_again_fires_again(room: Room) -> None:
    """Prometheus was away: Alertmanager ends what it hears no more of, and then it is there with its old begin."""
    await room.house.hear(delivery(SLOW))
    await room.house.hear(delivery(resolved(SLOW, room.house.now)))
    room.alertmanager.fire(firing(SLOW))
    await room.poll()
    (group,) = await room.house.groups()
    assert (group.state, group.flapping) == (AlertState.FIRING, 1)


async def test_what_was_heard_while_we_looked_is_not_judged_by_it(room: Room) -> None:
    class Slow(FakeAlerts):
        async def groups(self) -> tuple[FiringGroup, ...]:
            room.house.later(seconds=3)
            await room.house.store(delivery(DOWN))
            await room.house.desk.work_off()
            return ()

    alertmanager = Slow(clock=room.house.clock)
    polling = Polling(alertmanager, room.house.desk, room.house.database, room.house.clock, replica="replica-1")
    room.house.later(seconds=EVERY_S + 1)
    await polling.tick()
    known, _ = await polling._known()
    assert [one.unheard for one in known] == [0]


async def test_what_goes_to_other_receivers_is_theirs(room: Room) -> None:
    await room.house.hear(delivery(SLOW))
    pager = replace(firing(DOWN, receiver="pager"), labels={"alertname": "Down"})
    room.alertmanager.fire(firing(SLOW), pager)
    await room.poll()
    assert [group.title for group in await room.house.groups()] == ["HighLatency"]


async def test_before_anybody_has_called_each_alert_counts_once(room: Room) -> None:
    everywhere = replace(firing(SLOW, receiver="pager"), labels={"alertname": "HighLatency"})
    room.alertmanager.fire(everywhere, firing(SLOW))
    await room.poll()
    assert len(await room.house.groups()) == 1


async def test_the_webhook_and_the_poll_lead_to_the_same_row(url: str) -> None:
    async with a_house(url) as house:
        room = Room(house)
        await house.hear(delivery(SLOW))
        room.alertmanager.fire(firing(SLOW))
        await room.poll()
        (group,) = await house.groups()
        assert (group.firing, group.total, group.revision) == (1, 1, 1)


async def test_a_critical_alert_that_cannot_be_told_in_its_channel_is_told_to_the_platform(tmp_path: Path) -> None:
    async with a_house(f"sqlite:///{tmp_path / 'db'}") as house:
        house.slack.refusals["CORDERS"] = "token_revoked"
        await house.store(delivery(SLOW))
        await house.desk.work_off()
        house.later(seconds=6)
        await house.desk.work_off()
        await house.outbox.tick()
        await house.office.urging.tick()
        house.later(minutes=11)
        for _ in range(3):
            await house.office.urging.tick()
            house.later(seconds=5)
        await house.office.measuring.tick()
        assert house.figures.oldest_unposted_s > timedelta(minutes=11).total_seconds()
        await house.outbox.tick()
        (told,) = house.roots("CPLATFORM")
        assert told.text.startswith("I cannot tell <#CORDERS> of this: Critical: HighLatency")
        house.slack.refusals.clear()
        house.later(minutes=2)
        await house.settle()
        assert len(house.roots("CORDERS")) == 1
