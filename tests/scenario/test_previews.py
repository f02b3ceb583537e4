"""The life of a preview: made, extended, asked about, put to sleep, woken, and gone with a receipt that is true."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from bot.settings import load
from bot.terminal.serve import running
from tests.scenario.test_day_two import card_of
from tests.scenario.world import Json, World, peers, spoken, world

SERVICE = "orders-api"
NAME = "new-checkout"
HOST = f"{SERVICE}.{NAME}.preview.acme.example"
ENDED = ("succeeded", "failed", "undone", "rejected")
LISTS = (
    ("api/v1", "services"),
    ("api/v1", "configmaps"),
    ("apis/apps/v1", "deployments"),
    ("apis/networking.k8s.io/v1", "ingresses"),
)


async def up(here: World, words: str = f"{NAME} {SERVICE}", user: str = "author") -> Json:
    """Ask for a preview in words, and return its card once it stands."""
    await here.slack.command(user, f"/preview up {words}")
    card = await card_of(here, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)
    return card


def state(card: Json) -> str:
    told: str = card["metadata"]["event_payload"]["state"]
    return told


def buttons(card: Json) -> set[str]:
    found = [block for block in card["blocks"] if block["type"] == "actions"]
    return {one["action_id"] for block in found for one in block["elements"]}


async def shown(here: World, name: str = NAME) -> Json:
    status, told = await here.api("POST", "/requests/preview.show", by="author", body={"name": name})
    assert status == 200, told
    data: Json = told["data"]
    return data


async def deployment(here: World, name: str = NAME) -> Json:
    return await here.kubernetes("GET", f"/apis/apps/v1/namespaces/{name}/deployments/{SERVICE}")


async def left(here: World, name: str = NAME) -> dict[str, Any]:
    """Return everything in the cluster that still belongs to the preview."""
    found: dict[str, Any] = {"namespace": await here.kubernetes("GET", f"/api/v1/namespaces/{name}")}
    for group, plural in LISTS:
        listed = await here.kubernetes("GET", f"/{group}/{plural}?labelSelector=causeway.io/environment%3D{name}")
        found[plural] = [one["metadata"]["name"] for one in listed["items"]]
    return {key: value for key, value in found.items() if value}


async def cards(here: World, command: str) -> list[Json]:
    """Return every card of a command, oldest first."""
    messages = await here.slack.messages("team-orders")
    payloads = [((one.get("metadata") or {}).get("event_payload", {}), one) for one in messages]
    return [one for payload, one in payloads if payload.get("command") == command]


async def another(here: World, command: str, count: int) -> Json:
    """Wait until so many operations of a command have ended; return the card of the last."""

    async def look() -> Json | None:
        done = [one for one in await cards(here, command) if state(one) in ENDED]
        return done[-1] if len(done) == count else None

    found: Json = await here.slack.until(look)
    return found


# --- made


async def test_a_preview_stands_and_says_where(here: World) -> None:
    card = await up(here)
    assert f"{SERVICE}.{NAME}.preview.acme.example" in str(card["blocks"])
    assert {"extend", "sleep", "delete"} <= buttons(card)
    assert (await deployment(here))["status"]["availableReplicas"] == 1
    namespace = await here.kubernetes("GET", f"/api/v1/namespaces/{NAME}")
    labels = namespace["metadata"]["labels"]
    assert (labels["causeway.io/preview"], labels["causeway.io/team"]) == (NAME, "team-orders")
    told = await shown(here)
    assert [(one["name"], one["ready"]) for one in told["services"]] == [(SERVICE, 1)]
    await here.slack.command("author", "/preview list")
    assert NAME in spoken(await here.slack.told("author", "1 preview of team-orders"))


async def test_a_preview_by_its_form(here: World) -> None:
    await here.slack.command("author", "/preview up")
    view = await here.slack.opened("author", "preview.up")
    await here.slack.submit("author", view, {"services": SERVICE, "name": NAME, "ttl": "1d"})
    card = await card_of(here, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)
    assert (await shown(here))["services"][0]["url"].endswith(f"{SERVICE}.{NAME}.preview.acme.example")


async def test_two_requests_for_one_name_at_once_make_one_preview(here: World) -> None:
    body = {"name": NAME, "services": [SERVICE]}
    asked = [here.api("POST", "/requests/preview.up?wait_s=30", by=who, body=body) for who in ("author", "teammate")]
    views = [view for _, view in await asyncio.gather(*asked)]
    assert sorted(view["state"] for view in views) == ["failed", "succeeded"]
    refused = next(view for view in views if view["state"] == "failed")
    assert f"There is a preview `{NAME}` already" in refused["problem"]
    assert (await deployment(here))["status"]["availableReplicas"] == 1


# --- its end


async def test_the_end_is_negotiated_and_the_receipt_is_true(here: World) -> None:
    await up(here, f"{NAME} {SERVICE} for 1d")
    await here.use(HOST, per_hour=60)
    await here.slack.command("author", f"/preview extend {NAME} by 2d")
    await card_of(here, "preview.extend", "succeeded")
    before = (await deployment(here))["metadata"]["generation"]
    await here.advance("61h")
    question = await card_of(here, "preview.remind", "succeeded")
    assert "<@U0AUTHOR01>" in spoken(question)
    assert {"extend", "sleep", "delete"} <= buttons(question)
    await here.advance("1h")
    await here.slack.click("author", "team-orders", question, "extend")
    extended = await another(here, "preview.extend", 2)
    assert len(await cards(here, "preview.remind")) == 1
    assert (await deployment(here))["metadata"]["generation"] == before, "nothing was started anew"
    assert state(extended) == "succeeded"
    await here.slack.command("author", f"/preview extend {NAME} by 30d")
    assert "24d at most" in spoken(await here.slack.told("author", "It can be extended by"))
    await here.advance("90h")
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    told = spoken(receipt)
    assert "which has ended" in told
    assert f"gone: {SERVICE}.{NAME}.preview.acme.example" in told
    assert await left(here) == {}
    await here.slack.command("author", f"/preview show {NAME}")
    await here.slack.told("author", f"There is no preview `{NAME}`")


async def test_the_owner_decides_on_the_card_that_it_goes_now(here: World) -> None:
    await up(here)
    await here.advance("61h")
    question = await card_of(here, "preview.remind", "succeeded")
    await here.slack.click("author", "team-orders", question, "delete")
    assert state(await card_of(here, "preview.down", *ENDED)) == "succeeded"
    assert await left(here) == {}


async def test_somebody_of_another_team_changes_nothing(here: World) -> None:
    await up(here)
    await here.slack.command("stranger", f"/preview down {NAME}", channel="platform")
    told = spoken(await here.slack.told("stranger", "Only members of team-orders", channel="platform"))
    assert "/preview down" in told
    assert (await deployment(here))["status"]["availableReplicas"] == 1


async def test_a_bot_that_was_away_at_the_end_loses_no_teardown(tmp_path: Path) -> None:
    async with peers(tmp_path / "playground") as found:
        async with running(load(found.ready["env"])):
            await up(found)
        await found.advance("80h")
        assert (await deployment(found))["status"]["availableReplicas"] == 1
        async with running(load(found.ready["env"])):
            receipt = await card_of(found, "preview.down", *ENDED)
            assert state(receipt) == "succeeded", spoken(receipt)
            assert await left(found) == {}
            assert await cards(found, "preview.remind") == [], "what is over is not asked about"


async def test_a_cluster_that_is_lost_during_the_teardown_is_waited_for(here: World) -> None:
    await up(here)
    await here.fail("kubernetes", route=f"DELETE /api/v1/namespaces/{NAME}", times=1, status=503)
    await here.fail("kubernetes", route=f"GET /api/v1/namespaces/{NAME}", times=10_000, skip=2, status=503)
    await here.slack.command("author", f"/preview down {NAME}")
    await card_of(here, "preview.down", "running", told="answered with an error of its own")
    await here.mend("kubernetes")
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    assert await left(here) == {}


async def test_what_is_still_being_made_is_taken_back_by_its_end(here: World) -> None:
    """Though its build would never end: nobody waits for what is about to be deleted."""
    await here.workflows(SERVICE, "in_progress")
    commit = await pushed(here)
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}@{commit}")
    await card_of(here, "preview.up", "running", told="is running")
    await here.slack.command("author", f"/preview down {NAME}")
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    assert state((await cards(here, "preview.up"))[-1]) == "undone"
    assert await left(here) == {}


async def pushed(here: World) -> str:
    """Push a commit to a branch of the service; return it."""
    repo = f"/repos/acme/{SERVICE}"
    _, main = await here.github("GET", f"{repo}/git/ref/heads/main")
    await here.github("POST", f"{repo}/git/refs", {"ref": "refs/heads/next", "sha": main["object"]["sha"]})
    body = {"message": "Next", "content": "bmV4dA==", "branch": "next"}
    status, made = await here.github("PUT", f"{repo}/contents/next.txt", body)
    assert status == 201, made
    commit: str = made["commit"]["sha"]
    return commit


# --- what goes wrong while it is made


async def test_an_image_that_is_never_built_is_told_and_can_be_undone_to_nothing(here: World) -> None:
    await here.workflows(SERVICE, "failure")
    commit = await pushed(here)
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}@{commit}")
    stuck = await card_of(here, "preview.up", "running", told="Stuck")
    assert "push a fix" in spoken(stuck)
    assert {"wait", "keep", "undo"} <= buttons(stuck)
    await here.slack.click("author", "team-orders", stuck, "undo")
    undone = await card_of(here, "preview.up", "undone", "failed")
    assert state(undone) == "undone", spoken(undone)
    assert await left(here) == {}


async def test_a_push_that_mends_the_build_does_not_wait_for_the_broken_one(here: World) -> None:
    await here.workflows(SERVICE, "failure")
    await pushed(here)
    repo = f"/repos/acme/{SERVICE}"
    _, pull = await here.github("POST", f"{repo}/pulls", {"title": "Next", "head": "next", "base": "main"})
    body = {"name": NAME, "pull_request": f"acme/{SERVICE}#{pull['number']}"}
    await here.api("POST", "/requests/preview.up", by="author", body=body)
    await card_of(here, "preview.up", "running", told="Stuck")
    await here.workflows(SERVICE, "success")
    change = {"message": "Mend it", "content": "bWVuZGVk", "branch": "next"}
    status, made = await here.github("PUT", f"{repo}/contents/mended.txt", change)
    assert status == 201, made
    await here.api("POST", "/requests/preview.up", by="author", body=body)

    async def mended() -> Json | None:
        live = await deployment(here)
        image = live["spec"]["template"]["spec"]["containers"][0]["image"] if live else ""
        done = live.get("status", {}).get("availableReplicas") == 1
        if done and image.endswith(made["commit"]["sha"]):
            return live
        await here.advance("6s")  # what stands in line looks again
        return None

    assert await here.slack.until(mended)


async def test_a_refusal_in_the_middle_leaves_nothing(here: World) -> None:
    path = f"/apis/apps/v1/namespaces/{NAME}/deployments/{SERVICE}"
    await here.fail("kubernetes", route=f"PATCH {path}", times=1, skip=1, status=403)  # the dry run passes
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}")
    card = await card_of(here, "preview.up", *ENDED)
    assert state(card) == "undone", spoken(card)
    assert await left(here) == {}
    await here.mend("kubernetes")
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}")
    again = await another(here, "preview.up", 2)
    assert state(again) == "succeeded", spoken(again)


# --- asleep


async def test_a_preview_sleeps_and_wakes(here: World) -> None:
    await up(here)
    await here.slack.command("author", f"/preview sleep {NAME}")
    asleep = await card_of(here, "preview.sleep", *ENDED)
    assert state(asleep) == "succeeded", spoken(asleep)
    assert (await deployment(here))["spec"]["replicas"] == 0
    assert (await shown(here))["terms"]["asleep_since"]
    await here.slack.click("teammate", "team-orders", asleep, "wake")
    awake = await card_of(here, "preview.wake", *ENDED)
    assert state(awake) == "succeeded", spoken(awake)
    assert (await deployment(here))["status"]["availableReplicas"] == 1


async def looked_at(here: World) -> int:
    """Return how often Prometheus was asked whether anybody uses something."""
    async with here.http.get(f"{here.ready['prometheus']}/sim/log") as response:
        return sum(line["path"] == "/api/v1/query" for line in await response.json())


async def test_one_that_nobody_uses_sleeps_by_itself(here: World) -> None:
    await up(here, f"{NAME} {SERVICE} for 7d")
    await here.use(HOST, per_hour=3)
    before = await looked_at(here)
    await here.advance("25h")
    async with asyncio.timeout(30):
        while await looked_at(here) == before:  # each look is a call of its own: there is no event to wait on
            await here.advance("1m")
    assert await cards(here, "preview.sleep") == []
    await here.use(HOST, per_hour=0)
    await here.advance("25h")
    asleep = await card_of(here, "preview.sleep", *ENDED)
    assert state(asleep) == "succeeded", spoken(asleep)
    assert len(await cards(here, "preview.sleep")) == 1
    assert (await deployment(here))["spec"]["replicas"] == 0


# --- by Git


async def test_by_git_it_is_a_folder_and_an_application_and_both_are_gone_afterwards(tmp_path: Path) -> None:
    config = tmp_path / "given.yaml"
    config.write_text(json.dumps({"platform": {"previews": {"delivery": "gitops"}}}))
    async with world(tmp_path / "playground", config=config) as here:
        before = await paths(here)
        await up(here)
        assert f"apps/preview/{NAME}/.causeway/release.yaml" in await paths(here)
        assert (await deployment(here))["status"]["availableReplicas"] == 1
        await here.slack.command("author", f"/preview extend {NAME} by 2d")
        assert state(await card_of(here, "preview.extend", *ENDED)) == "succeeded"
        await here.slack.command("author", f"/preview sleep {NAME}")
        assert state(await card_of(here, "preview.sleep", *ENDED)) == "succeeded"
        assert (await deployment(here))["spec"]["replicas"] == 0
        await here.advance("130h")
        receipt = await card_of(here, "preview.down", *ENDED)
        assert state(receipt) == "succeeded", spoken(receipt)
        assert f"gone: folder apps/preview/{NAME}" in spoken(receipt)
        assert await left(here) == {}
        assert await paths(here) == before
        assert await here.application(f"preview-{NAME}") == {}


async def paths(here: World) -> set[str]:
    _, tree = await here.github("GET", "/repos/acme/gitops/git/trees/main?recursive=1")
    return {one["path"] for one in tree["tree"]}


# --- with databases


DOCUMENT = """
apiVersion: environments.platform.io/v1
kind: Environment
metadata: {name: new-checkout}
spec:
  ttl: 7d
  services:
    - {name: orders-api}
    - {name: checkout-web}
  databases:
    - {type: postgresql, service: orders-api}
