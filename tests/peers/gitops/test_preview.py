"""A preview that is delivered by Git: a real Argo CD makes its namespace, applies all of it, and puts it to sleep."""

from __future__ import annotations

from typing import Any

from tests.peers.gitops.site import ON_SITE, Site
from tests.scenario.test_day_two import card_of
from tests.scenario.test_previews import ENDED, state
from tests.scenario.world import spoken

pytestmark = ON_SITE
NAME, SERVICE = "by-git", "orders-api"
APPLICATION = f"preview-{NAME}"


async def listed(site: Site, api: str, plural: str) -> dict[str, Any]:
    found = await site.call("GET", f"/{api}/namespaces/{NAME}/{plural}")
    return {one["metadata"]["name"]: one for one in found["items"]}


async def test_argo_cd_makes_a_preview_and_puts_it_to_sleep(site: Site) -> None:
    await site.world.slack.command("author", f"/preview up {NAME} {SERVICE}")
    card = await card_of(site.world, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)

    labels = (await site.call("GET", f"/api/v1/namespaces/{NAME}"))["metadata"]["labels"]
    assert labels["causeway.io/preview"] == NAME
    assert labels["causeway.io/secrets"] == "none"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    (quota,) = (await listed(site, "api/v1", "resourcequotas")).values()
    assert quota["spec"]["hard"]["pods"] == "50"
    assert len(await listed(site, "api/v1", "limitranges")) == 1
    (deployment,) = (await listed(site, "apis/apps/v1", "deployments")).values()
    assert deployment["status"]["availableReplicas"] == 1
    found = await site.resources.application(APPLICATION)
    assert found is not None
    assert (found.sync, found.health) == ("Synced", "Healthy")

    await site.world.slack.command("author", f"/preview sleep {NAME}")
    slept = await card_of(site.world, "preview.sleep", *ENDED)
    assert state(slept) == "succeeded", spoken(slept)
    (deployment,) = (await listed(site, "apis/apps/v1", "deployments")).values()
    assert deployment["spec"]["replicas"] == 0
    found = await site.resources.application(APPLICATION)
    assert found is not None
    assert found.sync == "Synced"
