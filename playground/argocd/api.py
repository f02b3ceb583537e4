"""Argo CD's REST API over the application controller: read, follow, refresh, sync."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import datetime

from aiohttp import web

from playground.argocd.automation import told
from playground.argocd.controller import ApplicationController
from playground.argocd.errors import INVALID, PRECONDITION, UNKNOWN, ApiRefusal, denied, not_found
from playground.argocd.projects import IN_CLUSTER, IN_CLUSTER_NAME, normalized
from playground.argocd.reconciling import GROUP, NAMESPACE
from playground.argocd.sources import SourceError
from playground.argocd.status import REFRESH
from playground.argocd.sync import RUNNING, TERMINATING
from playground.argocd.windows import active, matching, may_sync
from playground.kubernetes.controllers.objects import Object, meta, name_of, spec_of, status_of
from playground.kubernetes.objects import Change, copied
from playground.kubernetes.selectors import label_filter
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Store

VERSION = "v3.2.0+playground"
ACCOUNT = "causeway"
"""The local account whose token the bot has."""
RIGHTS = frozenset({("applications", "get"), ("applications", "sync"), ("clusters", "get")})
"""What that account may do: the policy of `manifests/install/argocd`."""
HEARTBEAT_S = 15.0
"""Between two comments on a quiet stream of server-sent events, in real seconds."""
REFRESH_S = 60.0
"""Longest wait for a refresh, in real seconds."""
Watched = tuple[str, Object]


class Api:
    def __init__(self, store: Store, clock: Callable[[], datetime], controller: ApplicationController) -> None:
        self._store = store
        self._clock = clock
        self._controller = controller
        self._streams: set[asyncio.Queue[Watched | None]] = set()

    def add_to(self, router: web.UrlDispatcher) -> None:
        one = "/api/v1/applications/{name}"
        router.add_get("/api/version", self._version)
        router.add_get("/api/v1/session/userinfo", self._userinfo)
        router.add_get("/api/v1/account/can-i/{resource}/{action}/{object:.+}", self._can_i)
        router.add_get("/api/v1/clusters", self._clusters)
        router.add_get("/api/v1/applications", self._list)
        router.add_get("/api/v1/stream/applications", self._stream)
        router.add_get(one, self._get)
        router.add_post(f"{one}/sync", self._sync)
        router.add_delete(f"{one}/operation", self._terminate)
        router.add_get(f"{one}/resource-tree", self._tree)
        router.add_get(f"{one}/syncwindows", self._windows)
        router.add_get(f"{one}/revisions/{{revision}}/metadata", self._revision)
        router.add_post("/api/webhook", self._webhook)

    def start(self) -> None:
        self._store.objects.listen(self._hear)

    def close(self) -> None:
        self._store.objects.unlisten(self._hear)

    async def end_streams(self, _: web.Application) -> None:
        """Let everybody go who follows, so that the server can stop."""
        for queue in self._streams:
            queue.put_nowait(None)

    def _hear(self, change: Change) -> None:
        if change.key == (GROUP, "applications"):
            for queue in self._streams:
                queue.put_nowait((change.what, change.object))

    # --- reading

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"Version": VERSION})

    async def _userinfo(self, request: web.Request) -> web.Response:
        return web.json_response({"loggedIn": True, "username": ACCOUNT, "iss": "argocd"})

    async def _can_i(self, request: web.Request) -> web.Response:
        asked = (request.match_info["resource"], request.match_info["action"])
        return web.json_response({"value": "yes" if asked in RIGHTS else "no"})

    async def _clusters(self, request: web.Request) -> web.Response:
        return web.json_response({"metadata": {}, "items": [{"server": IN_CLUSTER, "name": IN_CLUSTER_NAME}]})

    async def _list(self, request: web.Request) -> web.Response:
        found = [one for one in self._controller.applications() if self._fits(request, one)]
        body = {
            "metadata": {"resourceVersion": str(self._store.revision)},
            "items": [self._shown(one) for one in found],
        }
        return web.json_response(body)

    def _fits(self, request: web.Request, application: Object) -> bool:
        """Say whether an application is meant by the query of a list or a stream."""
        query = request.query
        projects = [*query.getall("projects", []), *query.getall("project", [])]
        if query.get("name") and query["name"] != name_of(application):
            return False
        if query.get("appNamespace") and query["appNamespace"] != meta(application)["namespace"]:
            return False
        if query.get("repo") and query["repo"] != (spec_of(application).get("source") or {}).get("repoURL"):
            return False
        if projects and spec_of(application).get("project") not in projects:
            return False
        return selected(query.get("selector", ""), application)

    def _named(self, request: web.Request) -> Object:
        """Return the application of the path. Who names no project cannot learn whether there is one of the name."""
        name = request.match_info["name"]
        project = request.query.get("project", "")
        found = self._controller.application(name)
        if request.query.get("appNamespace", NAMESPACE) != NAMESPACE:
            found = None
        if found is None or (project and (spec_of(found).get("project") or "default") != project):
            raise not_found(name) if project else denied()
        return found

    def _shown(self, application: Object) -> Object:
        """Return an application as the API shows it: without its type, with the health of its resources."""
        shown: Object = {key: value for key, value in application.items() if key not in {"apiVersion", "kind"}}
        status = status_of(shown)
        if status.get("resources"):
            health = dict(self._health(application))
            resources = [_with_health(one, health.get(_key(one))) for one in status["resources"]]
            shown = {**shown, "status": {**status, "resources": resources}}
        return shown

    def _health(self, application: Object) -> Iterable[tuple[tuple[str, str, str, str], Object]]:
        for node in self._controller.tree_of(application)["nodes"]:
            if "health" in node:
                yield _key(node), node["health"]
            elif "uid" not in node:
                yield _key(node), {"status": "Missing", "message": "Resource has not been created"}

    async def _get(self, request: web.Request) -> web.Response:
        application = self._named(request)
        if "refresh" in request.query:
            application = await self._refreshed(application, request.query["refresh"])
        return web.json_response(self._shown(application))

    async def _refreshed(self, application: Object, kind: str) -> Object:
        """Ask for a refresh and wait until the controller has done it."""
        name = name_of(application)
        queue: asyncio.Queue[Watched | None] = asyncio.Queue()
        self._streams.add(queue)
        try:
            meta(application).setdefault("annotations", {})[REFRESH] = "hard" if kind == "hard" else "normal"
            self._store.update(application, manager="argocd-server")
            async with asyncio.timeout(REFRESH_S):
                while (event := await queue.get()) is not None:
                    if name_of(event[1]) == name and REFRESH not in (meta(event[1]).get("annotations") or {}):
                        return copied(event[1])
        except TimeoutError:
            pass
        finally:
            self._streams.discard(queue)
        raise ApiRefusal(UNKNOWN, "application refresh deadline exceeded")

    async def _tree(self, request: web.Request) -> web.Response:
        return web.json_response(self._controller.tree_of(self._named(request)))

    async def _windows(self, request: web.Request) -> web.Response:
        application = self._named(request)
        windows = matching(self._controller.project_of(application) or {}, application)
        body: Object = {"canSync": may_sync(windows, self._clock(), by_hand=True)}
        shown = {"assignedWindows": windows, "activeWindows": active(windows, self._clock())}
        body |= {key: [_window(one) for one in found] for key, found in shown.items() if found}
        return web.json_response(body)

    async def _revision(self, request: web.Request) -> web.Response:
        source = spec_of(self._named(request))["source"]
        try:
            found = await self._controller.sources.repositories.commit(
                source["repoURL"], request.match_info["revision"]
            )
        except SourceError as error:
            raise ApiRefusal(UNKNOWN, str(error).rpartition(" desc = ")[2]) from error
        body: Object = {"author": found.author, "date": found.date, "message": found.message}
        return web.json_response({**body, **({"tags": list(found.tags)} if found.tags else {})})

    # --- following

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Tell of applications, one JSON object a line, or as server-sent events to who accepts those.

        As with Argo CD nothing is sent before there is an event to tell: no headers and no comments.
        """
        events = "text/event-stream" in request.headers.get("Accept", "")
        response = web.StreamResponse()
        response.content_type = "text/event-stream" if events else "application/json"
        response.headers["Cache-Control"] = "no-cache"
        queue: asyncio.Queue[Watched | None] = asyncio.Queue()
        if not request.query.get("resourceVersion") or request.query.get("name"):
            for application in self._controller.applications():
                queue.put_nowait(("ADDED", application))
        self._streams.add(queue)
        try:
            while (event := await _next(queue, begun=response.prepared)) is not None:
                if line := self._line(request, event, events=events):
                    await response.prepare(request)
                    await response.write(line)
        except ConnectionError:
            pass  # whoever listened has gone
        finally:
            self._streams.discard(queue)
        return response

    def _line(self, request: web.Request, event: Watched, *, events: bool) -> bytes:
        what, application = event
        if not what:
            return b":\n" if events else b""
        if not self._fits(request, application):
            return b""
        line = json.dumps({"result": {"type": what, "application": self._shown(application)}}).encode()
        return b"data: " + line + b"\n\n" if events else line + b"\n"

    # --- acting

    async def _sync(self, request: web.Request) -> web.Response:
        application = self._named(request)
        wish = await _body(request)
        windows = matching(self._controller.project_of(application) or {}, application)
        if not may_sync(windows, self._clock(), by_hand=True):
            raise ApiRefusal(7, "cannot sync: blocked by sync window")
        if meta(application).get("deletionTimestamp"):
            raise ApiRefusal(PRECONDITION, "application is deleting")
        source = spec_of(application)["source"]
        policy = spec_of(application).get("syncPolicy") or {}
        revision = wish.get("revision", "")
        followed = source.get("targetRevision") or "HEAD"
        if policy.get("automated") is not None and revision and revision != followed and not wish.get("dryRun"):
            shown = source.get("targetRevision", "")
            raise ApiRefusal(PRECONDITION, f"Cannot sync to {revision}: auto-sync currently set to {shown}")
        try:
            commit = await self._controller.sources.repositories.resolve(source["repoURL"], revision or followed)
        except SourceError as error:
            raise ApiRefusal(PRECONDITION, str(error)) from error
        return web.json_response(self._shown(self._begin(request, operation(application, wish, commit))))

    def _begin(self, request: web.Request, wanted: Object) -> Object:
        application = self._named(request)
        if application.get("operation"):
            raise ApiRefusal(PRECONDITION, "another operation is already in progress")
        return self._store.update({**application, "operation": wanted}, manager="argocd-server")

    async def _terminate(self, request: web.Request) -> web.Response:
        application = self._named(request)
        state = status_of(application).get("operationState")
        if not application.get("operation") or not state or state["phase"] != RUNNING:
            raise ApiRefusal(INVALID, "Unable to terminate operation. No operation is in progress")
        ended = {**status_of(application), "operationState": {**state, "phase": TERMINATING}}
        self._store.update({**application, "status": ended}, manager="argocd-server")
        return web.json_response({})

    async def _webhook(self, request: web.Request) -> web.Response:
        """Hear of a push from GitHub."""
        payload = await _body(request)
        if request.headers.get("X-GitHub-Event") == "push":
            told = payload.get("repository") or {}
            urls = {normalized(told[key]) for key in ("html_url", "clone_url", "ssh_url") if told.get(key)}
            self._controller.pushed(lambda url: normalized(url) in urls)
        return web.Response()