"""


async def test_a_document_with_a_database_stands_sleeps_and_leaves_no_volume(here: World) -> None:
    body = {"document": DOCUMENT}
    _, made = await here.api("POST", "/requests/preview.up?wait_s=30", by="author", body=body)
    assert made["state"] == "succeeded", made["problem"]
    told = await shown(here)
    assert [(one["name"], one["ready"]) for one in told["services"]] == [("checkout-web", 1), (SERVICE, 1)]
    assert [(one["name"], one["state"]) for one in told["databases"]] == [(f"{SERVICE}-db", "ready")]
    claims = await here.kubernetes("GET", f"/api/v1/namespaces/{NAME}/persistentvolumeclaims")
    assert len(claims["items"]) == 1
    await here.slack.command("author", f"/preview sleep {NAME}")
    assert state(await card_of(here, "preview.sleep", *ENDED)) == "succeeded"
    kept = await here.kubernetes("GET", f"/api/v1/namespaces/{NAME}/persistentvolumeclaims")
    assert [one["metadata"]["uid"] for one in kept["items"]] == [one["metadata"]["uid"] for one in claims["items"]]
    await here.slack.command("author", f"/preview down {NAME}")
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    assert f"Its databases go with all that is in them: {SERVICE}-db" in spoken(receipt)
    assert await left(here) == {}
    volumes = await here.kubernetes("GET", "/api/v1/persistentvolumes")
    assert volumes["items"] == []
