"""In whose name we speak: a personal token, or an App with a token for each repository and job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from pydantic import SecretStr

from bot.errors import Conflict, NotFound, PlatformError, Refused
from integrations.github.answers import unknown, unreachable, value
from integrations.github.transport import Authorization, NoAnswer, NotSent, Transport

RENEW_BEFORE_S = 300.0


@dataclass(frozen=True, slots=True)
class Job:
    """What a call is allowed to do, and where. `repository` is None for what belongs to the whole organisation."""

    owner: str
    repository: str | None
    permissions: tuple[tuple[str, str], ...]


class Credentials(Protocol):
    @property
    def app_id(self) -> str:
        """The App that we speak as; empty where we speak as a person."""

    async def subscribed(self) -> frozenset[str] | None:
        """Return the events that GitHub sends us; None where we are no App: each webhook then has events of its own."""

    async def authorization(self, job: Job) -> Authorization:
        """Return what to send with a call of this job. Raise `PlatformError` when there is nothing to send."""

    def renew(self, job: Job) -> bool:
        """Forget what was sent, because it was not accepted; return whether there may be something better."""

    def forget(self, owner: str, repository: str) -> None:
        """Forget what was held for a repository that was just made or deleted: its name means another one now."""


class PersonalToken:
    app_id = ""

    async def subscribed(self) -> frozenset[str] | None:
        return None

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    async def authorization(self, job: Job) -> Authorization:
        return Authorization("token", self._token.get_secret_value())

    def renew(self, job: Job) -> bool:
        return False

    def forget(self, owner: str, repository: str) -> None:
        pass


@dataclass(slots=True)
class _Held:
    """A token and the monotonic moment from which it is not used any more."""

    until: float = 0.0
    authorization: Authorization | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class AppTokens:
    """Installation tokens: each for one repository and one job, held in memory, renewed in time under a lock."""

    def __init__(
        self, transport: Transport, app_id: str, key: SecretStr, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._app_id = app_id
        self._key = key
        self._clock = clock
        self._held: dict[Job, _Held] = {}
        self._installations: dict[str, int] = {}

    @property
    def app_id(self) -> str:
        return self._app_id

    async def subscribed(self) -> frozenset[str] | None:
        document, _ = await self._as_app("GET", "/app", "read what our App is told")
        events = document.get("events")
        return frozenset(map(str, events)) if isinstance(events, list) else frozenset()

    async def authorization(self, job: Job) -> Authorization:
        held = self._held.setdefault(job, _Held())
        async with held.lock:
            if held.authorization is None or self._clock() >= held.until:
                asked_at = self._clock()
                held.authorization, life_s = await self._mint(job)
                held.until = asked_at + life_s - min(RENEW_BEFORE_S, life_s / 2)
                self._forget_old()
            return held.authorization

    def renew(self, job: Job) -> bool:
        return self._held.pop(job, None) is not None

    def forget(self, owner: str, repository: str) -> None:
        for job in [job for job in self._held if (job.owner, job.repository) == (owner, repository)]:
            del self._held[job]

    async def _mint(self, job: Job) -> tuple[Authorization, float]:
        """Return a token and its life in seconds."""
        installation = await self._installation(job.owner)
        # Permissions are always named: left out they are all that the App has, and an empty map is read as none.
        body: dict[str, Any] = {"permissions": dict(job.permissions)}
        if job.repository is not None:
            body["repositories"] = [job.repository]
        path = f"/app/installations/{installation}/access_tokens"
        try:
            document, headers = await self._as_app("POST", path, f"give us a token for {job.owner}", body)
        except Conflict as error:
            raise _not_given(error, job) from error
        token, expires = document.get("token"), document.get("expires_at")
        if not isinstance(token, str) or not isinstance(expires, str):
            raise unknown("give us a token", "its answer held none", write=False)
        return Authorization("token", token), _life_s(expires, headers)

    async def _installation(self, owner: str) -> int:
        doing = f"find the installation of our App in {owner}"
        for kind in ("orgs", "users"):
            if owner in self._installations:
                break
            try:
                document, _ = await self._as_app("GET", f"/{kind}/{owner}/installation", doing)
                self._installations[owner] = int(document["id"])
            except NotFound:
                continue
        if owner not in self._installations:
            hint = "Ask an owner of that organisation to install it."
            raise Refused(f"Our GitHub App is not installed in {owner}.", hint=hint)
        return self._installations[owner]

    async def _as_app(
        self, method: str, path: str, doing: str, body: Any = None
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        # Making a token twice harms nobody, so a lost answer is treated as a read's.
        try:
            signed = await self._transport.app_token(self._app_id, self._key.get_secret_value())
            reply = await self._transport.send(method, path, signed, body=body)
        except ValueError:
            raise Refused(
                "The private key of our GitHub App cannot be read.", hint="CAUSEWAY_GITHUB_APP_KEY holds its PEM text."
            ) from None
        except NotSent:
            raise unreachable(doing) from None
        except NoAnswer as error:
            raise unknown(doing, str(error), write=False) from None
        document = value(reply, doing, write=False)
        if not isinstance(document, dict):
            raise unknown(doing, "the answer was not what GitHub describes", write=False)
        return document, reply.headers

    def _forget_old(self) -> None:
        now = self._clock()
        for job in [job for job, held in self._held.items() if held.until < now and not held.lock.locked()]:
            del self._held[job]


def _not_given(error: Conflict, job: Job) -> PlatformError:
    """GitHub has one status for a repository that it does not know and for a permission that the App lacks."""
    if "repository" in error.message:
        return NotFound(f"The repository {job.owner}/{job.repository} does not exist, or our App may not see it.")
    wanted = ", ".join(f"{name}: {level}" for name, level in job.permissions)
    return Refused(error.message, hint=f"Give the GitHub App the permissions {wanted} and accept them in {job.owner}.")


def _life_s(expires: str, headers: Mapping[str, str]) -> float:
    """Return how long a token lives, by the server's own clock."""
    try:
        now = parsedate_to_datetime(headers["date"])
        return (datetime.fromisoformat(expires) - now).total_seconds()
    except (KeyError, ValueError):
        return 3600.0
