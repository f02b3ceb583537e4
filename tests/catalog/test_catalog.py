"""The living catalog: sources, registration and its undo, restarts, and sources that cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.catalog.catalog import Catalog
from bot.errors import Conflict, Invalid, NotFound, UpstreamUnavailable, UsageError
from bot.ports import NewRepository
from bot.storage.catalog import catalog_documents
from bot.storage.database import Database, metadata
from tests.fakes.forge import FakeForge

ORDERS = b"""
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders}
spec: {type: service, lifecycle: production, owner: team-orders}
"""
PLACE = "https://github.example/acme/orders/blob/main/catalog-info.yaml"


def now() -> datetime:
    return datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'causeway.db'}")
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def forge() -> FakeForge:
    forge = FakeForge()
    await forge.create_repository(NewRepository("acme/orders", "", True))
    forge.push("acme/orders", {"catalog-info.yaml": ORDERS})
    return forge


def catalog(database: Database, forge: FakeForge, *patterns: str, folders: tuple[Path, ...] = ()) -> Catalog:
    return Catalog(database, forge, now, folders=folders, repositories=patterns)


async def test_a_sweep_reads_every_repository_that_a_pattern_names(database: Database, forge: FakeForge) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    found = living.index.service("orders")
    assert found is not None
    assert found.web_url.endswith("/acme/orders/blob/main/catalog-info.yaml")


async def test_what_was_read_is_there_after_a_restart_without_a_network(database: Database, forge: FakeForge) -> None:
    await catalog(database, forge, "acme/*").refresh()
    again = catalog(database, FakeForge(), "acme/*")
    await again.load()
    assert again.index.service("orders") is not None


async def test_a_push_changes_one_repository_and_a_removed_file_is_forgotten(
    database: Database, forge: FakeForge
) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    forge.push("acme/orders", {"catalog-info.yaml": ORDERS.replace(b"team-orders", b"team-checkout")})
    await living.refresh("acme/orders")
    found = living.index.service("orders")
    assert found is not None
    assert getattr(found.entity.spec, "owner", "") == "team-checkout"
    await forge.delete_repository("acme/orders")
    await living.refresh("acme/orders")
    assert living.index.service("orders") is None


async def test_a_source_that_cannot_be_read_is_listed_and_what_was_known_stays(
    database: Database, forge: FakeForge
) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    forge.refuse("repository", UpstreamUnavailable("GitHub did not answer."))
    await living.refresh("acme/orders")
    assert living.index.service("orders") is not None
    assert [str(mistake) for mistake in living.mistakes] == ["github:acme/orders: GitHub did not answer."]
    await living.refresh("acme/orders")
    assert living.mistakes == ()


async def test_registering_twice_is_registering_once_and_undo_takes_only_its_own(
    database: Database, forge: FakeForge
) -> None:
    living = catalog(database, forge)
    assert await living.register(PLACE, operation="op_1") == ("component:default/orders",)
    assert await living.register(PLACE, operation="op_1") == ("component:default/orders",)
    assert await living.registered(PLACE) == "op_1"
    assert await living.unregister(PLACE, operation="op_2") is False
    assert living.index.service("orders") is not None
    assert await living.unregister(PLACE, operation="op_1") is True
    assert living.index.service("orders") is None
    async with database.read() as connection:
        assert (await connection.execute(catalog_documents.select())).all() == []


async def test_a_later_operation_does_not_take_over_a_location(database: Database, forge: FakeForge) -> None:
    living = catalog(database, forge)
    await living.register(PLACE, operation="op_1")
    await living.register(PLACE, operation="op_2")
    assert await living.registered(PLACE) == "op_1"


async def test_a_name_of_another_repository_is_not_taken(database: Database, forge: FakeForge) -> None:
    await forge.create_repository(NewRepository("acme/copy", "", True))
    forge.push("acme/copy", {"catalog-info.yaml": ORDERS})
    living = catalog(database, forge)
    await living.register(PLACE, operation="op_1")
    with pytest.raises(Conflict, match="already declared by github:acme/orders"):
        await living.register(PLACE.replace("acme/orders", "acme/copy"), operation="op_2")


async def test_what_cannot_be_registered_is_told(database: Database, forge: FakeForge) -> None:
    living = catalog(database, forge)
    with pytest.raises(NotFound):
        await living.register(PLACE.replace("acme/orders", "acme/missing"), operation="op_1")
    with pytest.raises(UsageError, match="does not name a file"):
        await living.register("https://github.example/acme", operation="op_1")
    forge.push("acme/orders", {"catalog-info.yaml": b"kind: Nonsense"})
    with pytest.raises(Invalid):
        await living.register(PLACE, operation="op_1")


async def test_a_local_folder_is_read_and_wins_over_a_repository(
    database: Database, forge: FakeForge, tmp_path: Path
) -> None:
    (tmp_path / "people.yaml").write_bytes(ORDERS.replace(b"team-orders", b"platform"))
    living = catalog(database, forge, "acme/*", folders=(tmp_path, tmp_path / "missing"))
    await living.load()
    await living.refresh()
    found = living.index.service("orders")
    assert found is not None
    assert getattr(found.entity.spec, "owner", "") == "platform"
    assert any("is not a folder" in str(mistake) for mistake in living.mistakes)


LOCATION = b"""
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec: {targets: [./teams/orders.yaml, "https://github.example/acme/orders/blob/main/catalog-info.yaml", ./missing.yaml]}
"""
TEAM = b"""
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders}
spec: {type: team, children: []}
"""


async def test_a_location_leads_to_files_beside_it_and_elsewhere(database: Database, forge: FakeForge) -> None:
    await forge.create_repository(NewRepository("acme/catalog", "", True))
    forge.push("acme/catalog", {"catalog-info.yaml": LOCATION, "teams/orders.yaml": TEAM})
    living = catalog(database, forge, "acme/catalog")
    await living.refresh()
    assert living.index.get("group:default/team-orders") is not None
    assert living.index.service("orders") is not None
    assert [str(mistake) for mistake in living.mistakes] == ["github:acme/catalog: `./missing.yaml` does not exist"]


async def test_what_a_location_no_longer_names_is_forgotten(database: Database, forge: FakeForge) -> None:
    await forge.create_repository(NewRepository("acme/catalog", "", True))
    forge.push("acme/catalog", {"catalog-info.yaml": LOCATION, "teams/orders.yaml": TEAM})
    living = catalog(database, forge, "acme/catalog")
    await living.refresh()
    forge.push("acme/catalog", {"catalog-info.yaml": TEAM.replace(b"team-orders", b"team-new")})
    await living.refresh("acme/catalog")
    assert living.index.get("group:default/team-orders") is None
    assert living.index.service("orders") is None
    assert living.index.get("group:default/team-new") is not None


async def test_an_entity_is_read_for_a_template_in_backstages_form(database: Database, forge: FakeForge) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    found = await living.entity("component:default/orders")
    assert found is not None
    assert found["kind"] == "Component"
    assert await living.entity("component:default/nobody") is None


CLIMBER = b"""
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: friends}
spec: {type: team, parent: platform, children: [], members: [author]}
"""


async def test_nobody_joins_a_group_by_pushing_to_a_repository_of_a_pattern(
    database: Database, forge: FakeForge
) -> None:
    await forge.create_repository(NewRepository("acme/catalog", "", True))
    forge.push("acme/catalog", {"catalog-info.yaml": TEAM})
    forge.push("acme/orders", {"catalog-info.yaml": ORDERS + CLIMBER})
    living = catalog(database, forge, "acme/catalog", "acme/*")
    await living.refresh()
    assert living.index.service("orders") is not None
    assert living.index.get("group:default/team-orders") is not None
    assert living.index.get("group:default/friends") is None
    assert len(living.mistakes) == 1
    assert str(living.mistakes[0]).startswith("github:acme/orders: `group:default/friends` is not taken")


async def test_no_golden_path_registers_a_group(database: Database, forge: FakeForge) -> None:
    forge.push("acme/orders", {"catalog-info.yaml": ORDERS + CLIMBER})
    living = catalog(database, forge, "acme/*")
    with pytest.raises(Invalid, match="cannot take"):
        await living.register(PLACE, operation="op_1")
    assert living.index.get("group:default/friends") is None


async def test_what_another_replica_registered_is_taken_up(database: Database, forge: FakeForge) -> None:
    here, there = catalog(database, forge), catalog(database, forge)
    await here.catch_up()
    await there.register(PLACE, operation="op_1")
    assert here.index.service("orders") is None
    await here.catch_up()
    assert here.index.service("orders") is not None
    await there.unregister(PLACE, operation="op_1")
    await here.catch_up()
    assert here.index.service("orders") is None


TAKEN = ORDERS.replace(b"owner: team-orders", b"owner: team-checkout")


async def owner_of_orders(living: Catalog) -> str:
    found = living.index.service("orders")
    assert found is not None
    return str(getattr(found.entity.spec, "owner", ""))


async def test_whoever_declared_an_entity_first_keeps_it(database: Database, forge: FakeForge) -> None:
    """Another repository that declares it too, and is read before, does not become its owner: not now, not after a
    restart, and not in another replica."""
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    await forge.create_repository(NewRepository("acme/aaa", "", True))
    forge.push("acme/aaa", {"catalog-info.yaml": TAKEN})
    await living.refresh("acme/aaa")
    assert await owner_of_orders(living) == "team-orders"
    assert [mistake.path for mistake in living.mistakes] == ["github:acme/aaa"]
    for again in (catalog(database, forge, "acme/*"), catalog(database, forge, "acme/*")):
        await again.load()
        await again.refresh()
        assert await owner_of_orders(again) == "team-orders"
    other = catalog(database, forge, "acme/*")
    await other.catch_up()
    assert await owner_of_orders(other) == "team-orders"


async def test_what_its_holder_gives_up_the_next_one_has(database: Database, forge: FakeForge) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    await forge.create_repository(NewRepository("acme/aaa", "", True))
    forge.push("acme/aaa", {"catalog-info.yaml": TAKEN})
    await living.refresh()
    await forge.delete_repository("acme/orders")
    await living.refresh("acme/orders")
    assert await owner_of_orders(living) == "team-checkout"
    await forge.create_repository(NewRepository("acme/orders", "", True))
    forge.push("acme/orders", {"catalog-info.yaml": ORDERS})
    await living.refresh()
    assert await owner_of_orders(living) == "team-checkout"


async def test_the_word_of_the_platform_team_stands_whoever_came_first(
    database: Database, forge: FakeForge, tmp_path: Path
) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    (tmp_path / "all.yaml").write_bytes(TAKEN)
    again = catalog(database, forge, "acme/*", folders=(tmp_path,))
    await again.load()
    assert await owner_of_orders(again) == "team-checkout"


async def test_of_two_components_of_one_name_the_first_is_the_platforms(database: Database, forge: FakeForge) -> None:
    living = catalog(database, forge, "acme/*")
    await living.refresh()
    await forge.create_repository(NewRepository("acme/aaa", "", True))
    forge.push("acme/aaa", {"catalog-info.yaml": TAKEN.replace(b"{name: orders}", b"{name: orders, namespace: aaa}")})
    await living.refresh("acme/aaa")
    first, second = living.index.service("orders"), living.index.service("component:aaa/orders")
    assert first is not None
    assert second is not None
    assert living.index.namesake(second) == first
    assert living.index.namesake(first) is None
