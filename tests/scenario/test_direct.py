"""Delivery straight to a cluster: what is there afterwards, whose fields are respected, and how it is taken back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scenario.test_day_two import NAME, STAGING, card_of, changed, commit, created, image_of, live
from tests.scenario.test_service_create import ANSWERS
from tests.scenario.world import Json, World, spoken, world

COMPONENTS = Path(__file__).parent.parent.parent / "manifests" / "install" / "components"
EVERYWHERE = ("direct-delivery/rbac.yaml", "direct-delivery-anywhere/rbac.yaml")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
INVENTORY = f"{NAME}.staging"
LISTS = {
    "v1": ("configmaps", "services", "serviceaccounts"),
    "apps/v1": ("deployments",),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "monitoring.coreos.com/v1": ("prometheusrules", "servicemonitors"),
    "networking.k8s.io/v1": ("ingresses", "networkpolicies"),
    "policy/v1": ("poddisruptionbudgets",),
}
DEPLOYMENT = f"/apis/apps/v1/namespaces/{STAGING}/deployments/{NAME}"


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[World]:
    """Staging is delivered directly, and nobody has granted the rights for it."""
    config = tmp_path / "given.yaml"
    config.write_text(json.dumps({"platform": {"environments": {"staging": {"delivery": "direct"}}}}))
    async with world(tmp_path / "playground", config=config) as found:
        await withdraw(found, *EVERYWHERE)
        yield found


@pytest.fixture
async def there(bare: World) -> World:
    """The same with the components of the install manifests."""
    await grant(bare, *EVERYWHERE)
    return bare


async def grant(here: World, *files: str) -> None:
    for file in files:
        for obj in yaml.safe_load_all((COMPONENTS / file).read_text()):
            await here.administer("POST", f"{RBAC}/{obj['kind'].lower()}s", obj)


async def withdraw(here: World, *files: str) -> None:
    for file in files:
        for obj in yaml.safe_load_all((COMPONENTS / file).read_text()):
            await here.kubernetes("DELETE", f"{RBAC}/{obj['kind'].lower()}s/{obj['metadata']['name']}")


async def delivered(here: World) -> dict[str, Json]:
    """Return what carries the delivery's label, by kind and name, without what the cluster itself writes."""
    found: dict[str, Json] = {}
    for version, plurals in LISTS.items():
        for plural in plurals:
            group = f"apis/{version}" if "/" in version else f"api/{version}"
            label = f"labelSelector=causeway.io/inventory%3D{INVENTORY}"
            listed = await here.kubernetes("GET", f"/{group}/namespaces/{STAGING}/{plural}?{label}")
            found |= {f"{plural}/{one['metadata']['name']}": one for one in listed.get("items", [])}
    return found


def asked_for(objects: dict[str, Json]) -> dict[str, Any]:
    """Return what people asked for, without what moves by itself."""
    told = {name: one.get("spec") or dict(one.get("data", {})) for name, one in objects.items()}
    release = told[f"configmaps/causeway-release-{NAME}"]
    release["release.yaml"] = yaml.safe_load(release["release.yaml"])
    return told


def marks(objects: dict[str, Json]) -> set[str]:
    """Return the operations that the objects name."""
    return {one["metadata"].get("annotations", {}).get("causeway.io/operation", "") for one in objects.values()}


async def applies(here: World, after: int = 0) -> list[tuple[str, bool]]:
    """Return what the bot applied in the namespace since then: each path, and whether it was a dry run."""
    async with here.http.get(f"{here.ready['kubernetes']}/sim/log?since={after}") as response:
        lines = [line for line in await response.json() if line["method"] == "PATCH" and f"/{STAGING}/" in line["path"]]
    return [(line["path"], "dryRun=All" in line["query"]) for line in lines if "causeway:causeway" in line["user"]]


async def newest_line(here: World) -> int:
    async with here.http.get(f"{here.ready['kubernetes']}/sim/log") as response:
        number: int = (await response.json())[-1]["number"]
        return number


async def github_state(here: World) -> str:
    """Return how GitHub tells of the newest deployment to staging."""
    _, deployments = await here.github("GET", f"/repos/acme/{NAME}/deployments?environment=staging")
    _, statuses = await here.github("GET", f"/repos/acme/{NAME}/deployments/{deployments[0]['id']}/statuses")
    state: str = statuses[0]["state"]
    return state


