"""What people decide, and what may change under their hands: voided approvals, expiry, undo, the home tab, sockets."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.test_service_create import ANSWERS, asked
from tests.scenario.world import Json, World, spoken, world

TEMPLATE = """apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: tiny, title: Tiny service}
spec:
  owner: group:default/platform
  type: service
  parameters:
    - required: [name, owner]
      properties:
        name: {type: string, pattern: "^[a-z-]+$"}
        owner: {type: string, "ui:field": OwnerPicker}
  steps:
    - {id: fetch, action: "fetch:template", input: {url: ./skeleton, values: {name: "${{ parameters.name }}"}}}
    - {id: publish, action: "publish:github", input: {repoUrl: "github.com?repo=${{ parameters.name }}"}}
"""
TINY = {"template": "tiny", "name": "moved", "owner": "group:default/team-orders"}


async def waiting(here: World) -> tuple[str, Json]:
    operation = await asked(here)
    return operation, await here.slack.card("team-orders", "awaiting_approval", operation=operation)


async def put(here: World, path: str, text: str) -> None:
    """Commit one file of the golden paths' repository, as somebody of the platform team does."""
    url = f"/repos/acme/paths/contents/{path}"
    status, known = await here.github("GET", url)
    body = {"message": f"Write {path}", "content": base64.b64encode(text.encode()).decode()}
    status, _ = await here.github("PUT", url, body | ({"sha": known["sha"]} if status == 200 else {}))
    assert status in (200, 201)


async def planned(here: World, *, other_than: str = "") -> Json:
    """Wait until the golden path can be planned, and not as before: a push is on its way to the bot."""

    async def look() -> Json | None:
        status, plan = await here.api("POST", "/requests/service.create?dry_run=true", by="author", body=TINY)
        return plan if status == 200 and plan["digest"] != other_than else None

    while (plan := await look()) is None:
        pass  # each look is a request; the test's own deadline ends a broken run
    return plan


