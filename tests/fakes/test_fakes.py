"""The fakes themselves: shared files and faults do what the kill tests rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Conflict, OutcomeUnknown
from bot.ports import File, NewRepository
from tests.fakes.catalog import FakeCatalog
from tests.fakes.forge import FakeForge

NAME = "acme/orders"


async def test_two_processes_see_one_world_through_a_file(tmp_path: Path) -> None:
    file = tmp_path / "forge.json"
    here, there = FakeForge(file), FakeForge(file)
    await here.create_repository(NewRepository(NAME, "Orders"))
    await there.commit(NAME, "main", [File("a.bin", b"\0\xff")], "One", parent=None)
    assert here.files(NAME) == {"a.bin": b"\0\xff"}
    assert FakeForge(file).world() == here.world()


async def test_the_catalog_too(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    await FakeCatalog(file).register("https://forge.example/x", operation="op_1")
    assert await FakeCatalog(file).registered("https://forge.example/x") == "op_1"
    assert not await FakeCatalog(file).unregister("https://forge.example/x", operation="op_2")
    assert await FakeCatalog(file).unregister("https://forge.example/x", operation="op_1")
    assert FakeCatalog(file).locations == {}


async def test_faults_meet_the_calls_they_name() -> None:
    forge = FakeForge()
    forge.refuse("create_repository", Conflict("No."))
    with pytest.raises(Conflict):
        await forge.create_repository(NewRepository(NAME, ""))
    forge.lose_call_before("create_repository")
    with pytest.raises(OutcomeUnknown):
        await forge.create_repository(NewRepository(NAME, ""))
    assert forge.names == set()
    forge.lose_answer_after("create_repository")
    with pytest.raises(OutcomeUnknown):
        await forge.create_repository(NewRepository(NAME, ""))
    assert forge.names == {NAME}
    assert forge.calls == ["create_repository"] * 3
