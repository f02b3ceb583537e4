"""Which version runs where, of many services at once: one look at the GitOps repository."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.deps import Deps
from bot.errors import PlatformError
from bot.model.platform import Platform
from bot.model.release import FILE, Release
from bot.rendering.delivery.reading import parsed

PATIENCE_S = 3.0
"""Longest time for all of it, in seconds. What is read by then is kept, so that asking again shows more."""
AT_ONCE = 8
KEPT = 5_000
"""Most releases that are remembered."""

_read: OrderedDict[str, Release | None] = OrderedDict()
"""Git's hash of a release's file → what it says. A hash names one content for ever, so nothing here grows old."""


@dataclass(slots=True)
class Book:
    """What is known: environment → release, by service; and what keeps the rest from being known."""

    releases: dict[str, dict[str, Release]] = field(default_factory=dict)
    problem: str = ""
    """A sentence for people; empty when everything is known."""


async def read_book(services: Iterable[str], deps: Deps) -> Book:
    """Return the releases of these services that Git delivers. Raises nothing that a system could be to blame for."""
    book = Book()
    if not deps.platform.gitops.repository:
        return book
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _fill(book, frozenset(services), deps)
    except TimeoutError:
        book.problem = "Not every version could be read in time; ask again in a moment."
    except PlatformError as error:
        book.problem = f"Which versions run is not known: {error.message}"
    return book


async def every_release(deps: Deps) -> tuple[Release, ...]:
    """Return all releases that Git delivers, of services and of what stands alone. Raises what a forge raises: whoever
    counts must not count too little."""
    book = Book()
    if deps.platform.gitops.repository:
        await _fill(book, None, deps)
    return tuple(
        release
        for service, there in book.releases.items()
        for environment, release in there.items()
        if (release.service, release.environment) == (service, environment)  # else it was copied from elsewhere
    )


async def _fill(book: Book, services: frozenset[str] | None, deps: Deps) -> None:
    """`services`: only theirs; None: all."""
    gitops = deps.platform.gitops
    tree = await deps.forge.tree(gitops.repository, gitops.branch, gitops.apps, contents=False)
    wanted = {
        file.path: (place, file.sha)
        for file in tree.files
        if (place := _place(file.path, deps.platform)) is not None and (services is None or place[0] in services)
    }
    turn = asyncio.Semaphore(AT_ONCE)

    async def read(path: str, sha: str) -> None:
        if sha not in _read:
            async with turn:
                content = await deps.forge.file(gitops.repository, tree.commit, path)
            _keep(sha, _release(content, path))
        release = _read[sha]
        if release is not None:
            service, environment = wanted[path][0]
            book.releases.setdefault(service, {})[environment] = release

    await asyncio.gather(*(read(path, sha) for path, (_, sha) in wanted.items()))


def versions(releases: Mapping[str, Release], platform: Platform) -> dict[str, str]:
    """Return environment → name of the version that runs there, in the order in which versions are promoted."""
    return {
        environment: release.current.version.name
        for environment in platform.environments
        if (release := releases.get(environment)) is not None and release.current is not None
    }


def _place(path: str, platform: Platform) -> tuple[str, str] | None:
    """Return service and environment whose release a file is."""
    inside = path.removeprefix(f"{platform.gitops.apps}/").removesuffix(f"/{FILE}")
    service, _, environment = inside.partition("/")
    return (service, environment) if path.endswith(f"/{FILE}") and environment in platform.environments else None


def _release(content: bytes | None, path: str) -> Release | None:
    """Return None for what is no release: whoever asks about that service alone is told."""
    try:
        return parsed(content.decode(errors="replace") if content is not None else None, path)
    except PlatformError:
        return None


def _keep(sha: str, release: Release | None) -> None:
    _read[sha] = release
    while len(_read) > KEPT:
        _read.popitem(last=False)
