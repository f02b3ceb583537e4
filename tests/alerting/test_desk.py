"""From bodies to cards: one card for a group, edited from firing to resolved, whatever comes twice, late or odd."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest

from bot.alerting.reading import read_body
from bot.alerting.timeline import noted
from bot.model.alerts import AlertState, Severity
from tests.alerting.house import MONDAY, House, a_house, alert, buttons, delivery, resolved, seen
from tests.peers.postgresql import Cluster

SLOW = alert(service="orders-api", environment="production", pod="orders-api-1")


async def test_a_group_has_one_card_in_its_owners_channel_from_firing_to_resolved(url: str) -> None:
    async with a_house(url) as house:
        await house.hear(delivery(SLOW))
        (card,) = house.roots()
        (group,) = await house.groups()
        assert card.channel == "CORDERS"
        assert card.metadata["event_type"] == "causeway_alert"
        assert card.metadata["event_payload"] | {"id": 0} == {
            "group": group.id,
            "state": "firing",
            "service": "orders-api",
            "id": 0,
        }
        assert "HighLatency is on." in seen(card)
        assert buttons(card)[:2] == ["acknowledge", "why"]
        house.later(minutes=12)
        await house.hear(delivery(resolved(SLOW, house.now)))
        assert [one.ts for one in house.roots()] == [card.ts]
        assert "Resolved" in seen(card)
        assert house.thread(card) == ["It fires: 1 alert.", "Resolved after 12 minutes."]
        assert [kind for kind, _ in await house.ledger()] == ["alert.fired", "alert.resolved"]


async def test_a_delivery_that_comes_again_changes_nothing(house: House) -> None:
    for _ in range(5):
        await house.hear(delivery(SLOW))
    (card,) = house.roots()
    assert len(card.drawn_at) == 0
    assert len(house.thread(card)) == 1
    (group,) = await house.groups()
    assert (group.firing, group.total, group.revision) == (1, 1, 1)


async def test_a_firing_that_comes_after_its_resolved_opens_nothing(house: House) -> None:
    await house.hear(delivery(SLOW))
    await house.hear(delivery(resolved(SLOW, house.now)))
    await house.hear(delivery(SLOW))
    (group,) = await house.groups()
    assert group.state is AlertState.RESOLVED


async def test_a_resolved_of_the_time_before_does_not_end_this_one(house: House) -> None:
    await house.hear(delivery(SLOW))
    again = {**SLOW, "startsAt": (MONDAY + timedelta(minutes=5)).isoformat()}
    house.later(minutes=6)
    await house.hear(delivery(again))
    await house.hear(delivery(resolved(SLOW, MONDAY + timedelta(minutes=2))))
    (group,) = await house.groups()
    assert group.state is AlertState.FIRING


async def test_a_resolved_that_nobody_fired_is_no_news(house: House) -> None:
    await house.hear(delivery(resolved(SLOW, MONDAY)))
    assert await house.groups() == []
    assert house.roots() == []


async def test_one_that_was_over_before_it_was_told_is_told_once(house: House) -> None:
    await house.hear(delivery(SLOW), delivery(resolved(SLOW, MONDAY)))
    (card,) = house.roots()
    assert "Resolved" in seen(card)


async def test_what_comes_back_soon_flaps_on_the_same_card(house: House) -> None:
    for times in range(4):
        at = house.now
        one = {**SLOW, "startsAt": at.isoformat()}
        await house.hear(delivery(one))
        await house.hear(delivery(resolved(one, house.now)))
        house.later(minutes=5)
        (group,) = await house.groups()
        assert group.flapping == times
    (card,) = house.roots()
    assert "It flaps: it has come back 3 times" in seen(card)
    assert "It fires again, for the 3rd time within a short while." in house.thread(card)


async def test_what_comes_back_late_is_another_episode(house: House) -> None:
    await house.hear(delivery(SLOW))
    await house.hear(delivery(resolved(SLOW, house.now)))
    house.later(minutes=31)
    await house.hear(delivery({**SLOW, "startsAt": house.now.isoformat()}))
    first, second = await house.groups()
    assert first.key == second.key
    assert first.id != second.id
    assert len(house.roots()) == 2


@pytest.mark.parametrize(
    ("labels", "channel"),
    [
        ({"service": "orders-api"}, "CORDERS"),
        ({"service": "ORDERS-API"}, "CORDERS"),
        ({"namespace": "checkout-web-production"}, "CCHECKOUT"),
        ({"namespace": "kube-system", "team": "team-checkout"}, "CCHECKOUT"),
        ({"service": "unheard-of", "team": "team-checkout"}, "CCHECKOUT"),
        ({"service": "unheard-of", "namespace": "orders-api-staging"}, "CORDERS"),
        ({"team": "unheard-of"}, "CPLATFORM"),
        ({"team": "<!channel>"}, "CPLATFORM"),
        ({}, "CPLATFORM"),
    ],
)
async def test_the_catalog_says_whose_it_is(house: House, labels: dict[str, str], channel: str) -> None:
    await house.hear(delivery(alert(more=labels)))
    (card,) = house.roots()
    assert card.channel == channel
    assert ("adopt" in buttons(card)) == (channel == "CPLATFORM")


async def test_the_namespace_tells_the_environment(house: House) -> None:
    await house.hear(delivery(alert(namespace="orders-api-staging")))
    (group,) = await house.groups()
    assert (group.service, group.environment) == ("orders-api", "staging")


async def test_an_odd_body_stops_nobody_else(house: House) -> None:
    await house.hear("{", "[]", '{"alerts": 3}', '{"alerts": [3, null, {}]}', delivery(SLOW))
    titles = [group.title for group in await house.groups()]
    assert titles == ["1 alert", "HighLatency"]


async def test_a_body_that_breaks_us_is_set_aside_and_the_others_are_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = house.desk._applying.take

    async def take(connection: Any, told: Any, now: Any) -> bool:
        if told.labels.get("alertname") == "Poison":
            await taken(connection, told, now)
            raise ZeroDivisionError
        return await taken(connection, told, now)

    monkeypatch.setattr(house.desk._applying, "take", take)
    await house.store(delivery(alert("Poison")), delivery(SLOW))
    for _ in range(5):
        await house.desk.step()
    assert [group.title for group in await house.groups()] == ["HighLatency"]
    await house.office.measuring.tick()
    assert (house.figures.broken, house.figures.waiting) == (1, 0)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Slow\n🔴 *Everything is down*\t now", "Slow 🔴 *Everything is down* now"),
        ("x" * 5_000, "x" * 119 + "…"),
        ("\u202e \n", "1 alert"),
    ],
)
async def test_a_title_is_one_line_of_bounded_length(house: House, name: str, title: str) -> None:
    await house.hear(delivery(alert(name)), delivery(alert(name), by=("severity",)))
    assert [group.title for group in await house.groups()] == [title, title]


async def test_a_body_that_cannot_even_be_read_is_set_aside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(body: str, now: Any) -> Any:
        if "Poison" in body:
            raise ZeroDivisionError
        return read_body(body, now)

    monkeypatch.setattr("bot.alerting.desk.read_body", read)
    await house.hear(delivery(alert("Poison")), delivery(SLOW))
    assert [group.title for group in await house.groups()] == ["HighLatency"]
    await house.office.measuring.tick()
    assert (house.figures.broken, house.figures.waiting) == (1, 0)


async def test_an_adoption_that_is_taken_back_leaves_the_owner_to_the_catalog(house: House) -> None:
    await house.hear(delivery(alert()))
    (group,) = await house.groups()
    await house.book.change(group.id, {"owner": "group:default/team-orders"}, "Adopted.", key="1")
    await house.book.change(group.id, {"owner": None}, "Taken back.", key="2")
    await house.hear(delivery(resolved(alert(), house.now)))
    house.later(minutes=31)
    await house.hear(delivery({**alert(more={"team": "team-checkout"}), "startsAt": house.now.isoformat()}))
    assert (await house.groups())[-1].owner == "group:default/team-checkout"


async def test_what_becomes_worse_says_so_in_its_thread(house: House) -> None:
    some = [alert(service="orders-api", severity=one, pod=one) for one in ("info", "warning", "critical")]
    for count in (1, 2, 3, 3):
        await house.hear(delivery(*some[:count]))
    (card,) = house.roots()
    told = [line for line in house.thread(card) if line.startswith("It is")]
    assert told == ["It is a warning now.", "It is critical now."]
    assert "*Critical*" in seen(card)


async def test_a_growing_group_says_so_when_it_has_doubled(house: House) -> None:
    pods = [alert(service="orders-api", pod=f"p-{number}") for number in range(8)]
    for count in (1, 2, 3, 4, 8):
        await house.hear(delivery(*pods[:count]))
    (card,) = house.roots()
    assert [line for line in house.thread(card) if "grown" in line] == [
        "It has grown: 2 alerts now.",
        "It has grown: 4 alerts now.",
        "It has grown: 8 alerts now.",
    ]
    assert "8 alerts firing" in seen(card)
    assert "… and 3 more" in seen(card)


async def test_alerts_that_alertmanager_left_out_are_counted(house: House) -> None:
    await house.hear(delivery(SLOW, truncatedAlerts=41))
    (card,) = house.roots()
    assert "42" in seen(card)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2099-01-01T00:00:00Z", "2099-01-02T00:00:00Z"),
        ("2026-11-23T12:30:00Z", "2026-11-23T12:35:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2026-11-23T12:00:00.123456789+05:30", "2026-11-23T06:00:00Z"),
        ("2026-11-23T12:00:00Z", "2026-11-23T11:00:00Z"),
        ("yesterday", "tomorrow"),
        (None, None),
        (17, {}),
    ],
)
async def test_clocks_that_disagree_hide_no_begin_and_no_end(house: House, starts: object, ends: object) -> None:
    one = {**SLOW, "startsAt": starts}
    await house.hear(delivery(one))
    (group,) = await house.groups()
    assert group.started_at <= house.now
    await house.hear(delivery({**one, "status": "resolved", "endsAt": ends}))
    (group,) = await house.groups()
    assert group.state is AlertState.RESOLVED
    assert group.ended_at is not None
    assert group.started_at <= group.ended_at <= house.now


async def test_the_severity_is_the_worst_that_fires(house: House) -> None:
    worse = alert(service="orders-api", pod="2")
    warning = {**alert(service="orders-api", pod="1"), "fingerprint": "aa"}
    warning["labels"] = {**warning["labels"], "severity": "warning"}
    await house.hear(delivery(warning))
    assert (await house.groups())[0].severity is Severity.WARNING
    await house.hear(delivery(warning, worse))
    assert (await house.groups())[0].severity is Severity.CRITICAL
    await house.hear(delivery(warning, resolved(worse, house.now)))
    assert (await house.groups())[0].severity is Severity.WARNING


# --- Restarts and replicas ------------------------------------------------------------------------------------------


async def test_a_kill_at_any_step_loses_nothing_and_says_nothing_twice(house: House) -> None:
    await house.store(delivery(SLOW))
    house.start("replica-2")
    await house.desk.work_off()
    house.start("replica-3")
    house.later(seconds=6)
    await house.desk.work_off()
    house.later(seconds=30)
    house.start("replica-4")
    await house.store(delivery(SLOW))
    await house.settle()
    (card,) = house.roots()
    assert house.thread(card) == ["It fires: 1 alert."]


async def test_two_desks_on_one_database_make_one_group_of_one_alert(url: str) -> None:
    async with a_house(url) as first, a_house(url) as second:
        second.replica = "replica-2"
        second.start("replica-2")
        await first.store(*(delivery(SLOW) for _ in range(10)))
        for _ in range(12):
            await first.desk.step()
            first.later(seconds=1)
            second.now = first.now
            await second.desk.step()
        first.later(seconds=30)
        await first.settle()
        (card,) = first.roots()
        assert first.thread(card) == ["It fires: 1 alert."]
        assert [kind for kind, _ in await first.ledger()] == ["alert.fired"]


# --- What people decide ---------------------------------------------------------------------------------------------


async def test_what_people_decide_stands_on_the_card_and_in_its_thread_once(house: House) -> None:
    await house.hear(delivery(SLOW))
    (group,) = await house.groups()
    for _ in range(2):
        changes = {"acknowledged_by": "user:default/author", "acknowledged_at": house.now}
        changed = await house.book.change(group.id, changes, "Sample Author is on it.", key="op-1")
        assert changed.acknowledged_by == "user:default/author"
    house.later(seconds=3)
    await house.settle()
    (card,) = house.roots()
    assert "Acknowledged by Sample Author" in seen(card)
    assert "acknowledge" not in buttons(card)
    assert house.thread(card) == ["It fires: 1 alert.", "Sample Author is on it."]
    assert [told.text for told in await house.book.timeline(group.id)] == house.thread(card)


async def test_only_what_is_for_people_to_decide_can_be_changed(house: House) -> None:
    await house.hear(delivery(SLOW))
    (group,) = await house.groups()
    with pytest.raises(ValueError, match="state"):
        await house.book.change(group.id, {"state": "resolved"}, "", key="op-1")


async def test_who_adopts_it_is_told_of_the_next_episode(house: House) -> None:
    nobodys = alert("Odd")
    await house.hear(delivery(nobodys))
    (group,) = await house.groups()
    await house.book.change(group.id, {"owner": "group:default/team-checkout"}, "Adopted.", key="op-1")
    await house.hear(delivery(resolved(nobodys, house.now)))
    house.later(hours=1)
    await house.hear(delivery({**nobodys, "startsAt": house.now.isoformat()}))
    assert [card.channel for card in house.roots()] == ["CPLATFORM", "CCHECKOUT"]


async def test_the_book_answers_who_fires_and_who_fired_when(house: House) -> None:
    await house.hear(delivery(SLOW))
    assert [one.title for one in await house.book.firing(service="orders-api", environment="production")]
    assert not await house.book.firing(service="orders-api", environment="staging")
    await house.hear(delivery(resolved(SLOW, house.now)))
    assert not await house.book.firing()
    hour = timedelta(hours=1)
    assert await house.book.between(MONDAY - hour, MONDAY + hour, service="orders-api")
    assert not await house.book.between(MONDAY + hour, MONDAY + 2 * hour, service="orders-api")


async def decided_meanwhile(house: House, monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> None:
    """Somebody acknowledges the group, and Slack shows it, after the desk has read its row and before it writes."""
    real = getattr(importlib.import_module(module), name)

    async def late(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(f"{module}.{name}", real)
        (group,) = await house.groups()
        await house.book.change(group.id, {"acknowledged_by": "user:default/author"}, "Somebody is on it.", key="1")
        await house.outbox.drain()
        return await real(*arguments, **named)

    monkeypatch.setattr(f"{module}.{name}", late)


@pytest.mark.peer("postgresql")
async def test_what_people_decide_while_the_desk_works_hides_no_end(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PostgreSQL both may happen at once."""
    async with a_house(postgresql.database()) as house:
        await house.hear(delivery(SLOW))
        (card,) = house.roots()
        await decided_meanwhile(house, monkeypatch, "bot.alerting.applying", "store")
        await house.hear(delivery(resolved(SLOW, house.now)))
        assert "Resolved" in seen(card)
        assert "Acknowledged by" in seen(card)
        assert "Somebody is on it." in house.thread(card)


