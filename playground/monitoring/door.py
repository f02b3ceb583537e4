"""What each of the four peers does around its own protocol: a log of calls, and failures that were ordered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime

from aiohttp import web

from playground.github.faults import Fault, Faults
from playground.github.rest import Log, cut

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refused = Callable[[int, str], web.Response]
"""From a status and a text to the answer in the words of that system."""


def plainly(status: int, message: str) -> web.Response:
    """Refuse as Loki and Tempo do: with a line of text."""
    return web.Response(status=status, text=message)


class Door:
    """Stands before everything but `/sim/…`."""

    def __init__(
        self, clock: Callable[[], datetime], refused: Refused = plainly, *, faults: Faults | None = None
    ) -> None:
        self.faults = faults or Faults()
        self.log = Log(clock)
        self._refused = refused

    def add_to(self, application: web.Application) -> None:
        """Stand before everything but `/sim/…`, which this adds: `log` and `faults`."""
        application.middlewares.append(self._stand)
        router = application.router
        router.add_get("/sim/log", self._lines)
        router.add_get("/sim/faults", self._orders)
        router.add_post("/sim/faults", self._order)
        router.add_delete("/sim/faults", self._clear)

    @web.middleware
    async def _stand(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/sim/"):
            return await handler(request)
        fault = self.faults.next_for(request.method, request.path)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        response = await self._answer(request, handler, fault)
        self.log.add(request, response.status, "", uuid.uuid4().hex)
        return await cut(request, response, fault) if fault and isinstance(response, web.Response) else response

    async def _answer(self, request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
        if fault and fault.drop == "before":
            return web.Response(status=500)
        if fault and fault.status:
            refused = self._refused(fault.status, fault.message or "the server could not do this now")
            if fault.retry_after:
                refused.headers["Retry-After"] = str(fault.retry_after)
            return refused
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            return self._refused(refusal.status, refusal.text or refusal.reason)

    async def _lines(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        after = int(since) if since.isdecimal() else 0
        lines = [line for line in self.log.lines if line.number > after]
        return web.json_response([{**asdict(line), "time": line.time.isoformat()} for line in lines])

    async def _orders(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self.faults.ordered])

    async def _order(self, request: web.Request) -> web.Response:
        try:
            fault = self.faults.order(await request.json())
        except (AttributeError, TypeError, ValueError) as error:
            return web.json_response({"ok": False, "message": str(error)}, status=400)
        return web.json_response({"ok": True, "fault": asdict(fault)})

    async def _clear(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response({"ok": True})