async def set_by(here: World, manager: str, image: str) -> None:
    """Let somebody set the image by hand."""
    containers = [{"name": NAME, "image": image}]
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    await here.administer("PATCH", f"{DEPLOYMENT}?fieldManager={manager}&force=true", body)


# --- what a deploy brings, and what it takes away


async def test_a_deploy_is_tried_as_a_whole_before_anything_is_applied(there: World) -> None:
    await created(there)
    done = await applies(there)
    half = len(done) // 2
    assert done == [(path, True) for path, _ in done[:half]] + [(path, False) for path, _ in done[:half]]
    assert {f"{path.split('/')[-2]}/{path.split('/')[-1]}" for path, _ in done} == set(await delivered(there))
    release = (await delivered(there))[f"configmaps/causeway-release-{NAME}"]
    told = yaml.safe_load(release["data"]["release.yaml"])
    assert image_of(await live(there)) == told["current"]["version"]["image"]
    assert await github_state(there) == "success"
    namespace = await there.kubernetes("GET", f"/api/v1/namespaces/{STAGING}")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert await there.application(STAGING) == {}


async def test_what_a_document_no_longer_asks_for_goes_and_what_others_made_stays(there: World) -> None:
    await created(there)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"kept": "yes"}}
    await there.administer("POST", f"/api/v1/namespaces/{STAGING}/configmaps", theirs)
    before = await delivered(there)
    lone = await changed(there, "Run alone", {"replicas": 1})
    receipt = await card_of(there, "service.deploy", "succeeded", told=lone[:7])
    gone = {f"horizontalpodautoscalers/{NAME}", f"poddisruptionbudgets/{NAME}"}
    assert set(before) - set(await delivered(there)) == gone
    assert f"removed HorizontalPodAutoscaler {NAME}" in spoken(receipt)
    assert (await live(there))["spec"]["replicas"] == 1
    kept = await there.kubernetes("GET", f"/api/v1/namespaces/{STAGING}/configmaps/theirs")
    assert kept["data"] == {"kept": "yes"}


# --- whose fields are whose


async def test_a_conflict_names_who_owns_the_field_and_nothing_is_half_applied(there: World) -> None:
    await created(there)
    await set_by(there, "kubectl-set", "ghcr.io/acme/hotfix:1")
    before, line = await delivered(there), await newest_line(there)
    refused = await commit(there, "Next", A="1")
    card = await card_of(there, "service.deploy", "undone", told=refused[:7])
    told = spoken(card)
    assert "`kubectl-set` owns .spec.template.spec.containers" in told
    assert "--force-conflicts --field-manager=causeway" in told
    assert "Nothing is left behind" in told
    assert await delivered(there) == before, "not even a mark was written"
    assert all(tried for _, tried in await applies(there, line))
    assert await github_state(there) == "inactive"


