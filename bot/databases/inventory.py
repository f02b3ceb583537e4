"""Every database that there is, as the releases tell: for the list, and to count what a team has."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.catalog.index import owner_of
from bot.deps import Deps
from bot.errors import NotFound, PlatformError
from bot.model.release import Release
from bot.releases.book import every_release
from bot.rendering.delivery import Place
from bot.rendering.delivery.direct import read, release_ref
from bot.rendering.delivery.reading import parsed
from bot.rendering.stores import Store, store_of

AT_ONCE = 8
"""Most questions that one cluster is asked at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One database, where it stands, and the release that it is part of."""

    place: Place
    release: Release
    store: Store

    @property
    def stands_alone(self) -> bool:
        return self.release.current is None and not self.release.repository


async def read_inventory(deps: Deps, teams: Collection[str] = ()) -> tuple[Held, ...]:
    """Return them by team, name and environment; of these teams only (`team-orders`), where any are named.

    Raises what the forge and the clusters raise: whoever counts must not count too little.
    """
    releases = [*await every_release(deps), *await _direct(deps, teams)]
    found = [held for release in releases if not teams or release.team in teams for held in _held(release, deps)]
    return tuple(sorted(found, key=lambda one: (one.place.team, one.store.name, one.place.environment)))


def _held(release: Release, deps: Deps) -> Iterator[Held]:
    platform = deps.platform
    if release.environment not in platform.environments:
        return
    place = Place(platform=platform, service=release.service, environment=release.environment, team=release.team)
    try:
        store = store_of(release, place)
    except PlatformError:
        return  # somebody has edited it so that it says nothing any more: whoever asks about it alone is told
    if store is not None:
        yield Held(place=place, release=release, store=store)


async def _direct(deps: Deps, teams: Collection[str]) -> list[Release]:
    """Return the releases that clusters keep. Where they are is known of the catalog's services, and of what stands
    alone by our own book."""
    places = [one for one in await _places(deps) if not teams or one.team in teams]
    turn = asyncio.Semaphore(AT_ONCE)

    async def look(place: Place) -> Release | None:
        async with turn:
            try:
                kept = await deps.clusters[place.settings.cluster].get(release_ref(place))
            except NotFound:  # no such namespace
                return None
        if kept is None:
            return None
        return parsed(read(kept)[0], f"{place.namespace}/{release_ref(place).name}")

    return [release for release in await asyncio.gather(*map(look, places)) if release is not None]


async def _places(deps: Deps) -> list[Place]:
    platform = deps.platform
    direct = {
        name: there
        for name, there in platform.environments.items()
        if there.delivery == "direct" and there.cluster in deps.clusters
    }
    if not direct:
        return []
    known = [*_services(deps)]
    places = [
        Place(platform=platform, service=service, environment=environment, team=team)
        for environment in direct
        for service, team in known
    ]
    for record in await deps.environments.standing("database") if deps.environments is not None else ():
        service, _, environment = record.name.rpartition(".")
        if environment in direct and direct[environment].cluster == record.cluster:
            places.append(Place(platform=platform, service=service, environment=environment, team=record.team))
    return places


def _services(deps: Deps) -> Iterable[tuple[str, str]]:
    for found in deps.catalog().components():
        owner = owner_of(found.entity)
        if owner is not None:
            yield found.entity.metadata.name, owner.rpartition("/")[2]
