"""Whose health is asked about, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.catalog.index import Found, Index, owner_of
from bot.command import Context
from bot.deps import Deps
from bot.errors import Conflict, NotFound, UsageError
from bot.health.verdict import Verdict
from bot.model.entities import Component, full_ref
from bot.observing import Look
from bot.releases.services import found_in
from bot.rendering.delivery import Place

MOST_SERVICES = 40
MOST_PLACES = 90
"""Services, and services in environments, of one answer; more are counted."""


def service_named(name: str, deps: Deps) -> Found:
    """Raise `NotFound` with the nearest names, `Conflict` for one whose name another one had before, `UsageError` for
    one that nobody owns."""
    index = deps.catalog()
    found = found_in(index, name)
    if (first := index.namesake(found)) is not None:
        raise Conflict(
            f"`{found.ref}` has the name of `{first.ref}`, which was there before.",
            hint="The platform tells services apart by their name alone: choose another.",
        )
    if not isinstance(found.entity, Component) or owner_of(found.entity) is None:
        raise UsageError(f"`{found.label}` is no service with an owner.", hint="Mend its catalog-info.yaml.")
    return found


async def groups_meant(group: str, context: Context, deps: Deps) -> tuple[str, ...]:
    """Return the named group; else those of the channel, else the person's own. Raise `NotFound` for an unknown one."""
    if group:
        ref = full_ref(group, kind="group")
        if deps.catalog().get(ref) is None:
            raise NotFound(f"There is no group `{group[:80]}` in the catalog.", hint="Try `/health team`.")
        return (ref,)
    here = await deps.groups_of_channel(context.channel) if context.channel else ()
    return here or tuple(sorted(context.principal.groups))


def services_of_groups(groups: Iterable[str], index: Index) -> list[Found]:
    """Return the services that these groups own, by name."""
    found = {one.ref: one for group in groups for one in index.components(group) if index.namesake(one) is None}
    return sorted(found.values(), key=lambda one: one.label)


def shown_of(services: Sequence[Found], deps: Deps) -> Sequence[Found]:
    """Return as many as one look takes, however many environments each is looked for in."""
    return services[: max(1, min(MOST_SERVICES, MOST_PLACES // max(1, len(deps.platform.environments))))]


def places_of(found: Found, environment: str, deps: Deps) -> list[Place]:
    """Return the service in the named environment, or in each. Raise `NotFound` for an unknown environment."""
    if environment:
        deps.platform.environment(environment)
    team = (owner_of(found.entity) or "").rpartition("/")[2]
    return [
        Place(platform=deps.platform, service=found.entity.metadata.name, environment=name, team=team)
        for name in ([environment] if environment else deps.platform.environments)
    ]


def verdicts_there(look: Look, places: Sequence[Place]) -> list[Verdict]:
    """Return the verdicts of the places where the service is, or may be."""
    return [one for one in _verdicts(look, places) if one.is_there]


def _verdicts(look: Look, places: Sequence[Place]) -> Iterator[Verdict]:
    yield from (look.verdict(place) for place in places if look.knows(place))
