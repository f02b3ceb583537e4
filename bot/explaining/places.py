"""Which services a cause may be in: the one that is asked about, and what it depends on."""

from __future__ import annotations

from dataclasses import dataclass

from bot.catalog.dependencies import DEPTH, dependencies_of
from bot.catalog.index import Index, owner_of
from bot.model.platform import Platform
from bot.rendering.delivery import Place

MOST = 8
"""Most services that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One of them, in the same environment."""

    place: Place
    path: tuple[str, ...]
    """The way to it: `(checkout-web, orders-api)`."""

    @property
    def service(self) -> str:
        return self.place.service


def spots_of(index: Index, place: Place) -> tuple[Spot, ...]:
    """Return the service itself first, then its dependencies, near ones first, at most `MOST`, each once."""
    found = {place.service: Spot(place=place, path=(place.service,))}
    layer = [place.service]
    for _ in range(DEPTH):
        following: list[str] = []
        for name in layer:
            for below in dependencies_of(index, name):
                if below not in found and len(found) < MOST:
                    there = _place(index, below, place.environment, place.platform)
                    found[below] = Spot(place=there, path=(*found[name].path, below))
                    following.append(below)
        layer = following
    return tuple(found.values())


def _place(index: Index, service: str, environment: str, platform: Platform) -> Place:
    entity = index.service(service)
    owner = owner_of(entity.entity) if entity is not None else None
    return Place(platform=platform, service=service, environment=environment, team=(owner or "").rpartition("/")[2])
