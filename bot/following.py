"""What follows from a build of the default branch: automatic deploys, and pins that let go because the fix is there.

Asked in the name of whoever merged, through the same policy as if they had typed it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

from bot.catalog.index import Index
from bot.deps import Deps
from bot.errors import Invalid, PlatformError
from bot.model.entities import User
from bot.model.forge_events import BuildEnded
from bot.model.operation import Asked
from bot.model.principal import Door, Principal
from bot.model.release import Release
from bot.ports import Clock
from bot.releases.reading import compared
from bot.releases.services import Service, service_of_repository
from bot.rendering.delivery import read_standing

log = logging.getLogger(__name__)

LOGIN = "github.com/user-login"
"""Backstage's annotation of a User: what GitHub calls them."""


class Following:
    """Hears of builds; asks for deploys, or lets pins go. Everything it asks has an id made of the build: hearing of it
    twice, or in two replicas, is asking once."""

    def __init__(self, deps: Deps, ask: Callable[[Asked], Awaitable[object]], clock: Clock) -> None:
        self._deps = deps
        self._ask = ask
        self._clock = clock

    async def built(self, event: BuildEnded) -> None:
        """A build has ended. Only a success on the default branch leads anywhere."""
        if not (event.succeeded and event.is_default_branch and event.repository):
            return
        service = service_of_repository(self._deps.catalog(), event.repository)
        if service is None:
            return
        for environment in self._deps.platform.environments:
            try:
                asked = await self._follows(service, environment, event)
            except PlatformError as error:
                log.warning("following_failed", extra={"environment": environment, "problem": error.message})
                continue
            if asked is not None:
                await self._ask(asked)

    async def _follows(self, service: Service, environment: str, event: BuildEnded) -> Asked | None:
        """Return what is to be asked for one environment, if anything."""
        place = service.place(self._deps, environment)
        settings = place.settings
        now = self._clock()
        try:
            release = (await read_standing(place, self._deps.forge, self._deps.clusters)).release
        except Invalid:
            # Planning fails for the same reason, and its card tells the team.
            by = self._person(event.actor) if settings.automatic else None
            return _deploy(service, environment, by, event, now) if by else None
        if release is None or release.current is None or _frozen(release, now):
            return None  # the first deploy is somebody's decision, and so is the one after a freeze
        if release.current.version.commit == event.sha:
            return None
        pinned = release.pin is not None and release.pin.until > now
        if not settings.automatic and not pinned:
            return None
        if not await self._is_newer(service, release, event.sha):
            return None
        by = self._person(event.actor, release)
        if by is None:
            return None
        if settings.automatic:
            return _deploy(service, environment, by, event, now)
        reason = f"a fix was merged: {event.sha[:7]}"
        request = {"service": service.name, "environment": environment, "reason": reason}
        return _asked("service.unpin", request, by, event, now)

    async def _is_newer(self, service: Service, release: Release, commit: str) -> bool:
        """Whether the commit comes after what runs, and after what a pin has left: builds may end in any order."""
        assert release.current is not None  # noqa: S101  # whoever asks has looked
        bases = [release.pin.bad.commit] if release.pin is not None else [release.current.version.commit]
        for base in bases:
            between = await compared(self._deps, service.repository, base, commit)
            if between is None or between.ahead == 0 or between.behind > 0:
                return False
        return True

    def _person(self, login: str, release: Release | None = None) -> Principal | None:
        """Return who began the build, as the catalog knows them; else who deployed last."""
        index = self._deps.catalog()
        return next((found for ref in _references(index, login, release) if (found := index.principal(ref))), None)


def _references(index: Index, login: str, release: Release | None) -> Iterator[str]:
    wanted = login.lower()
    for user in index.all(User):
        if user.metadata.annotations.get(LOGIN, "").lower() == wanted:
            yield user.ref
    if wanted:
        yield f"user:default/{wanted}"
    if release is not None and release.pin is not None:
        yield release.pin.by
    if release is not None and release.current is not None:
        yield release.current.by


def _deploy(service: Service, environment: str, by: Principal, event: BuildEnded, now: datetime) -> Asked:
    request = {"service": service.name, "environment": environment, "version": event.sha}
    return _asked("service.deploy", request, by, event, now)


def _frozen(release: Release, now: datetime) -> bool:
    freeze = release.freeze
    return freeze is not None and (freeze.until is None or freeze.until > now)


def _asked(command: str, request: dict[str, str], by: Principal, event: BuildEnded, now: datetime) -> Asked:
    digest = hashlib.sha256(
        f"{command}\n{request['environment']}\n{event.repository}\n{event.sha}".encode()
    ).hexdigest()
    return Asked(
        operation=f"op-{digest[:20]}",
        command=command,
        request=dict(request),
        principal=by,
        door=Door.FORGE,
        now=now,
    )
