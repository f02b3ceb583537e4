"""GitHub failing at each call in turn: in the end there is exactly what was planned, or exactly nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.world import World, spoken, world

AT_ONCE = 4
UNATTENDED = "policy: {rules: [{approve: none}]}\n"


@pytest.fixture
async def unattended(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which nobody has to approve."""
    config = tmp_path / "given.yaml"
    config.write_text(UNATTENDED)
    async with world(tmp_path / "playground", config=config) as found:
        yield found


async def create(here: World, name: str) -> dict[str, Any]:
    body = {"template": "python-service", "name": name, "owner": "group:default/team-orders"}
    _, view = await here.api("POST", "/requests/service.create?wait_s=60", by="author", body=body)
    return view


async def calls(here: World) -> list[dict[str, Any]]:
    async with here.http.get(f"{here.ready['github']}/sim/log") as response:
        found: list[dict[str, Any]] = await response.json()
        return found


async def is_complete(here: World, name: str) -> bool:
    status, _ = await here.github("GET", f"/repos/acme/{name}/contents/platform.yaml")
    shown, _ = await here.api("POST", "/requests/service.show", by="author", body={"service": name})
    return status == 200 and shown == 200


async def is_absent(here: World, name: str) -> bool:
    """The repository is gone at once. The catalog hears of it by webhook, just as it had heard of the first push."""
    status, _ = await here.github("GET", f"/repos/acme/{name}")
    await here.forgotten(name)
    return status == 404


def routes(writes: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """Yield each route that was written to, as often as it was, with the number of the call."""
    seen: dict[str, int] = {}
    for call in writes:
        path = re.sub(r"/deployments/\d+/", "/deployments/{id}/", call["path"].removeprefix("/api/v3"))
        route = f"{call['method']} {path}"
        seen[route] = seen.get(route, -1) + 1
        yield route, seen[route]


def is_vital(route: str) -> bool:
    """Whether a refusal is the end: what the forge is only told of is not, and a commit to the GitOps repository is
    built anew where its branch has moved, which is what a refusal looks like."""
    return "/deployments" not in route and "acme/gitops" not in route


@pytest.mark.parametrize(
    "fault",
    [{"status": 422}, {"drop": "before"}, {"drop": "after"}, {"truncate": True}],
    ids=["refused", "lost before", "lost after", "half an answer"],
)
async def test_a_fault_at_any_write_leaves_all_or_nothing(unattended: World, fault: dict[str, Any]) -> None:
    here = unattended
    before = len(await calls(here))
    assert (await create(here, "the-first"))["state"] == "succeeded"
    writes = [call for call in (await calls(here))[before:] if call["method"] != "GET"]
    assert len(writes) >= 14, (
        "repository, tree, commit, ref, settings, protection; deployment and two commits of GitOps"
    )
    ends: dict[str, str] = {}

    async def meets(number: int, known: str, nth: int) -> None:
        name = f"service-{number}"
        route = known.replace("the-first", name)
        await here.fail_github(route=route, skip=nth, times=1, **fault)
        view = await create(here, name)
        ends[f"{route} ({nth})"] = view["state"]
        if view["state"] == "succeeded":
            assert await is_complete(here, name), (route, view)
        else:
            assert view["state"] == "undone", (route, view["state"], view["problem"])
            assert await is_absent(here, name), (route, view)
            assert view["problem"], "a person reads what happened"

    numbered = [(number, route, nth) for number, (route, nth) in enumerate(routes(writes))]
    # A route with the service's own name is met by that service alone, so a few of those are made at a time.
    own = [each for each in numbered if "the-first" in each[1]]
    for begin in range(0, len(own), AT_ONCE):
        async with asyncio.TaskGroup() as together:
            for each in own[begin : begin + AT_ONCE]:
                together.create_task(meets(*each))
    for each in numbered:
        if each not in own:
            await meets(*each)
    failed = {route for route, state in ends.items() if state != "succeeded"}
    assert failed == ({one for one in ends if is_vital(one)} if "status" in fault else set()), (
        "what may pass is tried again"
    )


async def test_a_repository_with_other_peoples_commits_is_kept_and_reported(unattended: World, tmp_path: Path) -> None:
    here = unattended
    view = await create(here, "shared")
    assert view["state"] == "succeeded"
    _, main = await here.github("GET", "/repos/acme/shared/git/ref/heads/main")
    body = {"ref": "refs/heads/idea", "sha": main["object"]["sha"]}
    assert (await here.github("POST", "/repos/acme/shared/git/refs", body))[0] == 201
    body = {"message": "By hand", "content": "aGVsbG8=", "branch": "idea"}
    assert (await here.github("PUT", "/repos/acme/shared/contents/NOTES.md", body))[0] == 201
    status, _ = await here.api("POST", f"/operations/{view['id']}/undo", by="author")
    assert status == 200
    _, view = await here.api("GET", f"/operations/{view['id']}?wait_s=60", by="author")
    assert view["state"] == "failed"
    kept = [step for step in view["steps"] if step["state"] == "kept"]
    assert kept, view["steps"]
    assert "gh repo delete" in kept[-1]["command"] or any("gh repo delete" in step["command"] for step in kept)
    assert (await here.github("GET", "/repos/acme/shared/contents/NOTES.md?ref=idea"))[0] == 200
    assert any("branch idea" in step["undone"]["seen"] for step in kept)
    assert (await here.github("GET", "/repos/acme/shared/contents/platform.yaml"))[0] == 200, "main stays whole too"


async def test_who_asks_while_github_is_away_hears_that_it_is_still_being_planned(here: World) -> None:
    assert (await here.slack.command("author", "/service create python-service"))["status"] == 200
    view = await here.slack.opened("author", "service.create")
    await here.fail_github(route="/repos/acme/patience", times=4, status=503)
    await here.slack.submit("author", view, {"name": "patience", "owner": "group:default/team-orders"})
    told = await here.slack.told("author", "I am still planning what you asked for")
    assert "Trying again" in spoken(told)
    card = await here.slack.card("team-orders", "awaiting_approval")
    assert "Trying again" not in spoken(card), "what has passed is not shown"
