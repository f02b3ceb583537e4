"""The first road: a developer creates a service from Slack, somebody else approves, the repository is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.scenario.world import World, spoken

ANSWERS = {"name": "payload-api", "owner": "group:default/team-orders"}


async def asked(here: World, user: str = "author", **answers: str) -> str:
    """Fill in the form as `user`; return the operation's id once its card waits for approval."""
    assert (await here.slack.command(user, "/service create python-service"))["status"] == 200
    view = await here.slack.opened(user, "service.create")
    assert (await here.slack.submit(user, view, ANSWERS | answers))["status"] == 200
    card = await here.slack.card("team-orders", "awaiting_approval")
    operation: str = card["metadata"]["event_payload"]["operation"]
    return operation


async def test_a_service_is_asked_for_approved_created_and_cloned(here: World, tmp_path: Path) -> None:
    operation = await asked(here)
    card = await here.slack.card("team-orders", "awaiting_approval", operation=operation)
    await here.slack.click("approver", "team-orders", card, "approve")
    receipt = await here.slack.card("team-orders", "succeeded", operation=operation)
    assert receipt["ts"] == card["ts"], "one operation, one message"
    assert "acme/payload-api" in spoken(receipt)

    status, repository = await here.github("GET", "/repos/acme/payload-api")
    assert status == 200
    assert "op_" not in (repository["description"] or ""), "the mark of the work under way is gone"
    clone = await asyncio.create_subprocess_exec(
        "git", "clone", "-q", f"{here.ready['github']}/acme/payload-api.git", str(tmp_path / "clone")
    )
    assert await clone.wait() == 0
    assert (tmp_path / "clone" / "platform.yaml").exists()
    assert (tmp_path / "clone" / "catalog-info.yaml").exists()

    _, listed = await here.api("POST", "/requests/service.show", by="author", body={"service": "payload-api"})
    assert listed["data"]["metadata"]["name"] == "payload-api"


async def test_nobody_approves_their_own_request_and_strangers_approve_nothing(here: World) -> None:
    operation = await asked(here)
    card = await here.slack.card("team-orders", "awaiting_approval", operation=operation)
    await here.slack.click("author", "team-orders", card, "approve")
    await here.slack.told("author", "You asked for this yourself")
    status, answer = await here.api("POST", f"/operations/{operation}/approve", by="stranger")
    assert (status, answer["accepted"]) == (403, False)
    _, view = await here.api("GET", f"/operations/{operation}", by="author")
    assert view["state"] == "awaiting_approval"


async def test_a_rejected_request_changes_nothing(here: World) -> None:
    operation = await asked(here)
    status, _ = await here.api(
        "POST", f"/operations/{operation}/reject", by="teammate", body={"reason": "We have one already"}
    )
    assert status == 200
    card = await here.slack.card("team-orders", "rejected", operation=operation)
    assert "We have one already" in spoken(card)
    assert (await here.github("GET", "/repos/acme/payload-api"))[0] == 404


async def test_a_stranger_is_refused_with_the_names_of_who_could(here: World) -> None:
    assert (await here.slack.command("stranger", "/service create python-service", "team-checkout"))["status"] == 200
    view = await here.slack.opened("stranger", "service.create")
    await here.slack.submit("stranger", view, ANSWERS)
    await here.slack.told("stranger", "Only members of team-orders", "team-checkout")
    assert (await here.github("GET", "/repos/acme/payload-api"))[0] == 404


async def test_a_double_click_and_a_redelivery_create_once(here: World) -> None:
    operation = await asked(here)
    card = await here.slack.card("team-orders", "awaiting_approval", operation=operation)
    await asyncio.gather(*(here.slack.click("approver", "team-orders", card, "approve") for _ in range(3)))
    await here.slack.call("POST", "redeliver", last=5)
    await here.slack.card("team-orders", "succeeded", operation=operation)
    _, log = await here.github("GET", "/orgs/acme/repos?per_page=100")
    assert [r["name"] for r in log].count("payload-api") == 1
    cards = [m for m in await here.slack.messages("team-orders") if m.get("metadata")]
    assert len(cards) == 1
