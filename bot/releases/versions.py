"""Versions that can be deployed: what people call them, which commit each is, and which image."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from bot.deps import Deps
from bot.errors import Invalid, Mistake, NotFound, UsageError
from bot.model.platform import Platform
from bot.model.release import Version
from bot.model.web_service import WebService
from bot.ports import Commit, Forge, Image, Release, Tag
from bot.releases.services import Service
from bot.rendering.documents import read
from bot.rendering.images import complete_image

DOCUMENT = "platform.yaml"
"""Where a service's repository says what the platform runs."""
SHOWN = 8
"""Most versions that a sentence or a list names."""
WHOLE_HASH = 40
_HASH = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version as lists show it."""

    name: str
    commit: str
    told: str
    """`release`, `tag`, `image`, or the first line of the commit's message."""
    at: datetime | None = None
    built: bool = False
    """Whether an image of exactly this commit is in the forge's registry."""


async def candidates(service: Service, deps: Deps) -> tuple[Candidate, ...]:
    """Return what could be deployed, newest first: releases, tags and recent commits of the default branch."""
    forge, name = deps.forge, service.repository
    releases, tags, images, commits = await asyncio.gather(
        forge.releases(name), forge.tags(name), _images(forge, name), _commits(forge, name)
    )
    return listed(releases, tags, images, commits)


def listed(
    releases: Sequence[Release], tags: Sequence[Tag], images: Sequence[Image], commits: Sequence[Commit]
) -> tuple[Candidate, ...]:
    """Put them in one order: commits of the branch as it tells them, each under the best name that it has, then older
    releases and tags."""
    built = {tag: image.created_at for image in images for tag in image.tags}
    commit_of = {tag.name: tag.sha for tag in tags}
    named = {commit_of[release.tag]: (release.tag, "release", release.published_at) for release in reversed(releases)
             if release.tag in commit_of}  # fmt: skip
    tagged = {tag.sha: (tag.name, "tag", None) for tag in reversed(tags)} | named
    found: dict[str, Candidate] = {}
    for commit in commits:
        title = commit.message.partition("\n")[0]
        name, told, at = tagged.get(commit.sha, (commit.sha[:7], title, None))
        found[commit.sha] = Candidate(name, commit.sha, told, at or built.get(commit.sha), commit.sha in built)
    for sha, (name, told, at) in reversed(tagged.items()):
        if sha not in found:
            found[sha] = Candidate(name, sha, told, at or built.get(sha), sha in built)
    return tuple(found.values())


async def resolve(service: Service, wanted: str, deps: Deps) -> tuple[str, str]:
    """Return name and full hash of the version that a person means: a tag, a release, a commit, or, when nothing is
    said, the newest of the default branch. Raise `NotFound` that lists the newest ones."""
    forge, repository = deps.forge, service.repository
    if not wanted or wanted.lower() in ("latest", "newest", "main", "head"):
        head = await _head(forge, repository)
        tags = await forge.tags(repository)
        return next((tag.name for tag in tags if tag.sha == head.sha), head.sha[:7]), head.sha
    tags = await forge.tags(repository)
    named = _tagged(tags, wanted)
    commit = await _commit(forge, repository, wanted.lower()) if _HASH.fullmatch(wanted.lower()) else None
    if commit is not None and (named is None or len(wanted) == WHOLE_HASH):  # a whole hash is always that commit
        return next((tag.name for tag in tags if tag.sha == commit), commit[:7]), commit
    if named is not None:
        if commit not in (None, named.sha):
            hint = "Name the commit by all its digits."
            raise UsageError(f"`{wanted}` is a tag, and the beginning of another commit as well.", hint=hint)
        return named.name, named.sha
    known = ", ".join(f"`{one.name}`" for one in (await candidates(service, deps))[:SHOWN])
    raise NotFound(f"{service.name} has no version `{wanted[:80]}`.", hint=f"The newest are {known}.")


def _tagged(tags: Sequence[Tag], wanted: str) -> Tag | None:
    """Return the tag that is called so, or else so with a `v` before it."""
    return next((tag for name in (wanted, f"v{wanted}") for tag in tags if tag.name == name), None)


async def document_at(service: Service, commit: str, deps: Deps) -> WebService:
    """Return the platform document of a version. Raise `UsageError` where there is none, `Invalid` with all mistakes
    where it is wrong."""
    content = await deps.forge.file(service.repository, commit, DOCUMENT)
    if content is None:
        raise UsageError(
            f"{service.repository} has no {DOCUMENT} at {commit[:7]}, so I do not know how to run it.",
            hint="Add one: `apiVersion: platform.company.io/v1`, `kind: WebService`.",
        )
    return document_of(service.name, content)


def document_of(service: str, content: bytes) -> WebService:
    """Return the document that is about that service. Raise `Invalid` with all mistakes."""
    documents = read(content, source=DOCUMENT)
    for document in documents:
        if document.metadata.name == service:
            return document
    names = ", ".join(f"`{one.metadata.name}`" for one in documents) or "nothing"
    mistake = Mistake("metadata.name", f"is {names}, and has to be `{service}`, as in the catalog")
    raise Invalid(f"{DOCUMENT} does not describe {service}.", [mistake], hint=f"{mistake}.")


def version_of(name: str, commit: str, document: WebService, repository: str, platform: Platform) -> Version:
    """Return the version with its image: the repository's own one tagged with the commit; another's as it stands."""
    image = complete_image(document.spec.image or repository.lower(), platform)
    if is_own(image, repository):
        image = f"{untagged(image)}:{commit}"
    return Version(name=name, commit=commit, image=image)


def is_own(image: str, repository: str) -> bool:
    """Return whether the repository's CI builds that image."""
    return untagged(image).lower().endswith(f"/{repository.lower()}")


def untagged(image: str) -> str:
    """Return the name without tag and digest."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def is_migration(path: str) -> bool:
    """Return whether a changed file looks like a change of a database's schema."""
    parts = [part.lower() for part in PurePosixPath(path).parts]
    return any(part in ("migrations", "migration", "migrate") for part in parts[:-1]) or (
        "versions" in parts[:-1] and "alembic" in parts[:-1]
    )


async def _images(forge: Forge, repository: str) -> Sequence[Image]:
    try:
        return await forge.images(repository)
    except NotFound:
        return ()


async def _commits(forge: Forge, repository: str) -> Sequence[Commit]:
    head = await _head(forge, repository)
    return await forge.recent_commits(repository, head.sha)


async def _head(forge: Forge, repository: str) -> Commit:
    found = await forge.repository(repository)
    if found is None:
        raise NotFound(f"There is no repository {repository}, or I may not read it.")
    head = await forge.branch_head(repository, found.default_branch)
    if head is None:
        raise NotFound(f"The repository {repository} has no commit yet.", hint="Push one first.")
    return head


async def _commit(forge: Forge, repository: str, start: str) -> str | None:
    """Return the full hash that begins like this."""
    recent = await _commits(forge, repository)
    for commit in recent:
        if commit.sha.startswith(start):
            return commit.sha
    try:
        found = (await forge.tree(repository, start, contents=False)).commit
    except NotFound:
        return None
    return found if found.startswith(start) else None  # else it is a branch of that name
