"""From a new service to a running one, a broken version, a pin, a fix and production: each step one card."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.scenario.test_service_create import ANSWERS, asked
from tests.scenario.world import Json, World, spoken

NAME = ANSWERS["name"]
STAGING = f"{NAME}-staging"


async def created(here: World) -> Json:
    """Create the service, approve it, and return its card once it runs."""
    operation = await asked(here)
    card = await here.slack.card("team-orders", "awaiting_approval", operation=operation)
    await here.slack.click("approver", "team-orders", card, "approve")
    return await here.slack.card("team-orders", "succeeded", operation=operation)


async def commit(here: World, message: str, **env: str) -> str:
    """Change the variables of the service's platform document; return the commit on main."""
    return await changed(here, message, {"env": env})


async def changed(here: World, message: str, spec: Json, without: Sequence[str] = ()) -> str:
    """Change parts of the platform document's `spec`, and leave others out; return the commit on main."""
    _, there = await here.github("GET", f"/repos/acme/{NAME}/contents/platform.yaml")
    document = yaml.safe_load(base64.b64decode(there["content"]))
    document["spec"] |= spec
    for name in without:
        del document["spec"][name]
    return await written(here, message, yaml.safe_dump(document).encode())


async def written(here: World, message: str, document: bytes) -> str:
    """Write the platform document by a pull request that is merged; return the commit on main."""
    repo, branch = f"/repos/acme/{NAME}", message.lower().replace(" ", "-")
    _, main = await here.github("GET", f"{repo}/git/ref/heads/main")
    await here.github("POST", f"{repo}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main["object"]["sha"]})
    _, there = await here.github("GET", f"{repo}/contents/platform.yaml")
    content = base64.b64encode(document).decode()
    change = {"message": message, "content": content, "sha": there["sha"], "branch": branch}
    status, made = await here.github("PUT", f"{repo}/contents/platform.yaml", change)
    assert status == 200, made
    _, pull = await here.github("POST", f"{repo}/pulls", {"title": message, "head": branch, "base": "main"})
    return await here.merge(f"acme/{NAME}", pull["number"])


async def release(here: World, environment: str = "staging") -> Json:
    path = f"/repos/acme/gitops/contents/apps/{NAME}/{environment}/.causeway/release.yaml"
    status, found = await here.github("GET", path)
    assert status == 200, found
    told: Json = yaml.safe_load(base64.b64decode(found["content"]))
    return told


async def live(here: World, namespace: str = STAGING) -> Json:
    """The Deployment as the cluster has it."""
    return await here.kubernetes("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/{NAME}")


def image_of(deployment: Json) -> str:
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


async def card_of(here: World, command: str, *states: str, **holds: Any) -> Json:
    """Wait for the newest card of a command in one of these states, whose text holds what `told` says."""

    async def look() -> Json | None:
        for message in reversed(await here.slack.messages("team-orders")):
            payload = (message.get("metadata") or {}).get("event_payload", {})
            if payload.get("command") != command or payload.get("state") not in states:
                continue
            if holds.get("told", "") in spoken(message):
                return message
        return None

    message: Json = await here.slack.until(look)
    return message


async def test_a_new_service_runs_and_says_where(here: World) -> None:
    receipt = await created(here)
    assert f"http://{NAME}.staging.acme.example" in str(receipt["blocks"]).replace("https://", "http://")
    deployment = await live(here)
    assert deployment["status"]["availableReplicas"] == deployment["status"]["replicas"] == 2
    told = await release(here)
    assert image_of(deployment) == told["current"]["version"]["image"]
    application = await here.application(STAGING)
    assert (application["status"]["sync"]["status"], application["status"]["health"]["status"]) == ("Synced", "Healthy")
    _, deployments = await here.github("GET", f"/repos/acme/{NAME}/deployments?environment=staging")
    _, statuses = await here.github("GET", f"/repos/acme/{NAME}/deployments/{deployments[0]['id']}/statuses")
    assert statuses[0]["state"] == "success"


async def test_a_broken_version_is_rolled_back_by_a_pin_and_a_fix_lets_it_go(here: World) -> None:
    await created(here)
    good = image_of(await live(here))
    await commit(here, "Break it", PLAYGROUND_POD="crashloop")
    stuck = await card_of(here, "service.deploy", "running", told="Stuck")
    told = spoken(stuck)
    assert "crash" in told.lower()
    await here.slack.click("teammate", "team-orders", stuck, "rollback")
    back = await card_of(here, "service.rollback", "succeeded")
    assert "until a fix of" in spoken(back)
    assert image_of(await live(here)) == good
    assert (await release(here))["pin"]["by"] == "user:default/teammate"
    application = await here.application(STAGING)
    assert (application["status"]["sync"]["status"], application["status"]["health"]["status"]) == ("Synced", "Healthy")

    fix = await commit(here, "Mend it", LOG_LEVEL="info")
    fixed = await card_of(here, "service.deploy", "succeeded", told=fix[:7])
    assert "pin by teammate ends" in spoken(fixed)
    assert "pin" not in await release(here)
    assert image_of(await live(here)).endswith(fix)


async def test_production_asks_somebody_else(here: World) -> None:
    await created(here)
    await here.slack.command("author", f"/service promote {NAME}")
    card = await card_of(here, "service.promote", "awaiting_approval")
    await here.slack.click("author", "team-orders", card, "approve")
    await here.slack.told("author", "You asked for this yourself")
    await here.slack.click("approver", "team-orders", card, "approve")
    done = await card_of(here, "service.promote", "succeeded")
    assert done["ts"] == card["ts"], "one operation, one message"
    assert image_of(await live(here, f"{NAME}-production")) == image_of(await live(here))


async def test_ci_asks_for_a_deploy_over_http_and_two_deploys_queue(here: World) -> None:
    await created(here)
    await here.workflows(NAME, "in_progress")
    first = await commit(here, "One", A="1")
    status, view = await here.api("POST", "/deployments", by="author", body={"service": NAME, "version": first})
    assert status == 202, view
    await card_of(here, "service.deploy", "running", told=first[:7])
    second = await commit(here, "Two", A="2")
    _, queued = await here.api(
        "POST",
        "/deployments?wait_s=5",
        by="teammate",
        body={"service": NAME, "version": second, "environment": "staging"},
    )
    line = await card_of(here, "service.deploy", "planned", told="In line.")
    assert first[:7] in spoken(line)
    assert queued["state"] == "planned"
    await here.workflows(NAME, "success")
    await card_of(here, "service.deploy", "succeeded", told=second[:7])
    assert image_of(await live(here)).endswith(second)


async def test_restart_scale_and_freeze_are_commits(here: World) -> None:
    await created(here)
    before = await live(here)
    await here.slack.command("author", f"/service restart {NAME}")
    await card_of(here, "service.restart", "succeeded")
    await here.slack.command("author", f"/service scale {NAME} 3 for 2h")
    await card_of(here, "service.scale", "succeeded")
    after = await live(here)
    assert (after["spec"]["replicas"], after["status"]["availableReplicas"]) == (3, 3)
    assert after["spec"]["template"]["metadata"] != before["spec"]["template"]["metadata"]
    await here.advance("3h")
    await card_of(here, "service.unscale", "succeeded")
    await here.slack.command("author", f"/service freeze {NAME} because the sale begins")
    await card_of(here, "service.freeze", "succeeded")
    await here.slack.command("author", f"/service restart {NAME}")
    await here.slack.told("author", "the sale begins")


async def test_keeping_a_stuck_deploy_ends_its_card_and_tells_the_forge(here: World) -> None:
    await created(here)
    await here.pods(STAGING, f"app.kubernetes.io/name={NAME}", "imagepull")
    await commit(here, "Next", A="1")
    stuck = await card_of(here, "service.deploy", "running", told="Stuck")
    await here.slack.click("author", "team-orders", stuck, "wait")
    await card_of(here, "service.deploy", "running", told="has seen it and waits")
    await here.slack.click("author", "team-orders", stuck, "keep")
    kept = await card_of(here, "service.deploy", "succeeded", told="Kept as it is, and not followed any more.")
    assert kept["ts"] == stuck["ts"]
    _, deployments = await here.github("GET", f"/repos/acme/{NAME}/deployments?environment=staging")
    _, statuses = await here.github("GET", f"/repos/acme/{NAME}/deployments/{deployments[0]['id']}/statuses")
    assert statuses[0]["state"] == "failure"


async def test_undoing_a_creation_that_runs_leaves_nothing_in_git_or_the_cluster(here: World, tmp_path: Path) -> None:
    receipt = await created(here)
    operation = receipt["metadata"]["event_payload"]["operation"]
    status, answer = await here.api("POST", f"/operations/{operation}/undo", by="author")
    assert (status, answer["accepted"]) == (200, True)
    await here.slack.card("team-orders", "undone", operation=operation)
    assert (await here.github("GET", f"/repos/acme/{NAME}"))[0] == 404
    _, tree = await here.github("GET", "/repos/acme/gitops/git/trees/main?recursive=1")
    assert not [one["path"] for one in tree["tree"] if NAME in one["path"]]
    assert await here.application(STAGING) == {}
    assert await live(here) == {}


async def test_the_cluster_being_away_is_told_and_the_deploy_goes_on_when_it_is_back(here: World) -> None:
    await created(here)
    await here.fail("kubernetes", route="*", times=10_000, status=503)
    await here.fail("argocd", route="*", times=10_000, status=503)
    next_one = await commit(here, "Next", A="1")
    await card_of(here, "service.deploy", "running", told="answered with an error of its own")
    await here.mend("kubernetes", "argocd")
    await card_of(here, "service.deploy", "succeeded", told=next_one[:7])


async def test_two_of_a_team_are_created_at_once(here: World) -> None:
    """Both join the team's Argo CD project: neither may lose the other's place in it."""
    bodies = [{"template": "python-service", **ANSWERS, "name": name} for name in ("one-api", "two-api")]
    asked_for = await asyncio.gather(
        *(here.api("POST", "/requests/service.create?wait_s=60", by="author", body=body) for body in bodies)
    )
    for _, view in asked_for:
        await here.api("POST", f"/operations/{view['id']}/approve", by="approver")
    for _, view in asked_for:
        await here.slack.card("team-orders", "succeeded", operation=view["id"])
    _, found = await here.github("GET", "/repos/acme/gitops/contents/argocd/projects/team-orders.yaml")
    project = yaml.safe_load(base64.b64decode(found["content"]))
    assert {"one-api-staging", "two-api-staging"} <= {one["namespace"] for one in project["spec"]["destinations"]}