@pytest.mark.peer("postgresql")
async def test_what_people_decide_before_there_is_a_card_stands_on_it(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(postgresql.database()) as house:
        await house.hear(delivery(SLOW), wait=0)
        await decided_meanwhile(house, monkeypatch, "bot.alerting.deciding", "_others")
        house.later(seconds=6)
        await house.settle()
        (card,) = house.roots()
        assert "Acknowledged by" in seen(card)
        assert house.thread(card) == ["It fires: 1 alert.", "Somebody is on it."]
        await house.hear(delivery(resolved(SLOW, house.now)))
        assert "Resolved" in seen(card)


@pytest.mark.peer("postgresql")
async def test_what_people_decide_while_it_gets_its_card_is_said_below_it(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(postgresql.database()) as house:
        await house.hear(delivery(SLOW), wait=0)
        (group,) = await house.groups()

        async def late(*arguments: Any) -> bool:
            house.later(seconds=6)
            await house.settle()
            return await noted(*arguments)

        monkeypatch.setattr("bot.alerting.book.noted", late)
        await house.book.change(group.id, {"acknowledged_by": "user:default/author"}, "Somebody is on it.", key="1")
        await house.outbox.drain()
        (card,) = house.roots()
        assert "Acknowledged by" in seen(card)
        assert house.thread(card) == ["It fires: 1 alert.", "Somebody is on it."]