async def test_a_host_that_the_cluster_serves_already_is_refused_before_anything_is_done(there: World) -> None:
    rule = {"host": f"{NAME}.staging.acme.example"}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "old-shop", "namespace": "default"},
        "spec": {"ingressClassName": "nginx", "rules": [rule]},
    }
    await there.administer("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    ingress["metadata"] = {"name": "old-shop", "namespace": "shop"}
    await there.administer("POST", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses", ingress)
    assert "The host payload-api.staging.acme.example belongs to the Ingress old-shop in shop already." in (
        await refusal(there)
    )


async def refusal(here: World) -> str:
    """Ask for the service, and return what is said in the place of a card."""
    assert (await here.slack.command("author", "/service create python-service"))["status"] == 200
    view = await here.slack.opened("author", "service.create")
    await here.slack.submit("author", view, ANSWERS)
    told = spoken(await here.slack.told("author", "Open the form again"))
    assert not [one for one in await here.slack.messages("team-orders") if one.get("metadata")], "no card, no plan"
    assert (await here.github("GET", f"/repos/acme/{NAME}"))[0] == 404
    return told


# --- taking it back


async def test_undoing_a_stuck_deploy_puts_back_what_ran(there: World) -> None:
    await created(there)
    before = await delivered(there)
    broken = await commit(there, "Break it", PLAYGROUND_POD="crashloop")
    stuck = await card_of(there, "service.deploy", "running", told="Stuck")
    assert image_of(await live(there)).endswith(broken)
    operation = stuck["metadata"]["event_payload"]["operation"]
    status, answer = await there.api("POST", f"/operations/{operation}/undo", by="author")
    assert (status, answer["accepted"]) == (200, True)
    undone = await there.slack.card("team-orders", "undone", operation=operation)
    assert undone["ts"] == stuck["ts"]
    after = await delivered(there)
    assert asked_for(after) == asked_for(before)
    assert operation not in marks(after)
    assert await github_state(there) == "inactive"


async def test_a_refusal_in_the_middle_takes_back_what_was_applied_before_it(there: World) -> None:
    await created(there)
    before = await delivered(there)
    await there.fail("kubernetes", route=f"PATCH {DEPLOYMENT}", times=1, skip=1, status=403)  # the dry run passes
    refused = await commit(there, "Next", A="1")
    card = await card_of(there, "service.deploy", "undone", told=refused[:7])
    assert "Nothing is left behind" in spoken(card)
    after = await delivered(there)
    assert asked_for(after) == asked_for(before)
    assert card["metadata"]["event_payload"]["operation"] not in marks(after)


async def test_undoing_the_first_deploy_leaves_no_namespace(there: World) -> None:
    receipt = await created(there)
    operation = receipt["metadata"]["event_payload"]["operation"]
    await there.api("POST", f"/operations/{operation}/undo", by="author")
    await there.slack.card("team-orders", "undone", operation=operation)
    assert await there.kubernetes("GET", f"/api/v1/namespaces/{STAGING}") == {}
    assert (await there.github("GET", f"/repos/acme/{NAME}"))[0] == 404


# --- a cluster that forbids


async def test_without_the_rights_one_sentence_comes_before_anything_is_done(bare: World) -> None:
    told = await refusal(bare)
    assert f"The cluster `main` has no namespace `{STAGING}`, and does not let Causeway make one." in told
    assert "manifests/install/components/direct-delivery" in told
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STAGING}}
    await bare.administer("POST", "/api/v1/namespaces", namespace)
    status, answer = await asked_of(bare)
    assert status == 403
    assert f"does not let Causeway write anything in the namespace `{STAGING}`" in answer["error"]


async def test_the_rights_of_one_namespace_are_enough_where_it_is_there(bare: World) -> None:
    await bare.administer("POST", "/api/v1/namespaces", {"metadata": {"name": STAGING}})
    await grant(bare, "direct-delivery/rbac.yaml")
    (binding,) = yaml.safe_load_all((COMPONENTS / "direct-delivery/namespace/role-binding.yaml").read_text())
    await bare.administer("POST", f"{RBAC}/namespaces/{STAGING}/rolebindings", binding)
    await created(bare)
    assert (await live(bare))["status"]["availableReplicas"] == 2


async def asked_of(here: World) -> tuple[int, Json]:
    return await here.api(
        "POST", "/requests/service.create?dry_run=true", by="author", body={"template": "python-service", **ANSWERS}
    )


# --- day two


async def test_scaling_takes_the_place_of_the_autoscaler_and_gives_it_back(there: World) -> None:
    await created(there)
    await there.slack.command("author", f"/service scale {NAME} 3 for 2h")
    await card_of(there, "service.scale", "succeeded")
    assert (await live(there))["spec"]["replicas"] == 3
    await there.advance("3h")
    await card_of(there, "service.unscale", "succeeded")
    assert f"horizontalpodautoscalers/{NAME}" in await delivered(there)


async def test_rolling_back_and_promoting_into_a_gitops_environment_need_nothing_else(there: World) -> None:
    await created(there)
    first = image_of(await live(there))
    broken = await commit(there, "Break it", PLAYGROUND_POD="crashloop")
    stuck = await card_of(there, "service.deploy", "running", told="Stuck")
    await there.slack.click("teammate", "team-orders", stuck, "rollback")
    back = await card_of(there, "service.rollback", "succeeded")
    assert f"until a fix of {broken[:7]}" in spoken(back)
    assert image_of(await live(there)) == first
    await there.slack.command("author", f"/service promote {NAME}")
    card = await card_of(there, "service.promote", "awaiting_approval")
    await there.slack.click("approver", "team-orders", card, "approve")
    await card_of(there, "service.promote", "succeeded")
    assert image_of(await live(there, f"{NAME}-production")) == first
