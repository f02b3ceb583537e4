"""How a service stands everywhere, read at once from every system that knows a part of it.

A question is answered while somebody waits: what does not answer in time, or cannot, is said to be missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from bot.deps import Deps
from bot.errors import PlatformError
from bot.health.facts import Workload
from bot.health.parsing import workload
from bot.model.operation import Behind
from bot.model.platform import Platform
from bot.model.release import Release
from bot.ports import Application, Cluster
from bot.releases.changes import address, change_to
from bot.releases.services import Service
from bot.releases.versions import Candidate, candidates
from bot.rendering.delivery import Place, read_standing
from bot.rendering.delivery.change import release_file
from bot.rendering.delivery.reading import parsed

PATIENCE_S = 1.5
"""Longest wait for one system, in seconds. All are asked at the same time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What a system said; `problem` is why it said nothing, in a sentence for people."""

    value: T | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A service in one environment. Systems that are not there at all are None."""

    place: Place
    release: Told[Release]
    application: Told[Application] | None = None
    workload: Told[Workload] | None = None
    in_line: Told[tuple[Behind, ...]] = Told()

    @property
    def running(self) -> Release | None:
        """The release, where a version was deployed."""
        release = self.release.value
        return release if release is not None and release.current is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    stands: tuple[Stand, ...]
    """One for each environment, in the order in which versions are promoted."""
    versions: Told[tuple[Candidate, ...]]
    """What could be deployed, newest first."""


async def told(who: str, asked: Awaitable[T | None]) -> Told[T]:
    """Return what `who` answers within `PATIENCE_S`, or why nothing is known."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return Told(await asked)
    except TimeoutError:
        return Told(problem=f"{who} has not answered yet.")
    except PlatformError as error:
        return Told(problem=error.message)


async def read_overview(service: Service, deps: Deps) -> Overview:
    """Ask everything at once. Raises nothing that a system could be to blame for."""
    places = [service.place(deps, name) for name in deps.platform.environments]
    known = [place for place in places if keeps_releases(deps.platform, place.environment)]
    versions, stands = await asyncio.gather(
        told("The place of its source", candidates(service, deps)),
        asyncio.gather(*(_stand(place, deps) for place in known)),
    )
    return Overview(stands=tuple(stands), versions=versions)


def keeps_releases(platform: Platform, environment: str) -> bool:
    """Return whether there is a place where this environment's releases are written down."""
    return platform.environment(environment).delivery != "gitops" or bool(platform.gitops.repository)


def address_of(place: Place, release: Release) -> str | None:
    """Return where a release answers from outside; None where nobody can reach it, or it cannot be rendered now."""
    try:
        return address(change_to(place, release, ""))
    except (PlatformError, ValidationError):
        return None


async def _stand(place: Place, deps: Deps) -> Stand:
    cluster = deps.clusters.get(place.settings.cluster)
    release, application, found, in_line = await asyncio.gather(
        told("Git" if place.is_gitops else "The cluster", _release(place, deps)),
        _application(place, deps),
        _workload(place, cluster),
        told("The list of operations", deps.in_lane(place.lane)),
    )
    return Stand(place=place, release=release, application=application, workload=found, in_line=in_line)


async def _release(place: Place, deps: Deps) -> Release | None:
    if not place.is_gitops:
        return (await read_standing(place, deps.forge, deps.clusters)).release
    gitops = place.platform.gitops
    content = await deps.forge.file(gitops.repository, gitops.branch, release_file(place))
    return parsed(content.decode(errors="replace") if content is not None else None, release_file(place))


async def _application(place: Place, deps: Deps) -> Told[Application] | None:
    if not place.is_gitops or deps.deployments is None:
        return None
    return await told("Argo CD", deps.deployments.application(place.application))


async def _workload(place: Place, cluster: Cluster | None) -> Told[Workload] | None:
    return await told("The cluster", _deployment(place, cluster)) if cluster is not None else None


async def _deployment(place: Place, cluster: Cluster) -> Workload | None:
    """Return the service's Deployment; None of one that runs by a schedule. To list is the right that we have."""
    labels = {"causeway.io/service": place.service, "causeway.io/environment": place.environment}
    found = await cluster.list("apps/v1", "Deployment", namespace=place.namespace, labels=labels)
    return next((one for one in map(workload, found) if one.name == place.service), None)


def runs_in(stands: Sequence[Stand], commit: str) -> tuple[str, ...]:
    """Return the environments in which a commit runs."""
    return tuple(
        stand.place.environment
        for stand in stands
        if stand.running is not None
        and stand.running.current is not None
        and stand.running.current.version.commit == commit
    )
