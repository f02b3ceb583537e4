"""What becomes of previews by themselves: computed from what exists, asked once, and never all at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import UpstreamUnavailable
from bot.model.principal import Door
from bot.previewing import AT_ONCE, MOST_ASKED
from tests.previews.village import AUTHOR, DAY, MONDAY, Village

HOUR = timedelta(hours=1)


def commands(village: Village) -> list[tuple[str, str]]:
    return [(one.command, str(one.request["name"])) for one in village.asked]


async def test_nothing_is_due_at_first_then_the_owner_is_asked_once_and_then_it_goes() -> None:
    village = Village()
    village.stands("demo")
    replica = village.replica()
    assert await replica.look(MONDAY) == 0
    village.now = MONDAY + 2 * DAY + 12 * HOUR
    assert await replica.look(village.now) == 1
    assert await replica.look(village.now + HOUR) == 0
    await replica.look(MONDAY + 3 * DAY)
    assert commands(village) == [("preview.remind", "demo"), ("preview.down", "demo")]


async def test_another_end_is_another_question() -> None:
    village = Village()
    village.stands("demo")
    replica = village.replica()
    await replica.look(MONDAY + 2 * DAY + 13 * HOUR)
    village.stands("demo", lives=6 * DAY)
    assert await replica.look(MONDAY + 2 * DAY + 14 * HOUR) == 0
    assert await replica.look(MONDAY + 5 * DAY + 13 * HOUR) == 1
    assert len({one.operation for one in village.asked}) == 2


async def test_two_replicas_and_one_that_was_started_anew_ask_for_the_same_operation() -> None:
    village = Village()
    village.stands("demo")
    for replica in (village.replica(), village.replica()):
        await replica.look(MONDAY + 2 * DAY + 13 * HOUR)
    for replica in (village.replica(), village.replica()):
        await replica.look(MONDAY + 30 * DAY)
    assert commands(village) == [("preview.remind", "demo"), ("preview.down", "demo")]


async def test_it_is_asked_in_the_name_of_whoever_made_it_with_their_name_in_slack() -> None:
    village = Village()
    village.stands("demo")
    await village.replica().look(MONDAY + 2 * DAY + 13 * HOUR)
    [asked] = village.asked
    assert (asked.principal.user, asked.principal.slack_user, asked.door) == (AUTHOR, "U0AUTHOR01", Door.AGENDA)


async def test_one_whose_owner_has_left_ends_all_the_same() -> None:
    village = Village()
    village.stands("demo", by="user:default/long-gone")
    await village.replica().look(MONDAY + 3 * DAY)
    [asked] = village.asked
    assert asked.command == "preview.down"
    assert asked.principal.groups == {"group:default/team-orders"}


async def test_two_hundred_that_end_in_the_same_minute_go_a_few_at_a_time() -> None:
    village = Village()
    for number in range(200):
        village.stands(f"demo-{number:03}")
    now = MONDAY + 3 * DAY
    replicas = [village.replica(), village.replica()]
    most = 0
    rounds = 0
    while len(village.asked) < 200 or village.running:
        rounds += 1
        for replica in replicas:
            village.cluster.calls.clear()
            await replica.look(now)
            assert village.cluster.calls == ["list"], "one look, one question to the cluster"
        most = max(most, len(village.running))
        for operation in list(village.running):
            village.done(operation)
        now += timedelta(minutes=1)
        assert rounds < 100
    assert most == AT_ONCE
    assert sorted(name for _, name in commands(village)) == [f"demo-{number:03}" for number in range(200)]


async def test_what_is_under_way_is_waited_for_and_what_is_stuck_takes_nobodys_place() -> None:
    village = Village()
    for number in range(AT_ONCE + 5):
        village.stands(f"demo-{number:02}")
    replica = village.replica()
    await replica.look(MONDAY + 3 * DAY)
    assert len(village.asked) == AT_ONCE
    await replica.look(MONDAY + 3 * DAY + timedelta(minutes=1))
    assert len(village.asked) == AT_ONCE
    village.stuck.update(list(village.running)[:2])
    await replica.look(MONDAY + 3 * DAY + timedelta(minutes=2))
    assert len(village.asked) == AT_ONCE + 2


async def test_a_teardown_that_came_to_nothing_is_asked_for_again_an_hour_later() -> None:
    village = Village()
    village.stands("demo")
    replica = village.replica()
    await replica.look(MONDAY + 3 * DAY)
    village.running.clear()  # it could not be planned: the forge was away
    assert await replica.look(MONDAY + 3 * DAY + timedelta(minutes=59)) == 0
    assert await replica.look(MONDAY + 3 * DAY + HOUR) == 1


async def test_a_preview_that_is_being_made_still_ends() -> None:
    """Whoever comes next ends a wait that is stuck; so the teardown has to stand in line."""
    village = Village()
    village.stands("demo")
    village.running["up-1"] = "demo"
    village.stuck.add("up-1")
    await village.replica().look(MONDAY + 3 * DAY)
    assert commands(village) == [("preview.down", "demo")]


async def test_an_extension_that_was_asked_for_in_time_is_not_taken_back_by_the_end() -> None:
    village = Village()
    village.stands("demo")
    village.stands("other")
    village.running["extend-1"] = "demo"
    await village.replica().look(MONDAY + 3 * DAY)
    assert commands(village) == [("preview.down", "other")]
    village.stuck.add("extend-1")
    await village.replica().look(MONDAY + 3 * DAY)
    assert commands(village)[1:] == [("preview.down", "demo")]


async def test_many_owners_are_asked_over_several_looks() -> None:
    village = Village()
    for number in range(MOST_ASKED + 5):
        village.stands(f"demo-{number:02}")
    replica = village.replica()
    now = MONDAY + 2 * DAY + 13 * HOUR
    assert [await replica.look(now), await replica.look(now), await replica.look(now)] == [MOST_ASKED, 5, 0]


async def test_it_looks_once_a_minute_by_the_clock_that_previews_live_by() -> None:
    village = Village()
    village.stands("demo")
    replica = village.replica()
    for _ in range(3):
        await replica.tick()
    assert village.cluster.calls == ["list"]
    village.now += timedelta(seconds=61)
    await replica.tick()
    assert village.cluster.calls == ["list", "list"]


async def test_a_cluster_that_is_away_is_asked_again_a_minute_later() -> None:
    village = Village()
    village.stands("demo")
    village.now = MONDAY + 3 * DAY
    village.cluster.refuse("list", UpstreamUnavailable("The cluster does not answer."))
    replica = village.replica()
    with pytest.raises(UpstreamUnavailable):
        await replica.tick()
    village.now += timedelta(minutes=1)
    await replica.tick()
    assert commands(village) == [("preview.down", "demo")]


async def test_one_that_somebody_has_broken_keeps_no_other_from_its_end() -> None:
    village = Village()
    village.stands("broken")
    village.stands("demo")
    ref = next(one for one in village.cluster.refs() if one.namespace == "broken")
    village.cluster.put({**village.cluster.find(ref), "data": {"release.yaml": "not: [ours"}})
    await village.replica().look(MONDAY + 3 * DAY)
    assert commands(village) == [("preview.down", "demo")]
