"""A dependency gets a version that is slow: the question why names its deploy, and the button takes it back."""

from __future__ import annotations

from typing import Any

from tests.scenario.test_day_two import card_of
from tests.scenario.test_incident import alert_card
from tests.scenario.world import Json, World, spoken

ORDERS = "orders-api"


async def committed(here: World, message: str) -> str:
    """Change the dependency's source on main; return the commit."""
    path = f"/repos/acme/{ORDERS}"
    _, main = await here.github("GET", f"{path}/git/ref/heads/main")
    branch = message.lower().replace(" ", "-")
    await here.github("POST", f"{path}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main["object"]["sha"]})
    content = {"message": message, "content": "YQ==", "branch": branch}
    status, made = await here.github("PUT", f"{path}/contents/{branch}.txt", content)
    assert status == 201, made
    _, pull = await here.github("POST", f"{path}/pulls", {"title": message, "head": branch, "base": "main"})
    return await here.merge(f"acme/{ORDERS}", pull["number"])


async def deployed(here: World, commit: str) -> None:
    """Deploy that version to production, approved by the team's lead."""
    await here.slack.command("author", f"/service deploy {ORDERS} {commit} to production", "team-orders")
    card = await card_of(here, "service.deploy", "awaiting_approval", told=commit[:7])
    await here.slack.click("approver", "team-orders", card, "approve")
    await card_of(here, "service.deploy", "succeeded", told=f"{commit[:7]} to production")


async def incidents(here: World, method: str, **body: Any) -> Json:
    async with here.http.request(method, f"{here.ready['prometheus']}/sim/incidents", json=body or None) as response:
        assert response.status == 200, await response.text()
        answer: Json = await response.json()
        return answer


async def answered(here: World, told: str) -> Json:
    """Wait for a message in the channel of whoever owns checkout-web that says so."""

    async def look() -> Json | None:
        for message in reversed(await here.slack.messages("team-checkout", user="stranger")):
            if told in spoken(message):
                return message
        return None

    message: Json = await here.slack.until(look)
    return message


def heard(message: Json) -> str:
    """What a message says, its files' titles included."""
    return "\n".join([spoken(message), *(file["title"] for file in message.get("files") or ())])


async def threaded(here: World, card: Json, told: str) -> Json:
    """Wait for a reply in the card's thread that says so."""

    async def look() -> Json | None:
        replies = await here.slack.messages("team-orders", thread_ts=card["ts"])
        return next((one for one in replies if told in heard(one) and one["ts"] != card["ts"]), None)

    message: Json = await here.slack.until(look)
    return message


async def test_a_slow_dependency_is_found_by_its_deploy_and_rolled_back_by_the_button(here: World) -> None:
    _, head = await here.github("GET", f"/repos/acme/{ORDERS}/git/ref/heads/main")
    good: str = head["object"]["sha"]
    await deployed(here, good)
    bad = await committed(here, "Ask the warehouse twice")
    await here.advance("90m")
    await deployed(here, bad)
    await here.advance("2m")
    await incidents(here, "POST", service=ORDERS, kind="latency")
    await here.advance("15m")

    # From the alert's card: the answer stands in its thread, with the picture, for everybody.
    card = await alert_card(here, "team-orders", ORDERS, "firing")
    await here.slack.click("author", "team-orders", card, "why")
    reply = await threaded(here, card, f"the deploy of {bad[:7]}")
    assert f"{ORDERS} in production has been slow since" in spoken(reply)
    assert "asked why" in spoken(reply)
    picture = await threaded(here, card, f"{ORDERS} in production: latency")
    assert [file["mimetype"] for file in picture["files"]] == ["image/png"]

    await here.slack.command("stranger", "/health why checkout-web", "team-checkout")
    answer = await answered(here, "A request that took")  # the whole: the first part may have come without it
    text = spoken(answer)
    assert f"the deploy of {bad[:7]} of {ORDERS}" in text
    assert "checkout-web in production has been slow since" in text
    assert "very likely because of the deploy" in text
    assert "latency (p99) rose from" in text
    assert f"{ORDERS}: latency (p99) rose from" in text
    assert "Ask the warehouse twice" in text
    assert f"of {ORDERS}" in text[text.index("A request that took") :]
    assert "team-orders" in text
    picture = await answered(here, "checkout-web in production: latency")
    [file] = picture["files"]
    assert file["mimetype"] == "image/png"
    assert "Objective: 500 ms." in file["alt_txt"]

    # The button asks as whoever presses it: a stranger to the dependency may not, an administrator may.
    await here.slack.click("stranger", "team-checkout", answer, "rollback")
    refused = await answered(here, "Only")
    assert "service rollback" in spoken(refused)
    await here.slack.click("platform", "team-checkout", answer, "rollback")
    back = await card_of(here, "service.rollback", "succeeded")
    assert f"from {bad[:7]} to {good[:7]}" in spoken(back)
    assert (await incidents(here, "GET"))["running"] == []

    await here.advance("30m")
    status, told = await here.api(
        "POST", "/requests/health.why", by="stranger", body={"service": "checkout-web", "environment": "production"}
    )
    assert status == 200, told
    [moved] = [one for one in told["data"]["moved"] if (one["service"], one["signal"]) == ("checkout-web", "latency")]
    assert moved["until"] is not None
    assert told["text"].startswith("checkout-web in production was slow from")
