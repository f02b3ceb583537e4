"""Alerts from Alertmanager to the team's channel, with two replicas of which one dies: one card, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.peers.postgresql import Cluster, cluster
from tests.peers.tools import need
from tests.scenario.children import free_urls, town
from tests.scenario.world import Json, World, spoken

API = {
    "alertname": "OrdersSlow",
    "service": "orders-api",
    "environment": "production",
    "namespace": "orders-api-production",
    "severity": "critical",
}
WEB = {**API, "alertname": "CheckoutFails", "service": "checkout-web", "namespace": "checkout-web-production"}


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster(need("postgresql")) as running:
        yield running


async def fire(here: World, *labels: Json, ends: timedelta = timedelta(hours=24)) -> None:
    told = {"annotations": {"summary": "Requests take <!here> 2.4 s"}, "endsAt": (datetime.now(UTC) + ends).isoformat()}
    body = [{"labels": one, **told} for one in labels]
    async with here.http.post(f"{here.ready['alertmanager']}/api/v2/alerts", json=body) as response:
        assert response.status == 200, await response.text()


async def alert_cards(here: World, channel: str) -> list[Json]:
    return [
        message
        for message in await here.slack.messages(channel)
        if (message.get("metadata") or {}).get("event_type") == "causeway_alert"
        and message.get("thread_ts") in (None, message["ts"])  # a card with replies heads its own thread
    ]


async def the_card(here: World, channel: str, state: str, words: str = "") -> Json:
    """Wait until the channel's one alert card is in this state and says this."""

    async def look() -> Json | None:
        found = await alert_cards(here, channel)
        assert len(found) <= 1, [one["text"] for one in found]
        is_so = found and found[0]["metadata"]["event_payload"]["state"] == state and words in spoken(found[0])
        return found[0] if is_so else None

    card: Json = await here.slack.until(look)
    return card


async def stored_by(here: World) -> float:
    async with here.http.get(f"{here.ready['bot']}/metrics") as response:
        lines = (await response.text()).splitlines()
    return float(next(line for line in lines if line.startswith("causeway_alerts_taken_total")).split()[1])


@pytest.mark.peer("postgresql")
async def test_two_replicas_tell_one_alert_once_and_one_ends_what_the_other_began(
    postgresql: Cluster, tmp_path: Path
) -> None:
    urls = free_urls(2)
    async with town(tmp_path / "playground", urls, "--database-url", postgresql.database()) as place:
        one, other = [await place.bot(url, f"replica-{number}") for number, url in enumerate(urls)]
        here = place.seen_from(urls[1])
        await fire(here, API, WEB)  # Alertmanager tells both replicas
        async with asyncio.timeout(60):
            while sum([await stored_by(place.seen_from(url)) for url in urls]) < 4:
                await here.slack.call("GET", "events", after=10**9, timeout_s=0)  # each look is a call of its own
        await here.advance("10s")
        # The dependency is the cause: its card says what fires with it, and the other team has one line.
        card = await the_card(here, "team-orders", "firing", "CheckoutFails")
        assert card["metadata"]["event_payload"]["service"] == "orders-api"
        assert "&lt;!here&gt; 2.4 s" in spoken(card)
        assert await alert_cards(here, "team-checkout") == []

        async def line() -> Any:
            messages = await here.slack.messages("team-checkout")
            return next((message for message in messages if "The cause is probably" in spoken(message)), None)

        assert "OrdersSlow" in spoken(await here.slack.until(line))

        await one.kill()
        await fire(here, API, WEB, ends=timedelta(seconds=-1))
        resolved = await the_card(here, "team-orders", "resolved")
        assert resolved["ts"] == card["ts"]

        async def thread() -> Any:
            lines = [spoken(reply) for reply in await here.slack.messages("team-orders", thread_ts=card["ts"])]
            return lines if any("Resolved after" in text for text in lines) else None

        lines = await here.slack.until(thread)
        assert len(lines) == len(set(lines))

        # What the webhook misses while nobody listens is found by asking, and what ends then is closed.
        assert await other.stop() == 0
        await here.advance("2h")
        await fire(here, {**API, "alertname": "OrdersDown"}, ends=timedelta(hours=240))
        await place.bot(urls[1], "replica-1")
        await here.advance("1m")
        await here.advance("10s")

        async def second() -> Any:
            return next((one for one in await alert_cards(here, "team-orders") if "OrdersDown" in spoken(one)), None)

        assert (await here.slack.until(second))["metadata"]["event_payload"]["state"] == "firing"
        assert not [text for text in other.log if "Traceback" in text]
