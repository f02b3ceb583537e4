"""Our two adapters of continuous delivery on a real Argo CD: what they read, follow and ask, and why it is stuck."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio

from bot.errors import NotFound, Refused
from bot.health.diagnosis import why_stuck
from bot.health.reading import read_stuck_facts
from bot.ports import Application, Deployments
from tests.peers.gitops.broken import AUTOMATED, application, project
from tests.peers.gitops.site import ON_SITE, PATIENCE_S, Site, until
from tests.scenario.test_day_two import NAME, STAGING
from tests.scenario.world import Json

pytestmark = ON_SITE
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"level": "info"}}
CRASHING = "apps/x-crashing/deployment.yaml"


def web(pod: str) -> Json:
    """Return a Deployment whose pods crash when they are told `crashloop`."""
    container = {
        "name": "web",
        "image": "registry.example/acme/web:1",
        "env": [{"name": "PLAYGROUND_POD", "value": pod}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


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


async def test_what_is_not_there_is_told(site: Site) -> None:
    for way in ways(site):
        assert await way.application("nobody") is None
    with pytest.raises(NotFound):
        await site.api.refresh("nobody")
    with pytest.raises(NotFound):
        await site.api.sync("nobody")


async def test_a_stream_begins_with_its_first_event(site: Site) -> None:
    """Before that neither the real one nor the playground's sends anything, headers included."""
    simulated = site.world.ready["env"]["CAUSEWAY_ARGOCD_TOKEN"]
    await _begins_with_its_first_event(site.argocd.url, site.argocd.token().get_secret_value(), site.api)
    await _begins_with_its_first_event(site.world.ready["argocd"], simulated, site.simulated)


async def _begins_with_its_first_event(url: str, token: str, api: Deployments) -> None:
    begun: list[str] = []
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}

    async def opened(query: str) -> None:
        async with http.get(f"{url}/api/v1/stream/applications?resourceVersion=0{query}", headers=headers):
            begun.append(query)

    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        quiet = tasks.create_task(opened("&projects=nobody"))
        told = tasks.create_task(opened(""))
        while not told.done():
            await api.refresh("root")
        quiet.cancel()
    assert begun == [""]


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def by_hand(site: Site) -> AsyncIterator[Site]:
    """Applications that nobody syncs by itself, that a window holds back, and that get stuck in one way or another."""
    closed = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    manual: Json = {"syncOptions": ["CreateNamespace=true"]}
    retries = {"limit": 5, "backoff": {"duration": "10m", "maxDuration": "10m"}}
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 99999}]}}
    await site.push(
        {
            "argocd/hand/projects.yaml": project("hand", site),
            "argocd/hand/closed.yaml": project("closed", site, syncWindows=[closed]),
            "argocd/hand/manual.yaml": application("x-manual", site, project="hand", syncPolicy=manual),
            "argocd/hand/window.yaml": application("x-window", site, project="closed"),
            "argocd/hand/nowhere.yaml": application("x-nowhere", site, project="hand"),
            "argocd/hand/retrying.yaml": application(
                "x-retrying", site, project="hand", syncPolicy={**AUTOMATED, "retry": retries}
            ),
            "argocd/hand/crashing.yaml": application("x-crashing", site, project="hand"),
            "apps/x-retrying/service.yaml": wrong,
            CRASHING: web("crashloop"),
            "apps/x-manual/settings.yaml": CONFIG,
            "apps/x-window/settings.yaml": CONFIG,
        }
    )
    await site.api.refresh("root")
    yield site


async def test_a_sync_by_hand_is_done(by_hand: Site) -> None:
    await until(by_hand.resources, "x-manual", lambda one: one.sync == "OutOfSync")
    await by_hand.api.sync("x-manual")
    found = await until(by_hand.resources, "x-manual", lambda one: _is_synced(one, "Healthy"))
    assert not found.automated


def _is_synced(found: Application, health: str, revision: str = "") -> bool:
    """Say whether a sync has succeeded, and what was synced has come to be so. Argo CD writes these one by one."""
    operation = found.operation
    if operation is None or (operation.phase, operation.revision) != ("Succeeded", found.revision):
        return False
    return (found.sync, found.health) == ("Synced", health) and revision in ("", found.revision)


async def test_a_closed_window_holds_it_back_and_is_named(by_hand: Site) -> None:
    await until(by_hand.resources, "x-window", lambda one: one.sync == "OutOfSync")
    told = [await way.windows("x-window") for way in ways(by_hand)]
    assert told[0] == told[1]
    assert (told[0].may_sync, told[0].may_sync_by_hand) == (False, False)
    with pytest.raises(Refused, match=r"deny \* \* \* \* \* for 1h"):
        await by_hand.api.sync("x-window")


async def test_a_rollout_is_followed_until_it_is_healthy(by_hand: Site) -> None:
    for way in ways(by_hand):
        found = await until(way, "x-crashing", lambda one: _is_synced(one, "Progressing"))
        assert found.images == ("registry.example/acme/web:1",)
    before = found.history
    sha = await by_hand.push({CRASHING: web("")})
    following = [
        asyncio.create_task(until(way, "x-crashing", lambda one: _is_synced(one, "Healthy", sha)))
        for way in ways(by_hand)
    ]
    await by_hand.api.refresh("x-crashing")
    for found in await asyncio.gather(*following):
        assert [one.revision for one in found.history] == [*(one.revision for one in before), sha]


async def test_a_sync_that_is_tried_again_is_the_reason(by_hand: Site) -> None:
    for way in ways(by_hand):
        found = await until(way, "x-retrying", _tries_again)
        told = await reason(by_hand, found)
        assert re.match(r"x in retrying is not updated: Argo CD could not apply \w{7}\b.*99999", told), told


def _tries_again(found: Application) -> bool:
    return found.operation is not None and "Retrying attempt #1" in found.operation.message


async def test_a_folder_that_does_not_exist_is_the_reason(by_hand: Site) -> None:
    found = await until(by_hand.resources, "x-nowhere", lambda one: bool(one.conditions))
    assert await by_hand.api.application("x-nowhere") == found
    assert await reason(by_hand, found) == (
        "x in nowhere is not updated: the folder apps/x-nowhere does not exist in the GitOps repository."
    )


async def reason(site: Site, found: Application) -> str:
    """Return why an application `x-ENVIRONMENT` is stuck, as a card would say it."""
    environment = found.name.removeprefix("x-")
    facts = await read_stuck_facts(
        site.cluster, service="x", environment=environment, namespace=found.namespace, application=found
    )
    told = why_stuck(facts)
    assert told is not None
    return told.sentence
