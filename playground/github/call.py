"""One REST call as the handlers see it, and the table of routes that they are entered in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from playground.github.errors import invalid, not_found
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.gitrepo import GitRepository
    from playground.github.hub import Hub

MAX_PAGE = 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls. An installation token carries `permissions` and perhaps the ids of its `repositories`."""

    login: str
    permissions: Mapping[str, str] | None = None
    repositories: tuple[int, ...] | None = None
    app_id: int | None = None
    outside: bool = False
    """A person who does not belong to the organisation: reads what is public, takes part, owns their forks."""

    def may(self, needs: str) -> bool:
        """Say whether `needs` (`contents:write`, or several of which one will do: `issues:write|pull_requests:write`)
        is covered; a personal token of the owner covers all."""
        return self.permissions is None or any(map(self._covers, needs.split("|")))

    def _covers(self, needs: str) -> bool:
        ladder = ("read", "write", "admin")
        name, _, level = needs.partition(":")
        granted = (self.permissions or {}).get(name, "read" if name == "metadata" else "")
        return granted in ladder and ladder.index(granted) >= ladder.index(level)

    def sees(self, repo: Document) -> bool:
        if self.outside and repo["private"]:
            return self.owns(repo)
        return self.repositories is None or repo["id"] in self.repositories

    def owns(self, repo: Document) -> bool:
        return bool(repo["owner"].lower() == self.login.lower())


@dataclass(frozen=True, slots=True)
class Links:
    """`api` is the base that the caller used, so that `url`s stay on the caller's host; `web` is for people."""

    api: str
    web: str


@dataclass(slots=True)
class Reply:
    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    hub: Hub
    request: web.Request
    actor: Actor
    links: Links
    body: Document
    repository: Document | None = None

    @property
    def repo(self) -> Document:
        if self.repository is None:
            raise not_found()
        return self.repository

    @property
    def scope(self) -> int:
        return int(self.repo["id"])

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    def number(self, name: str) -> int:
        """Read a numeric part of the path; anything else names nothing."""
        text = self.path(name)
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise not_found()
        return int(text)

    def query(self, name: str, default: str = "") -> str:
        return self.request.query.get(name, default)

    def get(self, name: str, default: Any = None) -> Any:
        value = self.body.get(name)
        return default if value is None else value

    def need(self, name: str, resource: str, kind: type[Any] = str) -> Any:
        """Return a field of the body that has to be there with this type."""
        value = self.body.get(name)
        if value is None or value == "":
            raise invalid(resource, name, "missing_field")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise invalid(resource, name, "invalid")
        return value

    def required(self, collection: str, key: object) -> Document:
        """Return a document of this repository, or answer 404."""
        found = self.hub.store.get(collection, self.scope, key)
        if found is None:
            raise not_found()
        return found

    async def git(self, work: Callable[[GitRepository], T]) -> T:
        return await self.hub.git(self.repo, work)

    def page(self, items: Sequence[Any], *, key: str = "", shape: Callable[[Any], Any] | None = None) -> Reply:
        """Answer one page of `items` with `Link` headers; with `key` wrapped as GitHub's counted lists are."""
        size = min(max(self._count("per_page", 30), 1), MAX_PAGE)
        number = max(self._count("page", 1), 1)
        shown = list(items[(number - 1) * size : number * size])
        if shape:
            shown = [shape(item) for item in shown]
        data: Any = {"total_count": len(items), key: shown} if key else shown
        last = max((len(items) + size - 1) // size, 1)
        links = self._page_links(number, last)
        return Reply(200, data, {"Link": links} if links else {})

    def _count(self, name: str, default: int) -> int:
        text = self.query(name)
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else default

    def _page_links(self, number: int, last: int) -> str:
        wanted = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        if number >= last:
            wanted = {k: v for k, v in wanted.items() if k in {"prev", "first"}}
        if number <= 1:
            wanted = {k: v for k, v in wanted.items() if k in {"next", "last"}}
        base = f"{self.links.api}{self.hub.api_path(self.request.path)}"
        query = {k: v for k, v in self.request.query.items() if k != "page"}
        return ", ".join(f'<{base}?{urlencode({**query, "page": page})}>; rel="{rel}"' for rel, page in wanted.items())


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    handler: Handler
    needs: str
    """Permission that an installation token must hold, `name:level`, or one of several with `|`; `jwt` for the App's
    own calls; `` for none."""


class Routes:
    """Collects a module's handlers: `@routes.get("/user", needs="metadata:read")`."""

    def __init__(self) -> None:
        self.table: list[Route] = []

    def on(self, method: str, path: str, needs: str = "metadata:read") -> Callable[[Handler], Handler]:
        def enter(handler: Handler) -> Handler:
            self.table.append(Route(method, path, handler, needs))
            return handler

        return enter

    def get(self, path: str, needs: str = "metadata:read") -> Callable[[Handler], Handler]:
        return self.on("GET", path, needs)

    def post(self, path: str, needs: str) -> Callable[[Handler], Handler]:
        return self.on("POST", path, needs)

    def put(self, path: str, needs: str) -> Callable[[Handler], Handler]:
        return self.on("PUT", path, needs)

    def patch(self, path: str, needs: str) -> Callable[[Handler], Handler]:
        return self.on("PATCH", path, needs)

    def delete(self, path: str, needs: str) -> Callable[[Handler], Handler]:
        return self.on("DELETE", path, needs)


def created(data: Any) -> Reply:
    return Reply(201, data)


def no_content() -> Reply:
    return Reply(204)
