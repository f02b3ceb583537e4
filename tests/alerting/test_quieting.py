"""A silence that was made from a card ends with it, once, whatever else is silent and whoever is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.alerting import quieting
from bot.alerting.quieting import Quieting
from bot.errors import UpstreamUnavailable
from bot.model.alerts import AlertGroup, Quieted
from bot.ports import Matcher, Silence
from tests.alerting.house import House, alert, delivery, resolved
from tests.fakes.alerts import FakeAlerts

USER = "user:default/author"


async def silenced(house: House, alertmanager: FakeAlerts, name: str, span: timedelta) -> AlertGroup:
    await house.hear(delivery(alert(name, team="team-orders")))
    group = (await house.groups())[-1]
    until = house.now + span
    made = Silence(
        matchers=(Matcher("alertname", name),), starts_at=house.now, ends_at=until, by="Sample Author", comment="x"
    )
    told: dict[str, Any] = {"id": await alertmanager.silence(made), "by": USER, "until": until, "reason": "known"}
    return await house.book.change(group.id, {"quieted": Quieted(**told)}, "Silenced.", key=name)


async def test_it_ends_with_the_alert_or_with_its_time_however_many_others_stand(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quieting, "MOST", 1)
    alertmanager = FakeAlerts(clock=house.clock)
    keeper = Quieting(house.database, house.book, alertmanager, house.clock)
    spans = {f"Long{number}": timedelta(days=7) for number in range(4)} | {"Short": timedelta(hours=1)}
    for name, span in spans.items():
        await silenced(house, alertmanager, name, span)
        house.later(minutes=6)
    await house.hear(delivery(resolved(alert("Long2", team="team-orders"), house.now)))
    alertmanager.faults.refuse("unsilence", UpstreamUnavailable("Alertmanager did not answer."))
    assert await keeper.tick() == 0
    assert await keeper.tick() == 1
    assert await keeper.tick() == 0
    house.later(hours=1)
    assert await keeper.tick() == 1
    assert await keeper.tick() == 0
    ended = [group.title for group in await house.groups() if group.quieted is None]
    assert ended == ["Long2", "Short"]
    assert len(alertmanager.standing) == 3
    lines = [[told.text for told in await house.book.timeline(group.id)][-1] for group in await house.groups()]
    assert lines[2] == "It is resolved, so its silence has ended too."
    assert lines[4] == "The silence is over: it is told again."