@pytest.fixture
async def with_paths(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose golden paths come from a repository."""
    config = tmp_path / "given.yaml"
    config.write_text("golden_paths: {repositories: [{repository: acme/paths}]}\n")
    async with world(tmp_path / "playground", config=config) as found:
        status, _ = await found.github("POST", "/orgs/acme/repos", {"name": "paths", "auto_init": True})
        assert status == 201
        await put(found, "tiny/skeleton/README.md", "# ${{ values.name }}\n")
        await put(found, "tiny/template.yaml", TEMPLATE)
        yield found


async def test_facts_that_moved_void_the_approval_say_what_changed_and_ask_again(with_paths: World) -> None:
    here = with_paths
    first = await planned(here)
    _, view = await here.api("POST", "/requests/service.create?wait_s=60", by="author", body=TINY)
    assert (view["state"], view["digest"]) == ("awaiting_approval", first["digest"])
    card = await here.slack.card("team-orders", "awaiting_approval", operation=view["id"])
    await put(here, "tiny/skeleton/README.md", "# ${{ values.name }}, with a backdoor\n")
    await planned(here, other_than=first["digest"])
    await here.slack.click("approver", "team-orders", card, "approve")

    async def asks_again() -> Json | None:
        shown = await here.slack.card("team-orders", "awaiting_approval", operation=view["id"])
        return shown if shown["metadata"]["event_payload"]["digest"] != first["digest"] else None

    again = await here.slack.until(asks_again)
    assert again["ts"] == card["ts"], "still one message"
    assert "earlier approvals no longer count" in spoken(again)
    assert "Different: Commit" in spoken(again) or "changed from" in spoken(again)
    assert (await here.github("GET", "/repos/acme/moved"))[0] == 404, "nothing ran"
    status, answer = await here.api(
        "POST", f"/operations/{view['id']}/approve", by="teammate", body={"digest": first["digest"]}
    )
    assert (status, answer["accepted"]) == (409, False), "the old plan cannot be approved any more"
    await here.slack.click("approver", "team-orders", again, "approve")
    await here.slack.card("team-orders", "succeeded", operation=view["id"])
    _, file = await here.github("GET", "/repos/acme/moved/contents/README.md")
    assert b"with a backdoor" in base64.b64decode(file["content"]), "what was shown last is what was made"


async def test_a_name_taken_meanwhile_ends_it_before_anything_is_made(here: World) -> None:
    operation, card = await waiting(here)
    status, _ = await here.github("POST", "/orgs/acme/repos", {"name": ANSWERS["name"], "description": "Another"})
    assert status == 201
    await here.slack.click("approver", "team-orders", card, "approve")
    ended = await here.slack.card("team-orders", "failed", operation=operation)
    assert "The repository acme/payload-api exists already. Choose another name." in spoken(ended)
    _, repository = await here.github("GET", "/repos/acme/payload-api")
    assert repository["description"] == "Another", "somebody else's repository is as it was"


async def test_what_nobody_approves_expires(here: World) -> None:
    operation, card = await waiting(here)
    await here.advance("25h")
    ended = await here.slack.card("team-orders", "expired", operation=operation)
    assert ended["ts"] == card["ts"]
    assert "Nobody decided in time, and nothing was changed." in spoken(ended)
    status, answer = await here.api("POST", f"/operations/{operation}/approve", by="approver")
    assert (status, answer["text"]) == (409, "This approval has expired. Ask again with the command.")
    assert (await here.github("GET", "/repos/acme/payload-api"))[0] == 404


async def test_details_come_once_and_undo_leaves_nothing(here: World) -> None:
    operation, card = await waiting(here)
    for _ in range(2):
        await here.slack.click("approver", "team-orders", card, "details")

    async def thread() -> list[Json] | None:
        replies = await here.slack.messages("team-orders", thread_ts=card["ts"])
        found = [reply for reply in replies if reply["ts"] != card["ts"]]
        return found or None

    replies = await here.slack.until(thread)
    assert "Create the private repository acme/payload-api" in json.dumps(replies) + spoken(card)
    await here.slack.click("approver", "team-orders", card, "approve")
    receipt = await here.slack.card("team-orders", "succeeded", operation=operation)
    await here.slack.click("author", "team-orders", receipt, "undo")
    ended = await here.slack.card("team-orders", "undone", operation=operation)
    assert "Everything this had made was taken back." in spoken(ended)
    assert (await here.github("GET", "/repos/acme/payload-api"))[0] == 404
    await here.forgotten("payload-api")


async def test_the_home_tab_shows_what_waits_for_whom(here: World) -> None:
    await waiting(here)

    async def home(user: str) -> str:
        await here.slack.call("POST", "home", user=user)

        async def look() -> Json | None:
            shown: Json | None = (await here.slack.call("GET", "views", user=user))["home"]
            return shown

        return spoken(await here.slack.until(look))

    title = "Create payload-api from Python web service for team-orders"
    mine, theirs, others = await home("author"), await home("approver"), await home("stranger")
    assert title in mine.partition("What you asked for")[2]
    assert title not in mine.partition("What you asked for")[0], "nobody approves their own"
    assert title in theirs.partition("What you asked for")[0]
    assert title not in others


async def test_the_home_tab_opens_a_form(here: World) -> None:
    await here.slack.call("POST", "home", user="author")

    async def look() -> Json | None:
        shown: Json | None = (await here.slack.call("GET", "views", user="author"))["home"]
        return shown

    home = await here.slack.until(look)
    await here.slack.call(
        "POST", "actions", user="author", view_id=home["id"], action_id="create:service.create python-service"
    )
    assert (await here.slack.opened("author", "service.create"))["title"]["text"] == "Python web service"


async def test_over_socket_mode_a_service_is_created_too(tmp_path: Path) -> None:
    async with world(tmp_path / "playground", socket_mode=True) as here:
        connected: list[Any] = []
        while not connected:  # the bot connects in the background
            answer = await here.slack.command("author", "/service list")
            connected = [answer] if answer["status"] == 200 else []
        operation, card = await waiting(here)
        await here.slack.click("approver", "team-orders", card, "approve")
        await here.slack.card("team-orders", "succeeded", operation=operation)
        assert (await here.github("GET", "/repos/acme/payload-api"))[0] == 200
        url = f"{here.ready['bot']}/slack/events"
        async with here.http.post(url, data=b"command=/service") as response:
            assert response.status in (401, 404), "what is not signed is refused on every door"
