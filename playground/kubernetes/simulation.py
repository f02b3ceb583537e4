"""`/sim/…`: what the playground and its tests order and read beside the API server's own protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from playground.kubernetes.faults import Faults, route_matches
from playground.kubernetes.http.door import Log
from playground.kubernetes.http.watching import Watches
from playground.kubernetes.objects import Objects

ForceVolumes = Callable[[str, Mapping[str, str], str], int]
"""Namespace, labels, state → how many PersistentVolumeClaims are meant now."""
ForceDatabase = Callable[[str, str, str, str], int]
"""Namespace, name, state, message → how many objects have that name now."""
ForcePods = Callable[[str, Mapping[str, str], str], int]
"""Namespace, labels, state → how many Pods look so now. Raises `ValueError` for a state that nobody knows."""


@dataclass(frozen=True, slots=True)
class Force:
    """What can be made to look otherwise. Each raises `ValueError` for a state that nobody knows."""

    pods: ForcePods
    volumes: ForceVolumes
    database: ForceDatabase


def problem(status: int, message: str) -> web.Response:
    return web.json_response({"ok": False, "message": message}, status=status)


class Simulation:
    def __init__(self, objects: Objects, faults: Faults, log: Log, watches: Watches, force: Force) -> None:
        self._objects = objects
        self._faults = faults
        self._log = log
        self._watches = watches
        self._force = force

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/sim/faults", self._orders)
        router.add_post("/sim/faults", self._order)
        router.add_delete("/sim/faults", self._clear)
        router.add_get("/sim/log", self._lines)
        router.add_post("/sim/pods", self._pods)
        router.add_post("/sim/volumes", self._volumes)
        router.add_post("/sim/databases", self._databases)
        router.add_post("/sim/compact", self._compact)
        router.add_get("/sim/watches", self._open)
        router.add_delete("/sim/watches", self._drop)

    async def _json(self, request: web.Request) -> dict[str, Any]:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise web.HTTPBadRequest(text="The body must be a JSON object.")
        return body

    async def _orders(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self._faults.ordered])

    async def _order(self, request: web.Request) -> web.Response:
        try:
            fault = self._faults.order(await self._json(request))
        except (TypeError, ValueError) as error:
            return problem(400, str(error))
        return web.json_response({"ok": True, "fault": asdict(fault)})

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"ok": True})

    async def _lines(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        after = int(since) if since.isdecimal() else 0
        found = [{**asdict(line), "time": line.time.isoformat()} for line in self._log.lines if line.number > after]
        return web.json_response(found)

    async def _pods(self, request: web.Request) -> web.Response:
        """Make pods look so from now on: `{namespace, selector, state}`, the selector an object or `label=value,…`."""
        body = await self._json(request)
        try:
            count = self._force.pods(
                str(body.get("namespace", "")), labels_of(body.get("selector")), str(body.get("state", ""))
            )
        except ValueError as error:
            return problem(400, str(error))
        return web.json_response({"ok": True, "pods": count})

    async def _volumes(self, request: web.Request) -> web.Response:
        """Give claims no volume from now on: `{namespace, selector?, state}` with `pending` or `ready`."""
        body = await self._json(request)
        try:
            count = self._force.volumes(
                str(body.get("namespace", "")), labels_of(body.get("selector")), str(body.get("state", ""))
            )
        except ValueError as error:
            return problem(400, str(error))
        return web.json_response({"ok": True, "volumes": count})

    async def _databases(self, request: web.Request) -> web.Response:
        """Have a database get stuck or fail: `{namespace, name, state, message?}`; `ready` takes it back."""
        body = await self._json(request)
        namespace, name, state, message = (str(body.get(key, "")) for key in ("namespace", "name", "state", "message"))
        try:
            count = self._force.database(namespace, name, state, message)
        except ValueError as error:
            return problem(400, str(error))
        return web.json_response({"ok": True, "databases": count})

    async def _compact(self, _: web.Request) -> web.Response:
        """Forget the history, as etcd's compaction does: older resource versions are answered with 410."""
        self._objects.compact()
        return web.json_response({"ok": True, "resourceVersion": str(self._objects.revision)})

    async def _open(self, _: web.Request) -> web.Response:
        return web.json_response(sorted(self._watches.open.values()))

    async def _drop(self, request: web.Request) -> web.Response:
        """End every open watch, or those whose path has `route` in it."""
        route = request.query.get("route", "")
        dropped = self._watches.drop(lambda path: route_matches(route, path, whole=False))
        return web.json_response({"ok": True, "dropped": dropped})


def labels_of(selector: Any) -> dict[str, str]:
    """Read a selector. Raise `ValueError` for what is none."""
    if selector is None:
        return {}
    if isinstance(selector, dict):
        return {str(key): str(value) for key, value in selector.items()}
    if not isinstance(selector, str):
        raise ValueError("`selector` is an object of labels or `label=value,…`")  # noqa: TRY004 - answered as 400
    pairs = [part.partition("=") for part in selector.split(",") if part.strip()]
    if any(not sign for _, sign, _ in pairs):
        raise ValueError("`selector` is an object of labels or `label=value,…`")
    return {key.strip(): value.strip() for key, _, value in pairs}
