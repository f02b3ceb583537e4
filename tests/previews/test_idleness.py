"""Idle is what is measured to be: everything that could not be read keeps a preview awake."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.errors import UpstreamUnavailable
from bot.ports import NewRepository
from bot.previewing import MEASURE_AGAIN, MEASURED
from bot.previews.idleness import Senses
from tests.previews.village import DAY, MONDAY, Village

HOUR = timedelta(hours=1)
LATER = MONDAY + 26 * HOUR


@dataclass
class Counted:
    """A Prometheus: how many requests it counts."""

    requests: int | None = 0
    error: Exception | None = None
    asked: int = 0
    hosts: Collection[str] = ()

    async def requests_since(self, hosts: Collection[str], since: datetime) -> int | None:
        self.asked += 1
        self.hosts = tuple(hosts)
        if self.error is not None:
            raise self.error
        return self.requests


@dataclass
class Said:
    """A thread: whether a person has written in it."""

    anything: bool | None = False
    error: Exception | None = None
    asked: str = ""

    async def __call__(self, operation: str, since: datetime) -> bool | None:
        self.asked = operation
        if self.error is not None:
            raise self.error
        return self.anything


async def asked_to_sleep(village: Village, traffic: Any, talk: Any, now: datetime = LATER) -> bool:
    await village.replica(Senses(traffic=traffic, talk=talk)).look(now)
    return any(one.command == "preview.sleep" for one in village.asked)


async def test_one_that_nobody_uses_is_put_to_sleep() -> None:
    village = Village()
    village.stands("demo")
    traffic, talk = Counted(), Said()
    assert await asked_to_sleep(village, traffic, talk)
    assert traffic.hosts == ("orders-api.demo.preview.acme.example",)
    assert talk.asked == "op-made-demo"


AWAY = UpstreamUnavailable("It does not answer.")


@pytest.mark.parametrize(
    ("traffic", "talk"),
    [
        (Counted(1), Said()),
        (Counted(None), Said()),
        (Counted(error=AWAY), Said()),
        (None, Said()),
        (Counted(), Said(anything=True)),
        (Counted(), Said(anything=None)),
        (Counted(), Said(error=AWAY)),
        (Counted(), None),
    ],
    ids=["used", "not counted", "Prometheus away", "no Prometheus", "talk", "no card", "Slack away", "no Slack"],
)
async def test_use_and_everything_that_could_not_be_read_keep_it_awake(traffic: Any, talk: Any) -> None:
    village = Village()
    village.stands("demo")
    assert not await asked_to_sleep(village, traffic, talk)


async def test_what_has_no_address_is_not_measured() -> None:
    village = Village()
    village.stands("demo", hosts=False)
    assert not await asked_to_sleep(village, Counted(), Said())


@pytest.mark.parametrize(
    "terms", [{"used_at": LATER - 23 * HOUR}, {"asleep_since": MONDAY}], ids=["woken lately", "asleep already"]
)
async def test_nobody_measures_what_was_used_lately_or_sleeps(terms: Any) -> None:
    village = Village()
    village.stands("demo", **terms)
    traffic = Counted()
    assert not await asked_to_sleep(village, traffic, Said())
    assert traffic.asked == 0


async def test_a_commit_that_is_not_shown_yet_keeps_it_awake() -> None:
    village = Village()
    source = await pull_request(village)
    village.stands("demo", source=source)
    assert await asked_to_sleep(village, Counted(), Said())
    village = Village()
    source = await pull_request(village)
    village.stands("demo", source={**source, "head": "b" * 40})
    assert not await asked_to_sleep(village, Counted(), Said())


async def pull_request(village: Village) -> dict[str, Any]:
    await village.forge.create_repository(NewRepository("acme/orders-api", ""))
    village.forge.push("acme/orders-api", {"a": b"1"})
    head = village.forge.push("acme/orders-api", {"a": b"2"}, branch="next")
    made = await village.forge.create_pull_request("acme/orders-api", head="next", base="main", title="Next", body="")
    return {"repository": "acme/orders-api", "number": made.number, "head": head}


async def test_measuring_goes_round_and_not_more_often_than_it_helps() -> None:
    village = Village()
    for number in range(MEASURED + 2):
        village.stands(f"demo-{number}")
    traffic = Counted(7)
    replica = village.replica(Senses(traffic=traffic, talk=Said()))
    for minute in range(3):
        await replica.look(LATER + timedelta(minutes=minute))
    assert traffic.asked == MEASURED + 2
    await replica.look(LATER + MEASURE_AGAIN + timedelta(minutes=5))
    assert traffic.asked == 2 * MEASURED + 2


async def test_a_platform_may_let_nothing_sleep() -> None:
    village = Village()
    previews = village.platform.previews
    assert previews is not None
    village.platform = village.platform.model_copy(
        update={"previews": previews.model_copy(update={"idle_after": None})}
    )
    village.stands("demo", lives=9 * DAY)
    assert not await asked_to_sleep(village, Counted(), Said(), MONDAY + 5 * DAY)
