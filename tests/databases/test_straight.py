"""Databases where a cluster is delivered to directly: found by the book, counted, deleted with their release."""

from __future__ import annotations

import pytest

from bot.databases.finding import stand_alone
from bot.databases.inventory import read_inventory
from bot.effects import ApplyObjects, EnterBook, RemoveObjects
from bot.errors import NotFound
from tests.databases.house import DatabaseHouse, found
from tests.databases.test_requesting import with_platform
from tests.releases.house import effects, ids


@pytest.fixture
async def straight(house: DatabaseHouse) -> DatabaseHouse:
    """One that stands alone, in an environment that is delivered directly."""
    with_platform(house, staging={"delivery": "direct"})
    plan = await house.plan("database.request", name="reports", owner="team-orders")
    for effect in effects(plan):
        if isinstance(effect, ApplyObjects | EnterBook):
            await house.bound(effect).apply(house.ports_with_cluster, house.run_of(effect))
    return house


async def test_one_that_stands_alone_is_found_by_the_book(straight: DatabaseHouse) -> None:
    assert await stand_alone("reports", "staging", straight.deps) == ("team-orders", "reports")
    assert await stand_alone("reports-db", "staging", straight.deps) == ("team-orders", "reports")
    assert await stand_alone("nothing", "staging", straight.deps) is None
    answer = await straight.ask("database.show", database="reports")
    assert answer.text.startswith("reports-db in staging: ")


async def test_it_is_listed_and_counted(straight: DatabaseHouse) -> None:
    (held,) = await read_inventory(straight.deps)
    assert (held.store.name, held.place.team, held.stands_alone) == ("reports-db", "team-orders", True)
    assert held.release.database is not None
    assert held.release.database.protected, "it was protected once it was there"


async def test_it_is_protected_by_a_second_step(straight: DatabaseHouse) -> None:
    plan = await straight.plan("database.request", name="more", owner="team-orders")
    assert [one for one in ids(plan) if one in ("deliver", "await-database", "protect")] == [
        "deliver",
        "await-database",
        "protect",
    ]


async def test_it_is_deleted_with_its_release(straight: DatabaseHouse) -> None:
    plan = await straight.plan("database.delete", name="reports-db")
    gone = {(one.kind, one.name) for one in found(plan, RemoveObjects).refs}
    assert {("Cluster", "reports-db"), ("ConfigMap", "causeway-release-reports")} <= gone
    assert ids(plan)[-1] == "end-in-book"


async def test_a_name_that_is_no_name_is_not_looked_for(straight: DatabaseHouse) -> None:
    with pytest.raises(NotFound, match="no service and no database"):
        await straight.plan("database.resize", database="../../etc", size="medium")
