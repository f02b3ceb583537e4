"""Failures on request: beside what every peer can do wrong, what a Prometheus does of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from playground.github.faults import Fault as PlainFault
from playground.github.faults import Faults
from playground.monitoring.door import Door, Handler
from playground.monitoring.prometheus.answers import ERRORS, failure, success

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


class OwnFaults(Faults):
    """The same orders as everywhere, with words of a Prometheus beside them."""

    def order(self, given: Mapping[str, Any]) -> Fault:
        """Raise `ValueError` when the order cannot be understood."""
        route = given.get("route", "/api/v1/")
        if set(given) - set(OWN) or not isinstance(route, str):
            raise ValueError(f"a fault knows {', '.join(OWN)}")
        huge = given.get("huge") or 0
        fault = Fault(**{**given, "route": route, "huge": HUGE if huge is True else int(huge)})
        self._ordered.append(fault)
        return fault


class PrometheusDoor(Door):
    """The door that every peer has, for faults of its own."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock, faults=OwnFaults())

    async def _answer(self, request: web.Request, handler: Handler, fault: PlainFault | None) -> web.StreamResponse:
        if not isinstance(fault, Fault):
            return await handler(request)
        response: web.StreamResponse = ordered(fault) or await handler(request)
        return with_warning(response) if fault.partial and isinstance(response, web.Response) else response


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
