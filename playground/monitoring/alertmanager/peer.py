"""Alertmanager as a peer of the playground: its API, webhooks to the bots, `/sim/…` beside it, and a plain page.

GET /sim/deliveries?since=N     every webhook that was sent: {number, time, url, group, status, alerts, answer}
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from aiohttp import web

from playground.clock import PlaygroundClock
from playground.monitoring.alertmanager.api import Api
from playground.monitoring.alertmanager.groups import grouped
from playground.monitoring.alertmanager.keeping import Kept
from playground.monitoring.alertmanager.telling import Telling
from playground.monitoring.door import Door
from playground.monitoring.incidents import Incidents
from playground.monitoring.story import Story

MAX_BODY = 16 * 1024 * 1024
SAVE_AFTER_S = 0.5
FOLLOW_S = 25.0


class AlertmanagerPeer:
    """One Alertmanager. Each of `webhook_urls` is told of everything by itself, with the bearer token."""

    name = "alertmanager"

    def __init__(
        self,
        *,
        data_dir: Path,
        base_url: str,
        clock: PlaygroundClock,
        webhook_urls: Sequence[str],
        token: str,
        incidents: Incidents,
    ) -> None:
        self._clock = clock
        self._kept = Kept(data_dir / "alertmanager.json")
        self._telling = Telling(self._kept, clock, urls=webhook_urls, token=token, external_url=base_url)
        self._api = Api(self._kept, clock, self.changed, urls=webhook_urls)
        self._door = Door(clock, _refused)
        self._story = Story(incidents)
        self._follower: asyncio.Task[None] | None = None
        self._saving: asyncio.TimerHandle | None = None

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY)
        self._door.add_to(application)
        self._story.add_to(application.router)
        self._api.add_to(application.router)
        application.router.add_get("/", self._page)
        application.router.add_get("/sim/deliveries", self._deliveries)
        return application

    async def start(self) -> None:
        self._telling.start()
        self._follower = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._follower:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        await self._telling.close()
        if self._saving:
            self._saving.cancel()
        self._kept.save()

    def changed(self) -> None:
        """Tell what is news, and write down what is new."""
        self._telling.look()
        if self._saving is None or self._saving.cancelled() or self._saving.when() < asyncio.get_running_loop().time():
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER_S, self._kept.save)

    async def _follow(self) -> None:
        """Hear when the playground's time has been moved."""
        version = int(self._clock.state["version"])
        while True:
            version = int((await self._clock.follow(version, FOLLOW_S))["version"])
            self.changed()

    async def _deliveries(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        after = int(since) if since.isdecimal() else 0
        lines = [line for line in self._telling.log if line.number > after]
        return web.json_response([{**asdict(line), "time": line.time.isoformat()} for line in lines])

    async def _page(self, _: web.Request) -> web.Response:
        """List what fires and what is silenced, plainly."""
        now = self._clock()
        firing = [alert for alert in self._kept.alerts.values() if not alert.is_resolved(now)]
        rows = []
        for group in grouped(firing):
            quiet = sum(bool(self._kept.silences.silencing(alert.labels, now)) for alert in group.alerts)
            words = ", ".join(f"{name}={value}" for name, value in group.labels.items())
            rows.append(f"<tr><td>{html.escape(words)}</td><td>{len(group.alerts)}</td><td>{quiet}</td></tr>")
        silences = "".join(
            f"<li>{html.escape(one.by)}: {html.escape(one.comment)} ({one.state(now)})</li>"
            for one in self._kept.silences
        )
        head = "<tr><th>Group</th><th>Alerts</th><th>Silenced</th></tr>"
        title = "<!doctype html><title>Alertmanager</title><h1>Alerts</h1>"
        text = f"{title}<table>{head}{''.join(rows)}</table><h1>Silences</h1><ul>{silences}</ul>"
        return web.Response(text=text, content_type="text/html")


def _refused(status: int, message: str) -> web.Response:
    if status in {404, 405, 415}:
        return web.json_response({"code": status, "message": message}, status=status)
    return web.json_response(message, status=status)
