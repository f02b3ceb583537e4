"""Failures on request: beside what every peer can do wrong, what a Prometheus does of its own."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from playground.github.faults import Fault as PlainFault
from playground.github.rest import Log, cut
from playground.monitoring.prometheus.answers import ERRORS, failure, success

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WARNING = "a part of the stores did not answer: the result may be incomplete"
HUGE = 50_000
PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
OWN = ("route", "times", "skip", "status", "message", "delay_ms", "drop", "truncate", "html", "partial", "huge", "kind")


@dataclass(slots=True)
class Fault(PlainFault):
    html: bool = False
    """Answered with a proxy's page; with status 200 where `status` says nothing."""
    partial: bool = False
    """Answered, with a warning that something is missing."""
    huge: int = 0
    """Answered with so many series; `true` means 50,000."""
    kind: str = ""
    """`errorType` of an answer with `status`, where it is not the usual one."""


class Faults:
    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, given: Mapping[str, Any]) -> Fault:
        """Raise `ValueError` when the order cannot be understood."""
        route = given.get("route", "/api/v1/")
        if set(given) - set(OWN) or not isinstance(route, str):
            raise ValueError(f"a fault knows {', '.join(OWN)}")
        huge = given.get("huge") or 0
        fault = Fault(**{**given, "route": route, "huge": HUGE if huge is True else int(huge)})
        self._ordered.append(fault)
        return fault

    def next_for(self, method: str, path: str) -> Fault | None:
        """Return the fault that this call meets, and count it."""
        for fault in self._ordered:
            if not fault.matches(method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._ordered.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        self._ordered.clear()

    @property
    def ordered(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._ordered]


class Door:
    """Stands before everything but `/sim/…`: writes a log, and fails where that is ordered."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._faults = Faults()
        self._log = Log(clock)

    def add_to(self, application: web.Application) -> None:
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
        fault = self._faults.next_for(request.method, request.path)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        response: web.StreamResponse = (ordered(fault) if fault else None) or await handler(request)
        self._log.add(request, response.status, "", uuid.uuid4().hex)
        if fault and isinstance(response, web.Response):
            return await cut(request, with_warning(response) if fault.partial else response, fault)
        return response

    async def _lines(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        after = int(since) if since.isdecimal() else 0
        lines = [line for line in self._log.lines if line.number > after]
        return web.json_response([{**asdict(line), "time": line.time.isoformat()} for line in lines])

    async def _orders(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.ordered)

    async def _order(self, request: web.Request) -> web.Response:
        try:
            fault = self._faults.order(await request.json())
        except (AttributeError, TypeError, ValueError) as error:
            return web.json_response({"ok": False, "message": str(error)}, status=400)
        return web.json_response({"ok": True, "fault": asdict(fault)})

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"ok": True})


def ordered(fault: Fault) -> web.Response | None:
    """Return what is answered without asking anybody; None where the question is answered all the same."""
    if fault.drop == "before":
        return web.Response(status=500)
    if fault.html:
        return web.Response(text=PAGE, content_type="text/html", status=fault.status or 200)
    if fault.status:
        kind = fault.kind or ERRORS.get(fault.status, "internal")
        return failure(kind, fault.message or "the server could not do this now", fault.status)
    if fault.huge:
        return success({"resultType": "vector", "result": [_one_of_many(number) for number in range(fault.huge)]})
    return None


def _one_of_many(number: int) -> dict[str, Any]:
    metric = {"__name__": "up", "instance": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}:8080", "job": "many"}
    return {"metric": metric, "value": [0, "1"]}


def with_warning(response: web.Response) -> web.Response:
    if response.status != 200 or not response.text:
        return response
    body = json.loads(response.text)
    return success(body["data"], [*body.get("warnings", ()), WARNING])
