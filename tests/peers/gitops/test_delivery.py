"""The whole road on real machinery: what people ask for in Slack becomes commits, and a real Argo CD makes it so."""

from __future__ import annotations

import asyncio
import base64
from contextlib import aclosing
from typing import Any

import yaml

from bot.databases.ending import KEEP
from tests.peers.control_plane.rig import NODE
from tests.peers.gitops.site import NAMESPACE, ON_SITE, PATIENCE_S, SERVER, Site
from tests.scenario.test_day_two import NAME, STAGING, card_of, commit, image_of, release
from tests.scenario.test_service_create import asked
from tests.scenario.world import Json, spoken

pytestmark = ON_SITE
DEPLOYMENT = f"/apis/apps/v1/namespaces/{STAGING}/deployments/{NAME}"
INGRESS = f"apps/{NAME}/staging/ingress-{NAME}.yaml"
SERVES = {"Deployment", "Service", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount"}


async def live(site: Site) -> Json:
    found: Json = await site.call("GET", DEPLOYMENT)
    return found


async def test_a_service_that_is_created_runs_in_the_real_cluster(site: Site, receipt: Json) -> None:
    assert f"https://{NAME}.staging.acme.example" in str(receipt["blocks"])
    pods = (await site.call("GET", f"/api/v1/namespaces/{STAGING}/pods"))["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {NODE}
    deployment = await live(site)
    assert deployment["status"]["availableReplicas"] == deployment["spec"]["replicas"]
    assert image_of(deployment) == (await release(site.world))["current"]["version"]["image"]
    namespace = await site.call("GET", f"/api/v1/namespaces/{STAGING}")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    _, deployments = await site.world.github("GET", f"/repos/acme/{NAME}/deployments?environment=staging")
    _, statuses = await site.world.github("GET", f"/repos/acme/{NAME}/deployments/{deployments[-1]['id']}/statuses")
    assert statuses[0]["state"] == "success"


async def test_the_root_makes_the_project_and_a_textbook_application(site: Site, receipt: Json) -> None:
    root = await site.application("root")
    assert {one["kind"] for one in root["status"]["resources"]} == {"Application", "AppProject"}
    found = await site.application(STAGING)
    assert found["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].startswith("root:")
    spec = found["spec"]
    assert spec["project"] == "team-orders"
    assert spec["source"] == {
        "repoURL": site.gitops_url,
        "path": f"apps/{NAME}/staging",
        "targetRevision": "main",
    }
    assert spec["destination"] == {"server": SERVER, "namespace": STAGING}
    assert spec["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert {one["kind"] for one in found["status"]["resources"]} >= SERVES


async def test_scaling_is_synced(site: Site, receipt: Json) -> None:
    await site.world.slack.command("author", f"/service scale {NAME} 4 for 2h")
    await card_of(site.world, "service.scale", "succeeded")
    deployment = await live(site)
    assert (deployment["spec"]["replicas"], deployment["status"]["availableReplicas"]) == (4, 4)


async def test_what_leaves_git_is_pruned(site: Site, receipt: Json) -> None:
    path = f"/apis/networking.k8s.io/v1/namespaces/{STAGING}/ingresses"
    assert len((await site.call("GET", path))["items"]) == 1
    _, before = await site.world.github("GET", f"/repos/acme/gitops/contents/{INGRESS}")
    sha = await site.push({INGRESS: None})
    await site.api.refresh(STAGING)
    await site.settled(STAGING, sha)
    assert (await site.call("GET", path))["items"] == []

    sha = await site.push({INGRESS: base64.b64decode(before["content"]).decode()})
    await site.api.refresh(STAGING)
    await site.settled(STAGING, sha)
    assert len((await site.call("GET", path))["items"]) == 1


async def test_what_is_protected_stays_unmissed_until_its_protection_is_lifted(site: Site, receipt: Json) -> None:
    """The two commits by which a database is deleted, with something smaller."""
    path = f"apps/{NAME}/staging/configmap-precious.yaml"

    async def pushed(annotations: Json | None) -> bool:
        """Push it, or take it out; return whether it is there once Argo CD is at one with Git."""
        metadata = {"name": "precious", "namespace": STAGING, "annotations": annotations}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        sha = await site.push({path: yaml.safe_dump(obj) if annotations is not None else None})
        await site.api.refresh(STAGING)
        await site.settled(STAGING, sha)
        there = (await site.call("GET", f"/api/v1/namespaces/{STAGING}/configmaps"))["items"]
        return "precious" in {one["metadata"]["name"] for one in there}

    assert await pushed(KEEP)
    assert await pushed(None), "Argo CD is Synced without it, and does not prune it"
    assert await pushed({"lifted": "yes"})
    assert not await pushed(None)


async def test_what_is_changed_by_hand_comes_back(site: Site, receipt: Json) -> None:
    image, theirs = image_of(await live(site)), "registry.example/somebody/else:1"
    by_hand = {"spec": {"template": {"spec": {"containers": [{"name": NAME, "image": theirs}]}}}}
    async with asyncio.timeout(PATIENCE_S):
        watching = site.cluster.watch("apps/v1", "Deployment", namespace=STAGING)
        async with aclosing(watching) as changes:  # type: ignore[type-var]
            await site.call("PATCH", DEPLOYMENT, by_hand, kind="application/strategic-merge-patch+json")
            seen: list[str] = []
            async for change in changes:
                deployment: Any = change.object
                seen += [image_of(deployment)] if deployment is not None else []
                if theirs in seen and seen[-1] == image:
                    return
    raise AssertionError(seen)


async def test_a_broken_version_is_explained_and_rolled_back(site: Site, receipt: Json) -> None:
    good = image_of(await live(site))
    await commit(site.world, "Break it", PLAYGROUND_POD="crashloop")
    stuck = await card_of(site.world, "service.deploy", "running", told="Stuck")
    assert "crashes at start (exit code 1, 4 restarts); its last line is `ready`" in spoken(stuck)
    assert image_of(await live(site)) != good
    await site.world.slack.click("teammate", "team-orders", stuck, "rollback")
    await card_of(site.world, "service.rollback", "succeeded")
    assert image_of(await live(site)) == good


async def test_undoing_a_creation_leaves_nothing_of_it_running(site: Site, receipt: Json) -> None:
    here, name = site.world, "brief-api"
    operation = await asked(here, name=name)
    card = await here.slack.card("team-orders", "awaiting_approval", operation=operation)
    await here.slack.click("approver", "team-orders", card, "approve")
    await here.slack.card("team-orders", "succeeded", operation=operation)
    path = f"/apis/apps/v1/namespaces/{name}-staging/deployments"
    assert len((await site.call("GET", path))["items"]) == 1
    await here.api("POST", f"/operations/{operation}/undo", by="author")
    await here.slack.card("team-orders", "undone", operation=operation)
    assert (await site.call("GET", path))["items"] == []
    assert await site.resources.application(f"{name}-staging") is None
    project = await site.call("GET", f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/appprojects/team-orders")
    assert STAGING in {one["namespace"] for one in project["spec"]["destinations"]}
