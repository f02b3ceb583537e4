"""Holds what stands against the book."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.deps import Deps
from bot.effects.objects import commands
from bot.errors import NotFound, PlatformError, Refused
from bot.ports import EnvironmentRecord, ObjectRef
from bot.rendering.delivery import Place, folder_of
from bot.rendering.delivery.direct import release_ref
from bot.sweeping.report import Line, Orphan, Report
from bot.sweeping.seeing import Seen, Standing, see

GRACE = timedelta(hours=6)
"""So long after its end a preview may still stand: it is asked to go, and goes."""
AT_ONCE = 8
"""Most questions that are asked at the same time of what the scan has not shown."""


async def sweep(deps: Deps, now: datetime) -> Report:
    """Compare in both directions. Whatever is made or deleted meanwhile is no finding: what stands is held against the
    book as it is afterwards, and a line is missed only where it stood before as well."""
    book = deps.environments
    before = await book.standing() if book is not None else ()
    seen = await see(deps)
    after = {_key(line): line for line in (await book.standing() if book is not None else ())}
    standing = [line for line in before if after.get(_key(line)) == line]
    lost = await _lost(standing, seen, deps)
    orphans = [*_orphans(seen, after, now), *await _ownerless(seen, after, deps)]
    return Report(
        at=now,
        orphans=tuple(sorted(orphans, key=lambda one: (one.since is None, str(one.since), one.name))),
        lost=tuple(lost),
        unread=tuple(seen.unread),
        counts={"previews": len(seen.previews), "lines": len(after), "objects": seen.objects},
    )


def _key(line: EnvironmentRecord) -> tuple[str, str, str]:
    return line.kind, line.cluster, line.name


# --- what stands and should not


def _orphans(seen: Seen, lines: Mapping[tuple[str, str, str], EnvironmentRecord], now: datetime) -> Iterator[Orphan]:
    previews = {line.name: line for line in lines.values() if line.kind == "preview"}
    for name, there in seen.previews.items():
        why = _why(previews.get(name), now)
        if why:
            yield _orphan(f"preview {name}", there, why, previews.get(name), preview=name)
    for name, there in seen.strangers.items():
        yield _orphan(f"namespace {name}", there, "is labelled as a preview's, and is none", None)


async def _ownerless(
    seen: Seen, lines: Mapping[tuple[str, str, str], EnvironmentRecord], deps: Deps
) -> Sequence[Orphan]:
    """Return the databases of no service that is known. One whose release is there is wanted, whatever the catalog has
    forgotten; and where nobody can tell, nothing is said: a person deletes what is named here."""
    known = {line.name for line in lines.values() if line.kind == "database"}
    turn = asyncio.Semaphore(AT_ONCE)

    async def look(service: str, environment: str, there: Standing) -> Orphan | None:
        if environment in deps.platform.environments:
            place = Place(platform=deps.platform, service=service, environment=environment, team=there.team)
            async with turn:
                try:
                    if await _is_kept(place, deps):
                        return None
                except PlatformError as error:
                    seen.note(f"database of {service} in {environment}", error)
                    return None
        why = "belongs to no service of the catalog, and is not in Causeway's book"
        return _orphan(f"database of {service} in {environment}", there, why, None)

    asked = [look(*key, there) for key, there in seen.databases.items() if ".".join(key) not in known]
    return [found for found in await asyncio.gather(*asked) if found is not None]


def _why(line: EnvironmentRecord | None, now: datetime) -> str:
    if line is None:
        return "is not in Causeway's book"
    if line.expires_at is not None and line.expires_at + GRACE < now:
        return f"should have ended on {line.expires_at:%d %B %Y at %H:%M} UTC"
    return ""


def _orphan(name: str, there: Standing, why: str, line: EnvironmentRecord | None, *, preview: str = "") -> Orphan:
    by_hand = "; ".join(commands(cluster, [ref], "delete") for cluster, ref in there.refs[:3])
    deletable = bool(preview) and (there.deletable or line is not None)
    return Orphan(
        name=name,
        parts=tuple(there.parts),
        team=there.team or (line.team if line is not None else ""),
        since=there.since or (line.created_at if line is not None else None),
        why=why,
        preview=preview if deletable else "",
        by_hand="" if deletable else by_hand,
    )


# --- what the book says and is not there


async def _lost(lines: Sequence[EnvironmentRecord], seen: Seen, deps: Deps) -> list[Line]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def look(line: EnvironmentRecord) -> Line | None:
        if line.kind == "preview" and line.name in seen.previews:
            return None
        async with turn:
            try:
                return await _missed(line, seen, deps)
            except PlatformError as error:
                seen.note(f"{line.kind} {line.name}", error)
                return None

    return [found for found in await asyncio.gather(*map(look, lines)) if found is not None]


async def _missed(line: EnvironmentRecord, seen: Seen, deps: Deps) -> Line | None:
    """Return the finding where nothing is left of a line; None where something is, or nobody can tell."""
    cluster = deps.clusters.get(line.cluster)
    if line.kind == "preview":
        if cluster is None:
            raise Refused(f"The cluster `{line.cluster}` is not connected.")
        if line.cluster in seen.blind or seen.half:
            return None
        if await cluster.get(ObjectRef("v1", "Namespace", line.namespace)) is not None:
            return None
        why = f"neither its namespace {line.namespace} nor anything else of it is there"
        return Line(name=f"preview {line.name}", team=line.team, since=line.created_at, why=why, preview=line.name)
    service, _, environment = line.name.rpartition(".")
    if environment not in deps.platform.environments:
        raise NotFound(f"The platform has no environment `{environment}` any more.")
    place = Place(platform=deps.platform, service=service, environment=environment, team=line.team)
    if await _is_kept(place, deps):
        return None
    return Line(
        name=f"database {service} in {environment}",
        team=line.team,
        since=line.created_at,
        why="its release is not there any more",
        by_hand=f"/database delete {service} in {environment}",
    )


async def _is_kept(place: Place, deps: Deps) -> bool:
    """Whether a place's release is there, or nobody can tell."""
    if place.is_gitops:
        gitops = place.platform.gitops
        tree = await deps.forge.tree(gitops.repository, gitops.branch, folder_of(place), contents=False)
        return bool(tree.files)
    cluster = deps.clusters.get(place.settings.cluster)
    if cluster is None:
        return True
    try:
        return await cluster.exists(release_ref(place))
    except NotFound:  # no such namespace
        return False
