"""Our two adapters of continuous delivery on a real Argo CD: what they read, follow and ask, and why it is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot.errors import NotFound, Refused
from bot.health.diagnosis import why_stuck
from bot.health.reading import read_stuck_facts
from bot.ports import Application, Deployments
from tests.peers.gitops.broken import application, project
from tests.peers.gitops.site import ON_SITE, PATIENCE_S, Site, until
from tests.scenario.test_day_two import NAME, STAGING, card_of
from tests.scenario.world import Json

pytestmark = ON_SITE
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"level": "info"}}


def ways(site: Site) -> list[Deployments]:
    return [site.resources, site.api]


async def test_both_read_the_same_of_the_real_one(site: Site, receipt: Json) -> None:
    sha = (await site.world.github("GET", "/repos/acme/gitops/git/ref/heads/main"))[1]["object"]["sha"]
    await site.api.refresh(STAGING)
    by_resource = await site.settled(STAGING, sha)
    by_api = await site.api.application(STAGING)
    assert by_api is not None
    assert {one.health for one in by_resource.resources} == {None}  # Argo CD 3 keeps that to its API
    health = {one.ref.kind: one.health for one in by_api.resources}
    assert {health[kind] for kind in ("Deployment", "Service", "Ingress", "PodDisruptionBudget")} == {"Healthy"}
    assert health["NetworkPolicy"] is None
    resources = tuple(replace(one, health=None, message="") for one in by_api.resources)
    assert replace(by_api, resources=resources) == by_resource
    assert (by_resource.project, by_resource.automated, by_resource.revision) == ("team-orders", True, sha)
    assert [one.name for one in await site.api.applications(labels={"causeway.io/service": NAME})] == [STAGING]
    assert [one.name for one in await site.resources.applications(labels={"causeway.io/service": NAME})] == [STAGING]


async def test_a_restart_is_seen_from_its_commit_to_the_end(site: Site, receipt: Json) -> None:
    """By two followers at once, each by its own way."""
    before = await site.resources.application(STAGING)
    assert before is not None
    seen = [asyncio.create_task(followed(way, before.revision)) for way in ways(site)]
    await site.world.slack.command("author", f"/service restart {NAME}")
    await card_of(site.world, "service.restart", "succeeded")
    for told in await asyncio.gather(*seen):
        phases = [one.operation.phase for one in told if one.operation and one.operation.revision != before.revision]
        assert (phases[0], phases[-1]) == ("Running", "Succeeded")
        assert "Progressing" in {one.health for one in told}
        assert len(told[-1].history) == min(len(before.history) + 1, 10)


async def followed(way: Deployments, since: str) -> list[Application]:
    """Return everything that is told, up to where another revision than `since` is synced and healthy."""
    told: list[Application] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(way.follow(STAGING)) as following:  # type: ignore[type-var]
        async for news in following:
            assert news.application is not None, news
            told.append(news.application)
            if (told[-1].sync, told[-1].health) == ("Synced", "Healthy") and told[-1].revision != since:
                break
    return told


async def test_what_is_not_there_is_told(site: Site) -> None:
    for way in ways(site):
        assert await way.application("nobody") is None
    with pytest.raises(NotFound):
        await site.api.refresh("nobody")
    with pytest.raises(NotFound):
        await site.api.sync("nobody")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def by_hand(site: Site) -> AsyncIterator[Site]:
    """An application that nobody syncs by itself, one in a closed window, and one whose folder does not exist."""
    closed = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    manual: Json = {"syncOptions": ["CreateNamespace=true"]}
    await site.push(
        {
            "argocd/hand/projects.yaml": project("hand", site),
            "argocd/hand/closed.yaml": project("closed", site, syncWindows=[closed]),
            "argocd/hand/manual.yaml": application("x-manual", site, project="hand", syncPolicy=manual),
            "argocd/hand/window.yaml": application("x-window", site, project="closed"),
            "argocd/hand/nowhere.yaml": application("x-nowhere", site, project="hand"),
            "apps/x-manual/settings.yaml": CONFIG,
            "apps/x-window/settings.yaml": CONFIG,
        }
    )
    await site.api.refresh("root")
    yield site


async def test_a_sync_by_hand_is_done(by_hand: Site) -> None:
    await until(by_hand.resources, "x-manual", lambda one: one.sync == "OutOfSync")
    await by_hand.api.sync("x-manual")
    found = await until(by_hand.resources, "x-manual", lambda one: (one.sync, one.health) == ("Synced", "Healthy"))
    assert found.operation is not None
    assert (found.operation.phase, found.automated) == ("Succeeded", False)


async def test_a_closed_window_holds_it_back_and_is_named(by_hand: Site) -> None:
    await until(by_hand.resources, "x-window", lambda one: one.sync == "OutOfSync")
    told = [await way.windows("x-window") for way in ways(by_hand)]
    assert told[0] == told[1]
    assert (told[0].may_sync, told[0].may_sync_by_hand) == (False, False)
    with pytest.raises(Refused, match=r"deny \* \* \* \* \* for 1h"):
        await by_hand.api.sync("x-window")


async def test_a_folder_that_does_not_exist_is_the_reason(by_hand: Site) -> None:
    found = await until(by_hand.resources, "x-nowhere", lambda one: bool(one.conditions))
    assert await by_hand.api.application("x-nowhere") == found
    facts = await read_stuck_facts(
        by_hand.cluster, service="x", environment="nowhere", namespace="x-nowhere", application=found
    )
    reason: Any = why_stuck(facts)
    assert reason.sentence == (
        "x in nowhere is not updated: the folder apps/x-nowhere does not exist in the GitOps repository."
    )
