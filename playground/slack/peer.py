"""Slack, as far as a bot can tell: the peer that the playground starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from aiohttp import web

from playground import sample as sample_company
from playground.clock import PlaygroundClock
from playground.slack import api, limits, sim
from playground.slack.acts import Acts
from playground.slack.delivery import Deliveries
from playground.slack.events import Events
from playground.slack.socket_mode import Sockets
from playground.slack.tokens import SlackTokens
from playground.slack.workspace import App, open_workspace, told_by

__all__ = ["SlackPeer", "SlackTokens"]


class SlackPeer:
    """The simulated workspace with one app installed.

    `bot_urls` are the request URLs of the app's replicas; deliveries go round them, and pass over one that refuses the
    connection. `manifest` (as parsed from app-manifest.yml) tells which commands and events the app has; without it
    every command is delivered. Raise `ValueError` for a scope that Slack does not know.
    """

    name = "slack"

    def __init__(
        self,
        *,
        data_dir: Path,
        base_url: str,
        clock: PlaygroundClock,
        bot_urls: Sequence[str],
        tokens: SlackTokens,
        scopes: frozenset[str],
        socket_mode: bool = False,
        sample: ModuleType = sample_company,
        manifest: Mapping[str, Any] | None = None,
        rate_limits: bool = True,
        ack_timeout_s: float = limits.ACK_S,
    ) -> None:
        app = told_by(manifest, tokens, scopes) if manifest else App(tokens, scopes)
        self.workspace = open_workspace(
            folder=data_dir, base_url=base_url, clock=clock, app=app, sample=sample, rate_limits=rate_limits
        )
        self._socket_mode = socket_mode
        self._sockets = Sockets(self.workspace)
        self._deliveries = Deliveries(
            self.workspace, self._sockets, bot_urls, socket_mode=socket_mode, ack_timeout_s=ack_timeout_s
        )
        self._events = Events(self.workspace, self._deliveries)
        self._acts = Acts(self.workspace, self._deliveries, self._events)

    def deliver_to(self, bot_urls: Sequence[str]) -> None:
        """Set the request URLs of the app's replicas."""
        self._deliveries.deliver_to(bot_urls)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=20 * 1024 * 1024)
        app.add_routes(api.routes(self.workspace))
        app.router.add_get("/link/", self._sockets.connect)
        door = sim.application(self.workspace, self._acts, self._sockets, socket_mode=self._socket_mode)
        app.add_subapp("/sim", door)
        app.on_shutdown.append(self._release)
        return app

    async def _release(self, _app: web.Application) -> None:
        """End what waits for the next event, so that the server can stop at once."""
        self.workspace.stream.close()
        await self._sockets.close()

    async def start(self) -> None:
        """Send what an earlier run still owed to the app."""
        self._events.start()

    async def close(self) -> None:
        self.workspace.stream.close()
        await self._sockets.close()
        await self._events.close()
        await self._deliveries.close()
        self.workspace.store.close()
