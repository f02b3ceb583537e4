"""`/sim/incidents`, which each of the four peers answers alike: they share one story.

POST   {service, kind, environment?}   begins an incident; the environment is production where none is named
DELETE {service?, environment?}        ends those, in the body or the query; of no service: all
GET    → {"services": […], "running": […]}
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from playground.monitoring.incidents import Incidents

PATH = "/sim/incidents"


class Story:
    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get(PATH, self._tell)
        router.add_post(PATH, self._begin)
        router.add_delete(PATH, self._end)

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response(self._incidents.told())

    async def _begin(self, request: web.Request) -> web.Response:
        try:
            wish = await _wish(request)
            begun = self._incidents.begin(
                str(wish.get("service", "")), str(wish.get("kind", "")), str(wish.get("environment", "production"))
            )
        except ValueError as error:
            return web.json_response({"ok": False, "message": str(error)}, status=400)
        return web.json_response({"ok": True, "incident": asdict(begun)})

    async def _end(self, request: web.Request) -> web.Response:
        try:
            wish = {**request.query, **await _wish(request)}
        except ValueError as error:
            return web.json_response({"ok": False, "message": str(error)}, status=400)
        ended = self._incidents.end(wish.get("service"), wish.get("environment"))
        return web.json_response({"ok": True, "ended": ended})


async def _wish(request: web.Request) -> dict[str, Any]:
    """Read the body. Raise `ValueError` where it is no JSON object; nothing is an empty one."""
    raw = await request.read()
    if not raw:
        return {}
    body = await request.json()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - answered as 400
    return body
