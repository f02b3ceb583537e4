"""Which service a person means, and where its source and its releases are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog.index import Found, Index, owner_of
from bot.command import Context
from bot.deps import Deps
from bot.errors import Conflict, NotFound, UsageError
from bot.model.entities import Component
from bot.rendering.delivery import Place

SLUG = "github.com/project-slug"
"""Backstage's annotation for the repository of a component."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A component of the catalog that the platform can run."""

    name: str
    owner: str
    """Full reference of the owning group."""
    repository: str
    """`acme/orders-api`."""

    @property
    def team(self) -> str:
        return self.owner.rpartition("/")[2]

    def place(self, deps: Deps, environment: str) -> Place:
        """Raise `NotFound` for an environment that the platform does not have."""
        name = environment or first_environment(deps)
        deps.platform.environment(name)
        return Place(platform=deps.platform, service=self.name, environment=name, team=self.team)


def first_environment(deps: Deps) -> str:
    """Return the environment that is meant when none is named. Raise `NotFound` when the platform has none."""
    first = next(iter(deps.platform.environments), None)
    if first is None:
        raise NotFound("The platform has no environment.", hint="The platform team adds one to causeway.yaml.")
    return first


async def service_for(name: str, context: Context, deps: Deps) -> Service:
    """Return the service of that name; without a name, the one of the channel that was asked in.

    Raise `UsageError` where a channel has several or none, `NotFound` with the nearest names for an unknown one.
    """
    index = deps.catalog()
    if name:
        found = found_in(index, name)
        if (first := index.namesake(found)) is not None:
            raise Conflict(
                f"`{found.ref}` has the name of `{first.ref}`, which was there before.",
                hint="The platform tells services apart by their name alone: choose another.",
            )
        return service_of(found)
    groups = await deps.groups_of_channel(context.channel) if context.channel else ()
    candidates = [service for group in groups for service in _of_group(index, group)]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise UsageError("Which service?", hint="Name it, or ask in the channel of the team that owns it.")
    names = ", ".join(f"`{one.name}`" for one in candidates[:10])
    raise UsageError("Which service? This channel's team has several.", hint=f"Name one of {names}.")


async def service_and_environment(name: str, environment: str, context: Context, deps: Deps) -> tuple[Service, str]:
    """The same where an environment may be named as well: in a team's channel it may stand alone."""
    if name in deps.platform.environments and not environment and deps.catalog().service(name) is None:
        return await service_for("", context, deps), name
    return await service_for(name, context, deps), environment


def service_of(found: Found) -> Service:
    """Raise `UsageError` for a component without an owner or a repository: nothing can be deployed of it."""
    entity = found.entity
    owner = owner_of(entity)
    if not isinstance(entity, Component) or owner is None:
        raise UsageError(f"`{found.label}` is no service with an owner.", hint="Mend its catalog-info.yaml.")
    slug = entity.metadata.annotations.get(SLUG) or found.source.removeprefix("github:")
    repository = slug.partition(" ")[0].partition("@")[0]
    if repository.count("/") != 1:
        hint = f"Add the annotation `{SLUG}: owner/name` to its catalog-info.yaml."
        raise UsageError(f"I do not know where the source of `{found.label}` is.", hint=hint)
    return Service(name=entity.metadata.name, owner=owner, repository=repository)


def service_of_repository(index: Index, repository: str) -> Service | None:
    """Return the service whose source is there, if there is exactly one."""
    known = [(one, found) for found in index.components() for one in _services(index, [found])]
    there = [(one, found) for one, found in known if one.repository.lower() == repository.lower()]
    # Anybody can write down a repository that is not theirs; what the repository declares itself counts first.
    own = [(one, found) for one, found in there if found.source.lower() == f"github:{repository.lower()}"]
    chosen = own or there
    return chosen[0][0] if len(chosen) == 1 else None


def services_of(index: Index) -> Sequence[Service]:
    """Return every service of the catalog that can be deployed."""
    return _services(index, index.components())


def owner_by_name(index: Index, name: str) -> str | None:
    """Return who owns the service of that name, as far as the catalog tells."""
    found = index.service(name) if name else None
    return owner_of(found.entity) if found is not None else None


def _of_group(index: Index, group: str) -> Sequence[Service]:
    return _services(index, index.components(group))


def _services(index: Index, components: Sequence[Found]) -> Sequence[Service]:
    services = []
    for found in components:
        if index.namesake(found) is not None:
            continue
        try:
            services.append(service_of(found))
        except UsageError:
            continue
    return services


def found_in(index: Index, name: str) -> Found:
    """Return what the catalog has under that name. Raise `NotFound` that names the nearest services."""
    found = index.service(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, [one.label for one in index.components()], 3, 0.5)
    hint = f"Did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "See them all: `/service list`."
    raise NotFound(f"There is no service `{name[:80]}`.", hint=hint)
