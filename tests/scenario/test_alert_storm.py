"""10,000 alerts in 100 groups come over HTTP while Slack answers 429: all are taken, each is told at most once."""

from __future__ import annotations

import asyncio
import json
import resource
from collections import Counter
from pathlib import Path

from bot.settings import load
from bot.terminal.serve import running
from tests.alerting.house import alert, delivery
from tests.scenario.world import PATIENCE_S, Json, World, peers

GROUPS, ALERTS = 100, 100


def bodies() -> list[bytes]:
    """Each group is of its own zone; one alert over all of them is one storm, told to each team."""
    return [
        json.dumps(
            delivery(
                *(alert("PodDown", team=team, zone=f"z{number}", pod=f"p{pod}") for pod in range(ALERTS)),
                by=("alertname", "zone", "team"),
            )
        ).encode()
        for number in range(GROUPS)
        for team in [("team-orders", "team-checkout")[number % 2]]
    ]


async def post(here: World, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {here.ready['env']['CAUSEWAY_ALERTMANAGER_TOKEN']}"}
    async with here.http.post(f"{here.ready['bot']}/webhooks/alertmanager", data=body, headers=headers) as response:
        assert response.status == 200, await response.text()


async def figures(here: World) -> dict[str, float]:
    async with here.http.get(f"{here.ready['bot']}/metrics") as response:
        lines = (await response.text()).splitlines()
    return {name: float(value) for line in lines if line.startswith("causeway_alert") for name, value in [line.split()]}


async def alert_cards(here: World, channel: str) -> list[Json]:
    return [
        message
        for message in await here.slack.messages(channel)
        if (message.get("metadata") or {}).get("event_type") == "causeway_alert"
        and message.get("thread_ts") in (None, message["ts"])  # a card with replies heads its own thread
    ]


async def test_a_storm_is_taken_whole_and_told_once(tmp_path: Path) -> None:
    async with peers(tmp_path / "playground") as here:
        # Nobody but this test fires here, so there is no Alertmanager to be asked.
        env = {name: text for name, text in here.ready["env"].items() if name != "CAUSEWAY_ALERTMANAGER_URL"}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        async with running(load(env)):
            await here.fail_slack(method="chat.postMessage", times=5, status=429, retry_after=1)
            storm = bodies()
            for start in range(0, GROUPS, 20):
                await asyncio.gather(*(post(here, body) for body in storm[start : start + 20]))
            await asyncio.gather(*(post(here, body) for body in storm[:10]))
            async with asyncio.timeout(4 * PATIENCE_S):
                while (await figures(here))["causeway_alerts_taken_total"] < (GROUPS + 10) * ALERTS:
                    await here.slack.call("GET", "events", after=10**9, timeout_s=0)  # each look is a call of its own
            await here.advance("10s")

            async def told() -> list[Json] | None:
                found = [one for name in ("team-orders", "team-checkout") for one in await alert_cards(here, name)]
                return found if any("further groups fire with it" in str(one["blocks"]) for one in found) else None

            cards = await here.slack.until(told)
            groups = Counter(card["metadata"]["event_payload"]["group"] for card in cards)
            assert set(groups.values()) == {1}
            assert len(cards) <= GROUPS
            (root,) = cards  # one cause, one card
            assert "99 further groups fire with it" in str(root["blocks"])
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 250_000, f"{grown} KB"
