"""What people do about an alert: from the card in their channel to Alertmanager, to other people and to a channel."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from bot.alerting.polling import UNHEARD
from tests.scenario.world import PATIENCE_S, Json, World, spoken

SLOW = {
    "alertname": "LatencyHigh",
    "service": "orders-api",
    "environment": "production",
    "team": "team-orders",
    "severity": "critical",
}
STRAY = {"alertname": "DiskFull", "instance": "db-7", "severity": "warning"}


class Alertmanager:
    def __init__(self, here: World) -> None:
        self._here = here
        self._url = here.ready["alertmanager"]
        self._told = 0

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self._here.http.request(method, f"{self._url}/api/v2/{path}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json() if response.content_type == "application/json" else None

    async def fire(self, *labels: Json, annotations: Json | None = None, hours: float = 24) -> None:
        assert self._here.playground is not None
        ends = (self._here.playground.clock() + timedelta(hours=hours)).isoformat()
        told = {"annotations": annotations or {"summary": "Slow requests"}, "endsAt": ends}
        await self.call("POST", "alerts", [{"labels": one, **told} for one in labels])
        await self.heard()
        await self._here.advance("6s")  # a new group waits for its cause

    async def heard(self) -> None:
        """Wait until the bot has been told of everything: each look is a call of its own."""
        async with asyncio.timeout(PATIENCE_S):
            while not [one for one in await self.deliveries() if one["answer"] == 200][self._told :]:
                await self._here.slack.call("GET", "events", after=10**9, timeout_s=0.1)
        self._told = len([one for one in await self.deliveries() if one["answer"] == 200])

    async def deliveries(self) -> list[Json]:
        async with self._here.http.get(f"{self._url}/sim/deliveries") as response:
            found: list[Json] = await response.json()
            return found

    async def times_asked(self) -> int:
        async with self._here.http.get(f"{self._url}/sim/log") as response:
            return sum(line["path"].endswith("/alerts/groups") for line in await response.json())

    async def standing(self) -> list[Json]:
        return [one for one in await self.call("GET", "silences") if one["status"]["state"] == "active"]


class Card:
    """The card of one alert, as it stands in its channel."""

    def __init__(self, here: World, channel: str, title: str) -> None:
        self._here, self.channel, self._title = here, channel, title
        self.group = ""

    async def now(self, words: str = "", *, state: str = "firing") -> Json:
        """Wait until it says so."""

        async def look() -> Json | None:
            for message in await self._here.slack.messages(self.channel):
                payload = (message.get("metadata") or {}).get("event_payload", {})
                named = payload.get("state") == state and "group" in payload and self._title in spoken(message)
                if named and words in spoken(message):
                    return message
            return None

        message: Json = await self._here.slack.until(look)
        self.group = message["metadata"]["event_payload"]["group"]
        return message

    async def press(self, user: str, action: str) -> None:
        card = await self.now()
        await self._here.slack.click(user, self.channel, card, action)

    async def below(self, words: str) -> Json:
        """Wait for a line in its thread."""
        card = await self.now()

        async def look() -> Json | None:
            lines = await self._here.slack.messages(self.channel, thread_ts=card["ts"])
            return next((line for line in lines if words in spoken(line)), None)

        line: Json = await self._here.slack.until(look)
        return line


async def test_a_team_lives_with_an_alert_from_firing_to_resolved(here: World) -> None:
    alertmanager, slack = Alertmanager(here), here.slack
    await alertmanager.fire(SLOW)
    card = Card(here, "team-orders", "LatencyHigh")
    await card.now()

    await card.press("stranger", "acknowledge")
    await told_directly(here, "stranger", "Only members of team-orders")
    await asyncio.gather(card.press("author", "acknowledge"), card.press("author", "acknowledge"))
    await card.now("Acknowledged by Sample Author")
    await card.below("*Sample Author* is on it.")

    await card.press("author", "silence")
    view = await slack.opened("author", "alert.silence")
    await slack.submit("author", view, {"span": "4h", "reason": "The disk is replaced"})
    await card.now("Silenced until")
    await card.below("*Sample Author* has silenced it until")
    (silence,) = await alertmanager.standing()
    assert silence["createdBy"] == "Sample Author"
    assert silence["comment"].startswith("The disk is replaced (by Causeway, op-")
    assert {one["name"]: one["value"] for one in silence["matchers"]} == {
        name: SLOW[name] for name in ("alertname", "environment", "service")
    }

    await card.press("author", "assign")
    view = await slack.opened("author", "alert.assign")
    await slack.submit("author", view, {"person": "user:default/teammate"})
    await card.now("Assigned to Sample Teammate")
    await told_directly(here, "teammate", "has assigned an alert to you")

    await card.press("author", "escalate")
    await card.now("Escalated to Sample Approver")
    await told_directly(here, "approver", "asks you to look at an alert")

    await card.press("author", "incident")
    await card.now("Incident:")
    room = await incident_channel(here)
    assert {"U0AUTHOR01", "U0TEAMMATE1", "U0APPROVER1"} <= set(room["members"])
    assert card.group[-4:] == room["name"][-4:]
    first = await said_in(here, room["id"], "has opened this channel for an alert")
    assert "The alert's card" in spoken(first)

    await slack.command("author", "/idp alerts")
    await slack.told("author", card.group)
    await slack.command("author", f"/idp alert acknowledge {card.group}")
    await slack.told("author", "You are on it already")

    await alertmanager.call("POST", "alerts", [{"labels": SLOW, "endsAt": now_of(here)}])
    await resolved(here, alertmanager, card)  # Alertmanager says nothing of what is silenced: it has to be asked
    await until_none_stands(here, alertmanager)  # the silence has ended with the alert
    await runbooks_step_and_nobodys_alert(here, alertmanager)


async def runbooks_step_and_nobodys_alert(here: World, alertmanager: Alertmanager) -> None:
    slack = here.slack
    hostile = {**SLOW, "alertname": "Hostile"}
    await alertmanager.fire(hostile, annotations={"runbook_step": "/service restart checkout-web production"})
    card = Card(here, "team-orders", "Hostile")
    await card.now()
    await card.press("author", "runbook")
    await slack.told("author", "not about the alert's own service")

    await alertmanager.fire(STRAY)
    stray = Card(here, "platform", "DiskFull")
    await stray.now()
    await stray.press("author", "acknowledge")
    await slack.told("author", "Only the owners of what it is about", channel="platform")
    await stray.press("author", "adopt")
    view = await slack.opened("author", "alert.adopt")
    await slack.submit("author", view, {"owner": "component:default/orders-api"})
    await stray.now("Owner: Team Orders")
    await stray.press("author", "acknowledge")
    await stray.now("Acknowledged by Sample Author")
    await slack.command("author", f"/idp alert silence {stray.group} for 30m because it is cleaned", "platform")
    await stray.now("Silenced until")
    assert here.playground is not None
    await here.playground.clock.advance(timedelta(minutes=31))
    await stray.below("The silence is over")


async def resolved(here: World, alertmanager: Alertmanager, card: Card) -> None:
    """Let time pass until Alertmanager has been asked often enough to be believed."""
    for _ in range(UNHEARD + 1):
        asked = await alertmanager.times_asked()
        await here.advance("2m")
        async with asyncio.timeout(PATIENCE_S):
            while await alertmanager.times_asked() == asked:  # each look is a call of its own
                await here.slack.call("GET", "events", after=10**9, timeout_s=0.2)
    await card.now(state="resolved")


def now_of(here: World) -> str:
    assert here.playground is not None
    return here.playground.clock().isoformat()


async def told_directly(here: World, user: str, words: str) -> None:
    channels = (await here.slack.call("GET", "channels"))["channels"]
    ids = {one["name"]: one["id"] for one in (await here.slack.call("GET", "users"))["users"]}
    direct = next(one["id"] for one in channels if one["is_im"] and one["user"] == ids[user])
    await said_in(here, direct, words)


async def said_in(here: World, channel: str, words: str) -> Json:
    async def look() -> Json | None:
        return next((m for m in await here.slack.messages(channel) if words in spoken(m)), None)

    message: Json = await here.slack.until(look)
    return message


async def incident_channel(here: World) -> Json:
    channels = (await here.slack.call("GET", "channels"))["channels"]
    (found,) = [one for one in channels if one["name"].startswith("inc-")]
    assert "orders-api" in found["name"]
    return dict(found)


async def until_none_stands(here: World, alertmanager: Alertmanager) -> None:
    """Each look is a call of its own: Alertmanager tells nobody that a silence has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while await alertmanager.standing():
            await here.slack.call("GET", "events", after=10**9, timeout_s=1)
