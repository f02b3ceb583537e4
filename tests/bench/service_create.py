"""`/service create` as people meet it: from the signed command to the receipt, a second person's approval included.

Peers and bot are child processes, so that what is measured shares no interpreter with anybody; the people (this
process) act without a pause. The peers add no delay of their own.
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from tests.bench.children import bot, cpu_s, peers
from tests.bench.figures import Figure, figure
from tests.scenario.world import Slack

RUNS = 5
CHANNEL = "team-orders"


class Times(NamedTuple):
    """Of one run, in milliseconds."""

    asked: float
    """From the command to the approval card: form, rendering, plan, policy."""
    done: float
    """From the click to the end of the last effect: plan again, effects."""
    created: float
    """From the click to the receipt. What it has above `done` is the wait for the card."""
    work: float
    """Processor time of the bot over all of it."""

    @property
    def whole(self) -> float:
        return self.asked + self.created


async def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        async with peers(folder) as ready, bot(ready, folder) as (process, _), aiohttp.ClientSession() as http:
            people = People(http, ready)
            await people.create("warm-up", process.pid)
            runs = [await people.create(f"bench-{number}", process.pid) for number in range(1, RUNS + 1)]
    return [
        figure("service_create_ms", [r.whole for r in runs], "ms", better="lower", against="command to receipt"),
        figure("service_asked_ms", [r.asked for r in runs], "ms", better="lower", against="command to approval card"),
        figure("service_done_ms", [r.done for r in runs], "ms", better="lower", against="click to last effect's end"),
        figure("service_created_ms", [r.created for r in runs], "ms", better="lower", against="click to receipt"),
        figure("service_create_cpu_ms", [r.work for r in runs], "ms", better="lower", against="the bot's processor"),
    ]


class People:
    """The author who asks and the approver who clicks as soon as there is something to click."""

    def __init__(self, http: aiohttp.ClientSession, ready: dict[str, Any]) -> None:
        self._http = http
        self._ready = ready
        self._slack = Slack(http, ready["slack"])

    async def create(self, name: str, bot_pid: int) -> Times:
        """Create one service and say how long it took. Raise `RuntimeError` when it was not created."""
        slack = self._slack
        work, begin = cpu_s(bot_pid), time.perf_counter()
        await slack.command("author", "/service create python-service", CHANNEL)
        view = await slack.opened("author", "service.create")
        await slack.submit("author", view, {"name": name, "owner": "group:default/team-orders"})
        card = await slack.card(CHANNEL, "awaiting_approval")
        operation = card["metadata"]["event_payload"]["operation"]
        asked, clicked = time.perf_counter(), time.time()
        await slack.click("approver", CHANNEL, card, "approve")
        receipt = await slack.card(CHANNEL, "succeeded", "failed", "undone", "rejected", operation=operation)
        end = time.perf_counter()
        if receipt["metadata"]["event_payload"]["state"] != "succeeded":
            raise RuntimeError(f"{name} was not created: {receipt['text']}")
        done = await self._ended_at(operation) - clicked
        work = cpu_s(bot_pid) - work
        return Times(*(seconds * 1000 for seconds in (asked - begin, done, end - asked, work)))

    async def _ended_at(self, operation: str) -> float:
        """Return when the bot stored the end of an operation, in seconds since 1970."""
        headers = {"Authorization": f"Bearer {self._ready['api_tokens']['author']}"}
        async with self._http.get(f"{self._ready['bot']}/api/v1/operations/{operation}", headers=headers) as response:
            view = await response.json()
        return datetime.fromisoformat(view["updated_at"]).timestamp()
