"""Whole plans through the adapter: a service is set up, and GitHub failing at any write leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.effects import (
    CommitFiles,
    CreateRepository,
    CreateWebhook,
    FinishRepository,
    GrantTeam,
    OpenPullRequest,
    ProtectBranch,
    SetVariables,
)
from bot.errors import PlatformError, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Undo
from bot.model.late import Late, OutputRef
from bot.ports import Forge, Ports
from tests.effects.scenes import FIRST, OPERATION, files, run
from tests.fakes.catalog import FakeCatalog
from tests.integrations.github.conftest import Rig

NAME, GITOPS = "acme/parcels", "acme/gitops"
PLAN: tuple[Effect, ...] = (
    CreateRepository(id="create", repository=NAME),
    CommitFiles(
        id="first",
        repository=NAME,
        files=FIRST.files,
        message="First version",
        replaces=Late(parts=(OutputRef(effect="create", output="head"),)),
    ),
    GrantTeam(id="team", repository=NAME, team="team-orders", permission="maintain"),
    SetVariables(id="variables", repository=NAME, variables={"REGION": "eu-1", "TIER": "gold"}),
    CreateWebhook(id="hook", repository=NAME, url="https://bot.example/hook", secret_name="webhook"),
    CommitFiles(id="deploy", repository=GITOPS, files=files(parcels="image: one\n"), message="Deploy parcels"),
    OpenPullRequest(
        id="pr", repository=GITOPS, branch="causeway/parcels", title="Expose parcels", files=files(ingress="on\n")
    ),
    FinishRepository(id="finish", repository=NAME, description="Parcels", topics=("api", "python")),
    ProtectBranch(id="protect", repository=NAME, required_checks=("test",)),
)
FAULTS: Mapping[str, dict[str, Any]] = {
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "half an answer": {"truncate": True},
    "500": {"status": 500},
    "422": {"status": 422},
}


def ports(forge: Forge) -> Ports:
    return Ports(forge=forge, catalog=FakeCatalog())


async def look(forge: Forge) -> dict[str, object]:
    """Return what a person could see; a closed pull request is nothing that GitHub lets go of."""
    world: dict[str, object] = {}
    for repository in await forge.repositories("acme"):
        name = repository.full_name
        activity = await forge.activity(name)
        world[name] = (
            repository,
            {b: (await forge.tree(name, b, contents=False)).sha for b in activity.heads},
            [request.number for request in activity.pull_requests if request.state == "open"],
            await forge.topics(name),
            [hook.url for hook in await forge.webhooks(name)],
        )
    return world


async def go(forge: Forge, operation: str = OPERATION) -> list[tuple[Effect, Outcome | None]]:
    """Apply until the first failure."""
    outputs: dict[str, Mapping[str, JSON]] = {}
    done: list[tuple[Effect, Outcome | None]] = []
    for effect in PLAN:
        bound = effect.bound(outputs)
        try:
            outcome = await bound.apply(ports(forge), run(bound, operation=operation))
        except PlatformError:
            return [*done, (bound, None)]
        outputs[effect.id] = outcome.outputs
        done.append((bound, outcome))
    return done


async def back(forge: Forge, done: Sequence[tuple[Effect, Outcome | None]], operation: str = OPERATION) -> None:
    for effect, outcome in reversed(done):
        for _ in range(3):
            try:
                undone = await effect.undo(ports(forge), run(effect, operation=operation), outcome)
            except UpstreamUnavailable:
                continue
            assert undone.how is not Undo.KEPT, undone.seen
            break
        proof = await effect.gone(ports(forge), run(effect, operation=operation), outcome)
        assert proof.absent, proof.seen


async def test_a_service_is_set_up_and_taken_back(rig: Rig) -> None:
    forge = rig.as_person
    before = await look(forge)
    done = await go(forge)
    assert [effect.id for effect, outcome in done if outcome] == [effect.id for effect in PLAN]
    repository = await forge.repository(NAME)
    assert repository is not None
    assert repository.description == "Parcels"
    assert await forge.topics(NAME) == ("api", "python")
    assert await forge.team_permission(NAME, "team-orders") == "maintain"
    assert await forge.file(NAME, "main", "README.md") == b"# Orders\n"
    assert await forge.file(GITOPS, "main", "parcels.txt") == b"image: one\n"
    assert len(await forge.recent_commits(NAME, "main")) == 1
    await back(forge, done)
    assert await look(forge) == before


async def test_applied_again_after_a_crash_nothing_happens_twice(rig: Rig) -> None:
    forge = rig.as_person
    outputs: dict[str, Mapping[str, JSON]] = {}
    for effect in PLAN:
        bound = effect.bound(outputs)
        first = await bound.apply(ports(forge), run(bound))
        rig.requests.clear()
        again = await bound.apply(ports(forge), run(bound, attempt=2))
        assert (again.outputs, again.made) == (first.outputs, first.made)
        assert {method for method, _, _ in rig.requests} == {"GET"}
        outputs[effect.id] = first.outputs


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failure_at_any_write_leaves_nothing_behind(rig: Rig, fault: str) -> None:
    forge = rig.as_person
    before = await look(forge)
    rig.requests.clear()
    done = await go(forge)
    writes = [number for number, (method, _, _) in enumerate(rig.requests) if method != "GET"]
    await back(forge, done)
    assert len(writes) >= 18
    for number in writes:
        await rig.fault(route="*", skip=number, **FAULTS[fault])
        operation = f"op_{number}"
        done = await go(forge, operation)
        await rig.no_faults()
        # A 422 can mean that a branch moved: then the commit is made again on the new head, and all goes well.
        assert done[-1][1] is None or fault == "422", f"write {number} did not fail"
        await back(forge, done, operation)
        assert await look(forge) == before, f"write {number}"
