"""The ledger's heads in a Git file: appended once each, on top of whatever was pushed meanwhile."""

from __future__ import annotations

import pytest

from bot.errors import Conflict, NotFound
from bot.operations.seal import Head
from bot.ports import NewRepository
from bot.publishing import GitPublisher
from tests.fakes.forge import FakeForge

PATH = "ledger-heads.jsonl"


def head(number: int) -> Head:
    return Head(number=number, hash=f"{number:064x}", at="2026-01-05T09:00:00+00:00", key="k", signature="s")


@pytest.fixture
async def forge() -> FakeForge:
    forge = FakeForge()
    await forge.create_repository(NewRepository("acme/ledger", "", True))
    return forge


async def test_heads_are_appended_and_read_back(forge: FakeForge) -> None:
    publisher = GitPublisher(forge, "acme/ledger", PATH)
    for number in (3, 7):
        await publisher.publish(head(number))
    assert await publisher.heads() == (head(3), head(7))


async def test_publishing_again_changes_nothing(forge: FakeForge) -> None:
    publisher = GitPublisher(forge, "acme/ledger", PATH)
    await publisher.publish(head(3))
    before = await forge.branch_head("acme/ledger", "main")
    await publisher.publish(head(3))
    assert await forge.branch_head("acme/ledger", "main") == before


async def test_a_branch_that_moved_is_built_upon(forge: FakeForge) -> None:
    publisher = GitPublisher(forge, "acme/ledger", PATH)
    forge.refuse("commit", Conflict("The branch has moved."), times=2)
    await publisher.publish(head(3))
    assert await publisher.heads() == (head(3),)


async def test_a_missing_repository_is_told_so_that_it_is_tried_again(forge: FakeForge) -> None:
    with pytest.raises(NotFound, match="no repository acme/other"):
        await GitPublisher(forge, "acme/other", PATH).publish(head(3))
