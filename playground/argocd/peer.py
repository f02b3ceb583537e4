"""Argo CD as a peer of the playground: its REST API, `/sim/…` beside it, and a plain page that lists applications."""

from __future__ import annotations

import asyncio
import hmac
import html
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime

from aiohttp import web

from playground.argocd.api import ACCOUNT, Api
from playground.argocd.controller import ApplicationController
from playground.argocd.errors import NOT_FOUND, UNAUTHENTICATED, ApiRefusal
from playground.argocd.sources import Repositories, Sources
from playground.github.faults import Fault, Faults
from playground.github.rest import Log, cut
from playground.kubernetes.controllers.objects import name_of, status_of
from playground.kubernetes.store import Store

OPEN = ("/api/version", "/api/webhook")
"""What is answered without a token."""
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 500: 2, 503: 14}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ArgoCDPeer:
    """One Argo CD that delivers to the cluster whose objects `store` holds. `token` is the bot's."""

    name = "argocd"

    def __init__(self, *, store: Store, clock: Callable[[], datetime], repositories: Repositories, token: str) -> None:
        self._token = token
        self.controller = ApplicationController(store, clock, Sources(repositories))
        self._api = Api(store, clock, self.controller)
        self._faults = Faults()
        self._log = Log(clock)

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._door], client_max_size=4 * 1024 * 1024)
        self._api.add_to(application.router)
        application.on_shutdown.append(self._api.end_streams)
        application.router.add_get("/", self._page)
        application.router.add_get("/applications/{namespace}/{name}", self._page)
        application.router.add_get("/sim/log", self._lines)
        application.router.add_get("/sim/faults", self._orders)
        application.router.add_post("/sim/faults", self._order)
        application.router.add_delete("/sim/faults", self._clear)
        return application

    async def start(self) -> None:
        self.controller.start()
        self._api.start()

    async def close(self) -> None:
        self._api.close()
        await self.controller.close()

    def pushed(self, repository: str) -> None:
        """Hear that `owner/name` has moved; whichever address an application has for it."""
        self.controller.pushed(lambda url: f"/{url}".removesuffix(".git").endswith(f"/{repository}"))

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the API be reached with a token only, and fail where a fault is ordered."""
        if not request.path.startswith("/api/"):
            return await handler(request)
        fault = self._faults.next_for(request.method, request.path)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        try:
            if fault and fault.drop == "before":
                response: web.StreamResponse = web.Response(status=500)
            else:
                response = await self._answer(request, handler, fault)
        except ApiRefusal as refusal:
            response = web.json_response(refusal.body(), status=refusal.status)
        except web.HTTPException as refusal:
            response = refused(refusal.status, refusal.reason)
        self._log.add(request, response.status, ACCOUNT, uuid.uuid4().hex)
        return await cut(request, response, fault) if fault and isinstance(response, web.Response) else response

    async def _answer(self, request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
        if fault and fault.status:
            return refused(fault.status, fault.message or "upstream request failed")
        if request.path not in OPEN:
            self._authenticate(request)
        if request.match_info.http_exception is not None:
            raise ApiRefusal(NOT_FOUND, "Not Found")
        return await handler(request)

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise ApiRefusal(UNAUTHENTICATED, "no session information")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            text = "invalid session: token is malformed: token contains an invalid number of segments"
            raise ApiRefusal(UNAUTHENTICATED, text)

    # --- beside the API

    async def _page(self, request: web.Request) -> web.Response:
        """List the applications, plainly."""
        rows = "".join(
            f"<tr><td>{html.escape(name_of(one))}</td>"
            f"<td>{html.escape(status_of(one).get('sync', {}).get('status', ''))}</td>"
            f"<td>{html.escape(status_of(one).get('health', {}).get('status', ''))}</td>"
            f"<td>{html.escape(status_of(one).get('sync', {}).get('revision', '')[:7])}</td></tr>"
            for one in self.controller.applications()
        )
        head = "<tr><th>Application</th><th>Sync</th><th>Health</th><th>Revision</th></tr>"
        text = f"<!doctype html><title>Argo CD</title><h1>Applications</h1><table>{head}{rows}</table>"
        return web.Response(text=text, content_type="text/html")

    async def _lines(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        after = int(since) if since.isdecimal() else 0
        lines = [line for line in self._log.lines if line.number > after]
        return web.json_response([{**asdict(line), "time": line.time.isoformat()} for line in lines])

    async def _orders(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self._faults.ordered])

    async def _order(self, request: web.Request) -> web.Response:
        try:
            fault = self._faults.order(await request.json())
        except (AttributeError, TypeError, ValueError) as error:
            return web.json_response({"ok": False, "message": str(error)}, status=400)
        return web.json_response({"ok": True, "fault": asdict(fault)})

    async def _clear(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"ok": True})


def refused(status: int, message: str) -> web.Response:
    body = {"error": message, "code": CODES.get(status, 2), "message": message}
    return web.json_response(body, status=status)
