"""`/sim/…`: what the playground and its tests order and read beside GitHub's own protocol."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from playground.github import continuous_integration, pull_requests
from playground.github.api.hooks import delivery
from playground.github.errors import ApiError
from playground.github.faults import Faults
from playground.github.hub import Hub
from playground.github.rest import Log
from playground.github.store import Document

MERGER = "platform"
"""Who merges by `/sim/merge`: a person with the right to pass over reviews."""


def problem(status: int, message: str) -> web.Response:
    return web.json_response({"ok": False, "message": message}, status=status)


class Simulation:
    def __init__(self, hub: Hub, faults: Faults, log: Log) -> None:
        self._hub = hub
        self._faults = faults
        self._log = log

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/sim/faults", self._orders)
        router.add_post("/sim/faults", self._order)
        router.add_delete("/sim/faults", self._clear)
        router.add_post("/sim/merge", self._merge)
        router.add_post("/sim/tokens", self._token)
        router.add_post("/sim/workflows", self._workflows)
        router.add_get("/sim/log", self._lines)
        router.add_get("/sim/images", self._images)
        router.add_get("/sim/deliveries", self._deliveries)
        router.add_post("/sim/redeliver", self._redeliver)

    async def _json(self, request: web.Request) -> Document:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise web.HTTPBadRequest(text="The body must be a JSON object.")
        return body

    async def _orders(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self._faults.ordered])

    async def _order(self, request: web.Request) -> web.Response:
        try:
            fault = self._faults.order(await self._json(request))
        except (TypeError, ValueError) as error:
            return problem(400, str(error))
        return web.json_response({"ok": True, "fault": asdict(fault)})

    async def _clear(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"ok": True})

    def _repository(self, body: Document) -> Document:
        """Find `acme/orders-api`, or `orders-api` in the sample organisation."""
        text = str(body.get("repo", ""))
        owner, _, name = text.rpartition("/")
        repo = self._hub.repository(owner or self._hub.owner()["login"], name)
        if repo is None:
            raise web.HTTPNotFound(text=f"There is no repository {text}.")
        return repo

    async def _token(self, request: web.Request) -> web.Response:
        """Return the personal token of `user`, with which they call REST and push."""
        account = self._hub.account(str((await self._json(request)).get("user", "")))
        if account is None or account["type"] != "User":
            return problem(404, "There is nobody of that name.")
        return web.json_response({"ok": True, "token": self._hub.access.token_of(account["login"])})

    async def _merge(self, request: web.Request) -> web.Response:
        body = await self._json(request)
        repo = self._repository(body)
        record = self._hub.store.get("pulls", repo["id"], body.get("number"))
        if record is None:
            return problem(404, "There is no such pull request.")
        method = str(body.get("method", "merge"))
        if method not in pull_requests.METHODS:
            return problem(400, f"`method` is one of {', '.join(pull_requests.METHODS)}")
        try:
            sha = await pull_requests.merge_pull(self._hub, repo, record, MERGER, method=method)
        except ApiError as error:
            return problem(409, error.message)
        return web.json_response({"ok": True, "sha": sha})

    async def _workflows(self, request: web.Request) -> web.Response:
        """Say how runs end from now on; a run still `in_progress` ends so at once."""
        body = await self._json(request)
        repo, conclusion = self._repository(body), body.get("conclusion")
        if conclusion not in continuous_integration.CONCLUSIONS:
            return problem(400, f"`conclusion` is one of {', '.join(continuous_integration.CONCLUSIONS)}")
        self._hub.store.put("workflow_conclusions", repo["id"], "next", {"conclusion": conclusion})
        ended = 0
        if conclusion not in {"in_progress", "none"}:
            for run in self._hub.store.all("runs", repo["id"]):
                if run["status"] != "completed":
                    continuous_integration.conclude(self._hub, repo, run, conclusion, run["actor"])
                    ended += 1
        return web.json_response({"ok": True, "ended": ended})

    async def _lines(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        after = int(since) if since.isdecimal() else 0
        lines: list[dict[str, Any]] = [
            {**asdict(line), "time": line.time.isoformat()} for line in self._log.lines if line.number > after
        ]
        return web.json_response(lines)

    async def _images(self, request: web.Request) -> web.Response:
        wanted = request.query.get("image")
        if wanted is not None:
            return web.json_response({"image": wanted, "pullable": self._hub.pullable(wanted)})
        return web.json_response(self._hub.store.all("images"))

    async def _deliveries(self, request: web.Request) -> web.Response:
        return web.json_response([delivery(found) for found in self._hub.deliveries.log])

    async def _redeliver(self, request: web.Request) -> web.Response:
        """Send the last `last` webhooks again under their old delivery ids."""
        last = int((await self._json(request)).get("last", 1))
        chosen = [found for found in self._hub.deliveries.log if not found.redelivery][-last:] if last > 0 else []
        for found in chosen:
            self._hub.deliveries.again(found)
        return web.json_response({"ok": True, "sent": len(chosen)})
