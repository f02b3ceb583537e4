"""GitHub as the playground has it: REST, Git, webhooks and pages in one aiohttp application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType

from aiohttp import web

from playground import sample as sample_company
from playground.github import access as apps
from playground.github.access import Access
from playground.github.api import ROUTES
from playground.github.deliveries import Deliveries
from playground.github.faults import Faults
from playground.github.git_http import GitDoor
from playground.github.hub import Hub
from playground.github.pages import Pages
from playground.github.rest import ON_REQUEST, Log, RestDoor
from playground.github.seed import seed
from playground.github.simulation import Simulation

MAX_BODY = 64 * 1024 * 1024
"""Longest request that is read, in bytes; a push may carry that much."""


class GitHubPeer:
    """One GitHub with one organisation, one personal token and one App.

    `token` is the personal token of the bot's account, which owns the organisation. Webhooks go to `webhook_urls` (all
    events) and to the hooks that are made through the API. The REST base URL is `<base_url>/api/v3` or `<base_url>`.
    """

    name = "github"

    def __init__(
        self,
        *,
        data_dir: Path,
        base_url: str,
        clock: Callable[[], datetime],
        token: str,
        webhook_secret: str,
        webhook_urls: Sequence[str] = (),
        sample: ModuleType = sample_company,
        on_request: ON_REQUEST | None = None,
    ) -> None:
        self._sample = sample
        self._deliveries = Deliveries(clock)
        self._hub = Hub(data_dir, base_url, clock, self._deliveries)
        self._hub.webhook_secret = webhook_secret
        self._access = self._hub.access = Access(self._hub, token, "causeway")
        self._faults = Faults()
        self._log = Log(clock)
        self._rest = RestDoor(self._hub, self._access, self._faults, self._log)
        self._rest.on_request = on_request
        self.deliver_to(webhook_urls)

    @property
    def hub(self) -> Hub:
        """What lies behind the doors, for peers of the same playground."""
        return self._hub

    @property
    def base_url(self) -> str:
        return self._hub.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        """Set where people and webhooks find this GitHub, once its port is known."""
        self._hub.base_url = url.rstrip("/")

    def deliver_to(self, urls: Sequence[str]) -> None:
        """Send every webhook to these addresses from now on."""
        self._hub.webhook_urls = list(urls)

    def pullable(self, image: str) -> bool:
        """Say whether a successful workflow run has published `registry/owner/name:tag`."""
        return self._hub.pullable(image)

    async def delivered(self) -> None:
        """Wait until every webhook handed over so far was answered or given up."""
        await self._deliveries.drain()

    async def app_credentials(self) -> tuple[int, int, str]:
        """Return the App's id, its installation's id and its private key (PEM), made on first use."""
        return apps.APP_ID, apps.INSTALLATION_ID, await self._access.app_private_key()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY, middlewares=[self._unknown])
        router = application.router
        Simulation(self._hub, self._faults, self._log).add_to(router)
        for route in ROUTES:
            for prefix in ("/api/v3", ""):
                router.add_route(route.method, prefix + route.path, self._rest.serve(route))
        GitDoor(self._hub, self._access, self._faults, self._log).add_to(router)
        Pages(self._hub).add_to(router)
        return application

    @web.middleware
    async def _unknown(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer what no route knows with GitHub's own 404, and log it as any other call."""
        if request.match_info.http_exception is None:
            return await handler(request)
        return await self._rest.answer(request, None)

    async def start(self) -> None:
        if not self._hub.store.all("accounts"):
            await seed(self._hub, self._sample)
        await self._deliveries.start()

    async def close(self) -> None:
        await self._deliveries.close()
        self._hub.close()
