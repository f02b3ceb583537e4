from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.effects import RetireApplication
from bot.errors import UpstreamUnavailable
from bot.model.effect import Undo
from bot.ports import NewRepository, Pause, Ports
from tests.effects.scenes import run, world
from tests.fakes.deployments import FakeDeployments, application

RETIRE = RetireApplication(id="retire", application="orders-staging", root="root")


class NoPause:
    """Waiting that is over at once; counts how often somebody waited."""

    def __init__(self) -> None:
        self.pauses = 0

    @contextmanager
    def listening(self, *_keys: str) -> Iterator[Pause]:
        async def pause(seconds: float) -> None:
            assert seconds > 0
            self.pauses += 1

        yield pause


async def ports(deployments: FakeDeployments | None) -> tuple[Ports, NoPause]:
    made, waiting = await world(), NoPause()
    given = made.ports
    return Ports(forge=given.forge, catalog=given.catalog, deployments=deployments, waiting=waiting), waiting


async def test_applying_it_changes_nothing() -> None:
    deployments = FakeDeployments(application("root"))
    given, _ = await ports(deployments)
    await RETIRE.apply(given, run(RETIRE))
    assert deployments.refreshed == []


async def test_undo_waits_until_argo_cd_has_removed_the_application() -> None:
    deployments = FakeDeployments(application("root"), application("orders-staging"))
    looks = 0

    def after_two_looks(_: str) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            deployments.remove("orders-staging")

    deployments.on_refresh = after_two_looks
    given, waiting = await ports(deployments)
    undone = await RETIRE.undo(given, run(RETIRE), None)
    assert (undone.how, undone.seen) == (Undo.UNDONE, "application orders-staging is gone")
    assert (deployments.refreshed, waiting.pauses) == (["root", "root"], 2)
    assert (await RETIRE.gone(given, run(RETIRE), None)).absent


async def test_an_application_that_stays_is_stuck_and_never_called_gone() -> None:
    deployments = FakeDeployments(application("root"), application("orders-staging"))
    given, _ = await ports(deployments)
    with pytest.raises(UpstreamUnavailable, match="has not removed the application orders-staging"):
        await RETIRE.undo(given, run(RETIRE), None)
    assert not (await RETIRE.gone(given, run(RETIRE), None)).absent


async def test_without_argo_cd_there_is_nothing_to_ask() -> None:
    given, _ = await ports(None)
    assert (await RETIRE.undo(given, run(RETIRE), None)).how is Undo.NOTHING


async def test_what_others_have_built_upon_is_neither_waited_for_nor_told_to_be_deleted() -> None:
    deployments = FakeDeployments(application("root"), application("orders-staging"))
    given, waiting = await ports(deployments)
    await given.forge.create_repository(NewRepository("acme/kept", ""))
    head = await given.forge.branch_head("acme/kept", "main")
    assert head is not None
    file = next(iter((await given.forge.tree("acme/kept", head.sha)).files)).path
    retire = RETIRE.model_copy(update={"repository": "acme/kept", "file": file})
    undone = await retire.undo(given, run(retire), None)
    assert (undone.how, undone.command) == (Undo.KEPT, f"git rm {file}")
    assert (deployments.refreshed, waiting.pauses) == ([], 0)
