"""Which database a person means: a service's own, or one that stands alone."""

from __future__ import annotations

import difflib
import re

from bot.catalog.index import Index, owner_of
from bot.command import Context
from bot.deps import Deps
from bot.errors import NotFound
from bot.model.entities import full_ref
from bot.model.platform import Platform
from bot.model.release import FILE, Release
from bot.releases.reading import Here, read_here, read_place
from bot.releases.services import Service, first_environment
from bot.rendering.delivery import Place
from bot.rendering.delivery.reading import parsed
from bot.rendering.stores import stands_alone

SUFFIX = "-db"
"""What the name of a database ends in, so that it is never taken for the service's."""
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def is_name(name: str) -> bool:
    """Return whether a database may be called so: as Kubernetes and a cloud take it, with room for what they add."""
    return _NAME.fullmatch(name) is not None


def alone(name: str, team: str) -> Service:
    """Return what stands in the place of a service where a database belongs to none. `team` is any reference."""
    return Service(name=name, owner=full_ref(team, kind="group"), repository="")


def service_meant(name: str, index: Index) -> str:
    """Return the service whose database is named, by its own name or the database's; empty where there is none."""
    for candidate in dict.fromkeys((name, name.removesuffix(SUFFIX))):
        if candidate and index.service(candidate) is not None:
            return candidate
    return ""


async def database_here(name: str, environment: str, context: Context, deps: Deps) -> Here:
    """Return the place that the named database stands in; without a name, that of the channel's service.

    Raise `NotFound` with the nearest names where neither a service nor a database is called so.
    """
    service = service_meant(name, deps.catalog())
    if not name or (name in deps.platform.environments and not environment and not service):
        return await read_here(name, environment, context, deps)
    where = environment or first_environment(deps)
    found = await stand_alone(name, where, deps) if is_name(name) else None
    if service and (found is None or found[0] == _team_of(service, deps)):
        return await read_here(service, environment, context, deps)
    if found is None:
        raise _unknown(name, where, deps)
    team, called = found
    return await read_place(alone(called, team), place_alone(called, team, where, deps.platform), context, deps)


def _team_of(service: str, deps: Deps) -> str:
    """Return whose service it is. A database of another team that has its name stood there before, and stays theirs."""
    found = deps.catalog().service(service)
    return ((owner_of(found.entity) if found is not None else None) or "").rpartition("/")[2]


def place_alone(name: str, team: str, environment: str, platform: Platform) -> Place:
    """Return the place of a database that stands alone. Raise `NotFound` for an unknown environment."""
    platform.environment(environment)
    return Place(platform=platform, service=name, environment=environment, team=team.rpartition("/")[2])


async def stand_alone(name: str, environment: str, deps: Deps) -> tuple[str, str] | None:
    """Return team and name of a database that stands alone; None where none is called so in that environment."""
    settings = deps.platform.environment(environment)
    for candidate in dict.fromkeys((name, name.removesuffix(SUFFIX))):
        if settings.delivery == "gitops":
            release = await _from_git(candidate, environment, deps)
            if release is not None and stands_alone(release):
                return release.team, candidate
        if deps.environments is not None:
            # Also of one that Git has forgotten: only so its line can be ended.
            record = await deps.environments.get("database", settings.cluster, f"{candidate}.{environment}")
            if record is not None and record.ended_at is None:
                return record.team, candidate
    return None


async def _from_git(name: str, environment: str, deps: Deps) -> Release | None:
    gitops = deps.platform.gitops
    if not gitops.repository:
        return None
    path = f"{gitops.apps}/{name}/{environment}/{FILE}"
    content = await deps.forge.file(gitops.repository, gitops.branch, path)
    return parsed(content.decode(errors="replace") if content is not None else None, path)


def _unknown(name: str, environment: str, deps: Deps) -> NotFound:
    near = difflib.get_close_matches(name, [one.label for one in deps.catalog().components()], 3, 0.5)
    hint = f"Did you mean the one of {' or '.join(f'`{one}`' for one in near)}?" if near else "Try `/database list`."
    return NotFound(f"There is no service and no database `{name[:80]}` in {environment}.", hint=hint)
