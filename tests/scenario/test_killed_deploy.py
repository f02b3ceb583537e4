"""Causeway killed in the middle of a deploy, and while a pin holds: everything is done once, and ends as it should."""

from __future__ import annotations

from tests.scenario.children import Town
from tests.scenario.test_day_two import NAME, STAGING, card_of, commit, created, image_of, live, release
from tests.scenario.test_killed import wrote_no_traceback
from tests.scenario.world import Json, World, spoken

GITOPS = "/repos/acme/gitops"


async def is_done_once(here: World, operation: str, version: str) -> None:
    """One commit, one Application, one card, each step once, and GitHub told once that it runs."""
    _, view = await here.api("GET", f"/operations/{operation}", by="author")
    assert [step["state"] for step in view["steps"]] == ["done"] * len(view["plan"]["steps"])
    messages = [one["commit"]["message"] for one in await commits(here)]
    assert len([one for one in messages if f"Causeway-Operation: {operation}" in one]) == 1
    assert image_of(await live(here)).endswith(version)
    assert (await release(here))["current"]["operation"] == operation
    listed = await here.kubernetes("GET", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications")
    assert [one["metadata"]["name"] for one in listed["items"]].count(STAGING) == 1
    cards = [one for one in await here.slack.messages("team-orders") if operation in str(one.get("metadata"))]
    assert len(cards) == 1
    assert await told_github(here, version) == [["in_progress", "success"]]


async def commits(here: World) -> list[Json]:
    _, found = await here.github("GET", f"{GITOPS}/commits?per_page=100")
    listed: list[Json] = found
    return listed


async def told_github(here: World, version: str) -> list[list[str]]:
    """Return the states of each deployment of a version to staging, oldest first."""
    _, deployments = await here.github("GET", f"/repos/acme/{NAME}/deployments?environment=staging")
    told = []
    for one in deployments:
        if one["sha"] == version:
            _, statuses = await here.github("GET", f"/repos/acme/{NAME}/deployments/{one['id']}/statuses")
            told.append([status["state"] for status in reversed(statuses)])
    return told


def operation_of(card: Json) -> str:
    operation: str = card["metadata"]["event_payload"]["operation"]
    return operation


async def test_killed_at_the_commit_it_commits_once(alone: tuple[Town, str]) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    await created(here)
    route = f"PATCH {GITOPS}/git/refs/heads/main"
    await place.hold(route, delay_s=1)  # the dead process's call is carried out while the next one is at work
    version = await commit(here, "Next", A="1")
    await place.held(route)
    await first.kill()
    again = await place.bot(url, "only")
    card = await card_of(here, "service.deploy", "succeeded", told=version[:7])
    await is_done_once(here, operation_of(card), version)
    wrote_no_traceback(first, again)


async def test_killed_while_it_waits_it_goes_on_waiting_on_the_same_card(alone: tuple[Town, str]) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    await created(here)
    selector = f"app.kubernetes.io/name={NAME}"
    await here.pods(STAGING, selector, "imagepull")
    version = await commit(here, "Next", A="1")
    stuck = await card_of(here, "service.deploy", "running", told="Stuck")
    await first.kill()
    again = await place.bot(url, "only")
    await here.pods(STAGING, selector, "ready")
    card = await card_of(here, "service.deploy", "succeeded", told=version[:7])
    assert card["ts"] == stuck["ts"]
    await is_done_once(here, operation_of(card), version)
    wrote_no_traceback(first, again)


async def test_a_pin_lets_go_although_its_causeway_was_killed_before(alone: tuple[Town, str]) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    await created(here)
    version = await commit(here, "Next", A="1")
    await card_of(here, "service.deploy", "succeeded", told=version[:7])
    await here.slack.command("author", f"/service rollback {NAME} for 2h because it is slow")
    await card_of(here, "service.rollback", "succeeded")
    assert (await release(here))["pin"]["reason"] == "it is slow"
    await first.kill()
    await here.advance("3h")
    again = await place.bot(url, "only")
    card = await card_of(here, "service.unpin", "succeeded")
    assert "pin" not in await release(here)
    assert "its time was over" in spoken(card)
    unpinned = [one for one in await commits(here) if operation_of(card) in one["commit"]["message"]]
    assert len(unpinned) == 1
    wrote_no_traceback(first, again)