def selected(selector: str, application: Object) -> bool:
    try:
        return bool(label_filter(selector)(application))
    except ApiError as error:
        raise ApiRefusal(INVALID, f"error parsing the selector: {error.message}") from error


def operation(application: Object, wish: Object, commit: str) -> Object:
    """Return the operation that a request for a sync becomes."""
    policy = spec_of(application).get("syncPolicy") or {}
    options = (wish.get("syncOptions") or {}).get("items") or policy.get("syncOptions")
    sync: Object = {"revision": commit, "source": spec_of(application)["source"]}
    sync |= {key: wish[key] for key in ("prune", "dryRun", "resources") if wish.get(key)}
    sync |= {"syncStrategy": wish["strategy"]} if wish.get("strategy") else {}
    sync |= {"syncOptions": options} if options else {}
    retry = told(wish.get("retryStrategy") or policy.get("retry") or {})
    infos = {"info": wish["infos"]} if wish.get("infos") else {}
    return {"sync": sync, "initiatedBy": {"username": ACCOUNT}, "retry": retry, **infos}


def _window(window: Object) -> Object:
    found = {"kind": window["kind"], "schedule": window["schedule"], "duration": window["duration"]}
    return {**found, "manualSync": bool(window.get("manualSync"))}


def _key(resource: Object) -> tuple[str, str, str, str]:
    return resource.get("group", ""), resource["kind"], resource.get("namespace", ""), resource["name"]


def _with_health(resource: Object, health: Object | None) -> Object:
    return {**resource, "health": health} if health else resource


async def _body(request: web.Request) -> Object:
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise ApiRefusal(INVALID, str(error)) from error
    if not isinstance(body, dict):
        raise ApiRefusal(INVALID, "json: cannot unmarshal the body into an object")
    return body


async def _next(queue: asyncio.Queue[Watched | None], *, begun: bool) -> Watched | None:
    """Return the next event, an empty one after a quiet while on a stream that has begun, or None at the end."""
    try:
        async with asyncio.timeout(HEARTBEAT_S if begun else None):
            return await queue.get()
    except TimeoutError:
        return "", {}
