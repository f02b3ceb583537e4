"""One call to GitHub from start to end: token, limiter, request, repetition where it is safe, meaning of the answer."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.errors import NotFound, Refused, UpstreamUnavailable
from integrations.github.answers import RateLimited, unknown, unreachable, value
from integrations.github.credentials import Credentials, Job
from integrations.github.limiter import Cost, Limiter
from integrations.github.transport import NoAnswer, NotSent, Reply, Transport

TRIES = 4
PAGE = 100
MOST_PAGES = 20
CACHED_ANSWERS = 128
LARGEST_CACHED = 64_000
"""Characters; together at most about 8 MB."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `doing` completes “GitHub does not let us …”."""

    job: Job
    method: str
    path: str
    doing: str
    body: Any = None
    cost: Cost = Cost.READ
    accept: str | None = None

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def may_be_kept(self) -> bool:
        return not self.writes and self.accept is None


class Client:
    """Only reads are repeated after a fault. A write is repeated only where GitHub said that it did not do it."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        limiter: Limiter,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self.limiter = limiter
        self._sleep = sleep
        self._answers: OrderedDict[str, tuple[str, Reply]] = OrderedDict()

    async def get(
        self,
        job: Job,
        path: str,
        doing: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, str] | None = None,
        accept: str | None = None,
    ) -> T:
        """Return what `read` makes of the JSON behind `path`. Raise `NotFound`, `Refused`, `UpstreamUnavailable`."""
        full = f"{path}?{urlencode(query)}" if query else path
        request = Request(job, "GET", full, doing, accept=accept)
        for attempt in range(1, TRIES):
            try:
                return await self._once(request, read)
            except UpstreamUnavailable as error:
                if error.retry_after_s is not None:
                    raise
                await self._sleep(random.uniform(0.1, 0.5) * 2**attempt)  # noqa: S311  # jitter, not a secret
        return await self._once(request, read)

    async def find(
        self,
        job: Job,
        path: str,
        doing: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, str] | None = None,
        accept: str | None = None,
    ) -> T | None:
        """Return the same as `get`, or None where there is nothing."""
        try:
            return await self.get(job, path, doing, read, query=query, accept=accept)
        except NotFound:
            return None

    async def get_all(
        self,
        job: Job,
        path: str,
        doing: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, str] | None = None,
        most_pages: int = MOST_PAGES,
    ) -> list[T]:
        """Return all entries of a list, up to `most_pages` of 100."""
        entries: list[T] = []
        for page in range(1, most_pages + 1):
            asked = {**(query or {}), "per_page": str(PAGE), "page": str(page)}
            part = await self.get(job, path, doing, each(read), query=asked)
            entries += part
            if len(part) < PAGE:
                break
        return entries

    async def write(
        self,
        job: Job,
        method: str,
        path: str,
        doing: str,
        *,
        body: Any = None,
        read: Callable[[Any], T],
        cost: Cost = Cost.WRITE,
    ) -> T:
        """Return what `read` makes of the answer. Raise `OutcomeUnknown` when no whole answer came."""
        return await self._once(Request(job, method, path, doing, body, cost), read)

    @property
    def app_id(self) -> str:
        """The App that we speak as; empty where we speak as a person."""
        return self._credentials.app_id

    async def subscribed(self) -> frozenset[str] | None:
        """Return the events that our App is sent; None where we are none."""
        return await self._credentials.subscribed()

    def forget(self, owner: str, repository: str) -> None:
        """Forget tokens of a repository that was just made or deleted."""
        self._credentials.forget(owner, repository)

    async def _once(self, request: Request, read: Callable[[Any], T]) -> T:
        """Make one call; repeat it only when GitHub refused it unread: for its limits, or for an expired token."""
        renewed = False
        for _ in range(TRIES):
            await self.limiter.wait(request.cost)
            try:
                reply = await self._send(request)
                return _read(value(reply, request.doing, write=request.writes), read, request)
            except RateLimited as limited:
                self.limiter.pause(limited.pause_s)
            except _NotAccepted:
                if renewed or not self._credentials.renew(request.job):
                    raise
                renewed = True
        raise UpstreamUnavailable(
            f"GitHub keeps refusing to {request.doing} for its limits.", retry_after_s=max(self.limiter.paused_s, 60.0)
        )

    async def _send(self, request: Request) -> Reply:
        authorization = await self._credentials.authorization(request.job)
        held = self._answers.get(request.path) if request.may_be_kept else None
        headers = {"Accept": request.accept} if request.accept else {}
        if held:
            headers["If-None-Match"] = held[0]
        try:
            reply = await self._transport.send(
                request.method, request.path, authorization, body=request.body, headers=headers
            )
        except NotSent:
            raise unreachable(request.doing) from None
        except NoAnswer as error:
            raise unknown(request.doing, str(error), write=request.writes) from None
        if reply.status == 401:
            raise _NotAccepted(f"GitHub did not accept our credentials to {request.doing}.", hint=_RENEW)
        if held and reply.status == 304:
            self._answers.move_to_end(request.path)
            return held[1]
        if request.may_be_kept:
            self._remember(request.path, reply)
        return reply

    def _remember(self, path: str, reply: Reply) -> None:
        # An answer that was not changed (304) costs nothing of the hourly allowance.
        self._answers.pop(path, None)
        tag = reply.headers.get("etag")
        if reply.status == 200 and tag and len(reply.text) <= LARGEST_CACHED:
            self._answers[path] = (tag, reply)
            if len(self._answers) > CACHED_ANSWERS:
                self._answers.popitem(last=False)


_RENEW = "Renew the GitHub token or the App's key; `causeway doctor` says what is missing."


class _NotAccepted(Refused):
    """401: the token has expired or was withdrawn."""


def nothing(_document: Any) -> None:
    """Read an answer that says nothing more than that it is done."""


def each(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    """Return a reader of lists."""

    def read_all(document: Any) -> list[T]:
        if not isinstance(document, list):
            raise TypeError("not a list")
        return [read(entry) for entry in document]

    return read_all


def _read(document: Any, read: Callable[[Any], T], request: Request) -> T:
    try:
        return read(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = "its answer was not what GitHub describes"
        raise unknown(request.doing, why, write=request.writes) from error
