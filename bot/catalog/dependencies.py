"""Who depends on whom, as the catalog tells (Backstage's `spec.dependsOn`). Names of services, in lower case."""

from __future__ import annotations

from collections.abc import Iterator

from bot.catalog.index import Found, Index
from bot.model.entities import Component, full_ref

MOST = 50
"""More dependencies of one service than this are not followed."""
DEPTH = 3
"""How far a chain of dependencies is followed by default."""


def dependencies_of(index: Index, service: str) -> tuple[str, ...]:
    """Return the services that `service` depends on directly, in the catalog's order, itself left out.

    Resources, APIs and components that the catalog does not have are left out: nothing is known of their health.
    """
    found = index.service(service)
    return tuple(_names(index, found)) if found is not None else ()


def dependents_of(index: Index, service: str) -> tuple[str, ...]:
    """Return the services that depend on `service` directly, by name."""
    found = index.service(service)
    if found is None:
        return ()
    return tuple(one.name for one in index.components() if found.name in dependencies_of(index, one.ref))


def chain_of(index: Index, service: str, *, depth: int = DEPTH) -> dict[str, int]:
    """Return everything that `service` depends on, directly or not → how many steps away; nearest first, bounded.

    A circle ends where it meets itself.
    """
    start = index.service(service)
    if start is None:
        return {}
    reached: dict[str, int] = {}
    layer = [start.name]
    for steps in range(1, depth + 1):
        layer = [one for name in layer for one in dependencies_of(index, name) if one != start.name]
        layer = [one for one in dict.fromkeys(layer) if one not in reached]
        reached |= dict.fromkeys(layer, steps)
    return dict(list(reached.items())[:MOST])


def _names(index: Index, found: Found) -> Iterator[str]:
    entity = found.entity
    if not isinstance(entity, Component):
        return
    namespace = entity.metadata.namespace
    seen = {found.name}
    for reference in entity.spec.dependsOn[:MOST]:
        other = index.get(full_ref(reference, kind="component", namespace=namespace))
        if other is not None and isinstance(other.entity, Component) and other.name not in seen:
            seen.add(other.name)
            yield other.name
