"""Causeway killed in the middle of its work: what was acknowledged is never lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.postgresql import Cluster, cluster
from tests.peers.tools import need
from tests.scenario.children import START_S, Child, Town, free_urls, town
from tests.scenario.world import Json, World, spoken

NAME = "payload-api"
ANSWERS = {"name": NAME, "owner": "group:default/team-orders"}
CREATED = "POST /orgs/acme/repos"


async def filled_in(here: World) -> tuple[Json, dict[str, str]]:
    assert (await here.slack.command("author", "/service create python-service"))["status"] == 200
    return await here.slack.opened("author", "service.create"), ANSWERS


async def asked(here: World) -> tuple[str, Json]:
    view, answers = await filled_in(here)
    assert (await here.slack.submit("author", view, answers))["status"] == 200
    card = await here.slack.card("team-orders", "awaiting_approval")
    return card["metadata"]["event_payload"]["operation"], card


async def succeeded(here: World, operation: str) -> Json:
    """Wait for its receipt; a takeover may take as long as a lease."""
    async with asyncio.timeout(START_S):
        while True:
            _, view = await here.api("GET", f"/operations/{operation}?wait_s=30", by="author")
            if view["state"] == "awaiting_approval":  # the click is not worked on yet
                await here.slack.card("team-orders", "running", "succeeded", "failed", operation=operation)
            elif view["state"] != "running":
                assert view["state"] == "succeeded", view["problem"]
                return view


async def is_as_planned(here: World, view: Json) -> None:
    """One repository with what the plan promised, one card, each step done once."""
    planned = [step["text"] for step in view["plan"]["steps"]]
    assert [(step["text"], step["state"]) for step in view["steps"]] == [(text, "done") for text in planned]
    _, repositories = await here.github("GET", "/orgs/acme/repos?per_page=100")
    assert [one["name"] for one in repositories].count(NAME) == 1
    _, commits = await here.github("GET", f"/repos/acme/{NAME}/commits")
    assert len(commits) == 1, "nothing was committed twice"
    for detail in view["plan"]["details"]:
        repository = "gitops" if detail["title"].startswith("apps/") else NAME
        status, _ = await here.github("GET", f"/repos/acme/{repository}/contents/{detail['title']}")
        assert status == 200, detail["title"]
    receipt = await here.slack.card("team-orders", "succeeded", operation=view["id"])
    assert f"acme/{NAME}" in spoken(receipt)
    cards = [m for m in await here.slack.messages("team-orders") if m.get("metadata")]
    assert [card["ts"] for card in cards] == [receipt["ts"]]
    shown, _ = await here.api("POST", "/requests/service.show", by="author", body={"service": NAME})
    assert shown == 200


def wrote_no_traceback(*children: Child) -> None:
    told = [line for child in children for line in child.log]
    assert not [line for line in told if "Traceback" in line or '"level": "error"' in line]


@pytest.mark.parametrize(
    "route",
    [
        CREATED,
        f"POST /repos/acme/{NAME}/git/commits",
        f"POST /repos/acme/{NAME}/rulesets",
    ],
    ids=["creating", "committing", "protecting"],
)
async def test_a_bot_killed_in_the_middle_ends_what_it_began(alone: tuple[Town, str], route: str) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    operation, card = await asked(here)
    await place.hold(route, delay_s=2)  # the dead process's call is carried out while the next one is at work
    await here.slack.click("approver", "team-orders", card, "approve")
    await place.held(route)
    await first.kill()
    again = await place.bot(url, "only")
    await is_as_planned(here, await succeeded(here, operation))
    wrote_no_traceback(first, again)
    assert await again.stop() == 0
    assert await place.peers.stop() == 0


async def test_a_form_acknowledged_at_the_last_moment_is_not_lost(alone: tuple[Town, str]) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    view, answers = await filled_in(here)
    assert (await here.slack.submit("author", view, answers))["status"] == 200
    await first.kill()
    await place.bot(url, "only")
    await here.advance("1m")  # the lease of the dead process's work has ended
    card = await here.slack.card("team-orders", "awaiting_approval")
    await here.slack.click("approver", "team-orders", card, "approve")
    operation = card["metadata"]["event_payload"]["operation"]
    await is_as_planned(here, await succeeded(here, operation))


async def test_a_bot_killed_while_it_plans_plans_again(alone: tuple[Town, str]) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    looking = f"GET /repos/acme/{NAME}"
    await place.hold(looking)
    view, answers = await filled_in(here)
    assert (await here.slack.submit("author", view, answers))["status"] == 200
    await place.held(looking)
    _, listed = await here.api("GET", "/operations?state=planned", by="author")
    assert len(listed["operations"]) == 1
    await first.kill()
    await place.bot(url, "only")
    card = await here.slack.card("team-orders", "awaiting_approval")
    assert card["metadata"]["event_payload"]["operation"] == listed["operations"][0]["id"]


async def test_a_click_acknowledged_at_the_last_moment_is_not_lost(alone: tuple[Town, str]) -> None:
    place, url = alone
    here = place.seen_from(url)
    first = await place.bot(url, "only")
    operation, card = await asked(here)
    assert (await here.slack.click("approver", "team-orders", card, "approve"))["status"] == 200
    await first.kill()
    await place.bot(url, "only")
    await here.advance("1m")
    await is_as_planned(here, await succeeded(here, operation))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster(need("postgresql")) as running:
        yield running


@pytest.mark.peer("postgresql")
async def test_another_replica_ends_what_a_dead_one_began(postgresql: Cluster, tmp_path: Path) -> None:
    urls = free_urls(2)
    async with town(tmp_path / "playground", urls, "--database-url", postgresql.database()) as place:
        one, other = [await place.bot(url, f"replica-{number}") for number, url in enumerate(urls)]
        operation, card = await asked(place.seen_from(urls[0]))
        await place.hold(CREATED, delay_s=2)
        status, _ = await place.seen_from(urls[0]).api("POST", f"/operations/{operation}/approve", by="approver")
        assert status == 200
        await place.held(CREATED)
        await one.kill()
        here = place.seen_from(urls[1])
        view = await succeeded(here, operation)
        assert view["approvals"][0]["principal"]["user"] == "user:default/approver"
        receipt = await here.slack.card("team-orders", "succeeded", operation=operation)
        assert receipt["ts"] == card["ts"]
        await is_as_planned(here, view)
        assert await other.stop() == 0
        wrote_no_traceback(one, other)


@pytest.mark.peer("postgresql")
async def test_a_card_of_a_dead_replica_still_answers(postgresql: Cluster, tmp_path: Path) -> None:
    urls = free_urls(2)
    async with town(tmp_path / "playground", urls, "--database-url", postgresql.database()) as place:
        one, other = [await place.bot(url, f"replica-{number}") for number, url in enumerate(urls)]
        here = place.seen_from(urls[1])
        operation, card = await asked(here)
        await one.kill()
        assert (await here.slack.click("approver", "team-orders", card, "approve"))["status"] == 200
        await is_as_planned(here, await succeeded(here, operation))
        wrote_no_traceback(other)
