"""Which previews there are, told by what exists: the GitOps repository, or the cluster."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.deps import Deps
from bot.errors import Invalid, NotFound, PlatformError, Refused
from bot.model.entities import full_ref
from bot.model.previews import PreviewTerms
from bot.model.release import FILE, Release
from bot.rendering.delivery import Place, Standing, direct, read_standing
from bot.rendering.delivery.reading import parsed
from bot.rendering.previews import SERVICE, place_of, previews_of

AT_ONCE = 8
"""Most files that are read at the same time."""
KEPT = 1_000
"""Most releases that are remembered."""

_read: OrderedDict[str, Release | None] = OrderedDict()
"""Hash of a release's text, Git's or our own → what it says. A hash names one content for ever, so nothing here grows
old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One preview, as its release tells it."""

    place: Place
    release: Release
    terms: PreviewTerms

    @property
    def name(self) -> str:
        return self.place.environment

    @property
    def owner(self) -> str:
        """Full reference of the group whose it is."""
        return full_ref(self.release.team, kind="group")

    @property
    def is_asleep(self) -> bool:
        return self.terms.asleep_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known, by name, and what keeps the rest from being known."""

    previews: tuple[Preview, ...]
    problem: str = ""
    """A sentence for people; empty when all are known."""


async def read_previews(deps: Deps) -> Found:
    """Return all of them. Raise `PlatformError` where nothing can be asked at all; what alone cannot be read is left
    out and told."""
    policy = previews_of(deps.platform)
    if policy.delivery == "gitops":
        releases, unread = await _from_git(deps)
    else:
        releases, unread = await _from_cluster(deps)
    previews: list[Preview] = []
    for release in releases:
        try:
            previews.append(_preview(release, deps))
        except Invalid:  # the platform has given its name to an environment since: that concerns no other
            unread.append(release.environment)
    previews.sort(key=lambda one: one.name)
    problem = f"The preview {unread[0]} cannot be read; ask the platform team." if len(unread) == 1 else ""
    if len(unread) > 1:
        problem = f"{len(unread)} previews cannot be read, such as {unread[0]}; ask the platform team."
    return Found(previews=tuple(previews), problem=problem)


async def read_preview(name: str, deps: Deps) -> tuple[Preview | None, Standing]:
    """Return one preview, with all that stands there. None where there is none of that name; raise `NotFound` for a
    name that no preview can have."""
    try:
        place = place_of(deps.platform, name, "")
    except Invalid:  # nothing can be called so, and nobody was about to
        raise NotFound(f"There is no preview `{name[:63]}`.", hint=_there_are(await read_previews(deps))) from None
    standing = await read_standing(place, deps.forge, deps.clusters)
    release = standing.release
    return (_preview(release, deps) if release is not None and release.preview is not None else None), standing


async def _from_git(deps: Deps) -> tuple[list[Release], list[str]]:
    gitops = deps.platform.gitops
    folder = f"{gitops.apps}/{SERVICE}"
    tree = await deps.forge.tree(gitops.repository, gitops.branch, folder, contents=False)
    wanted = {
        file.path: file.sha for file in tree.files if file.path.endswith(f"/{FILE}") and _is_one(file.path, folder)
    }
    turn = asyncio.Semaphore(AT_ONCE)

    async def read(path: str, sha: str) -> Release | None:
        if sha not in _read:
            async with turn:
                content = await deps.forge.file(gitops.repository, tree.commit, path)
            return _keep(sha, _release(content.decode(errors="replace") if content is not None else None, path))
        return _read[sha]

    found = await asyncio.gather(*(read(path, sha) for path, sha in wanted.items()))
    names = {path: path.removeprefix(f"{folder}/").removesuffix(f"/{FILE}") for path in wanted}
    return _sorted_out({names[path]: release for path, release in zip(wanted, found, strict=True)})


def _is_one(path: str, folder: str) -> bool:
    """Say whether it is the release of a preview: `apps/preview/<name>/.causeway/release.yaml`."""
    return "/" not in path.removeprefix(f"{folder}/").removesuffix(f"/{FILE}")


async def _from_cluster(deps: Deps) -> tuple[list[Release], list[str]]:
    policy = previews_of(deps.platform)
    name = policy.cluster or deps.platform.environment(policy.base).cluster
    cluster = deps.clusters.get(name)
    if cluster is None:
        raise Refused(
            f"The cluster of previews, `{name}`, is not connected.",
            hint="The platform team sets CAUSEWAY_KUBECONFIG and `platform.clusters`.",
        )
    found: dict[str, Release | None] = {}
    for config_map in await cluster.list("v1", "ConfigMap", labels={"causeway.io/service": SERVICE}):
        text, _ = direct.read(config_map)
        metadata = config_map.get("metadata")
        where = str(metadata.get("namespace", "")) if isinstance(metadata, dict) else ""
        if text is not None:
            found[where] = _remembered(text, where)
    return _sorted_out(found)


def _remembered(text: str, where: str) -> Release | None:
    """Return what a text says. Most are the same as a minute ago, and reading YAML takes its time."""
    key = hashlib.sha256(text.encode()).hexdigest()
    return _read[key] if key in _read else _keep(key, _release(text, where))


def _sorted_out(found: dict[str, Release | None]) -> tuple[list[Release], list[str]]:
    """Return the previews among what was read by folder or namespace, and the places that cannot be read.

    A service may be called `preview` too: what has no terms is none of ours. And what stands in one place and speaks of
    another was copied there, or forged: nobody ends somebody else's preview by writing into a namespace of their own.
    """
    unread = [where for where, release in found.items() if release is None or _is_copied(release, where)]
    ours = [one for where, one in found.items() if one is not None and where not in unread and one.preview is not None]
    return ours, sorted(unread)


def _is_copied(release: Release, where: str) -> bool:
    return release.preview is not None and (release.service, release.environment) != (SERVICE, where)


def _release(text: str | None, where: str) -> Release | None:
    try:
        return parsed(text, where)
    except PlatformError:
        return None


def _keep(sha: str, release: Release | None) -> Release | None:
    """Remember it, and forget the oldest: whoever reads many goes by what is returned, and not by what is kept."""
    _read[sha] = release
    while len(_read) > KEPT:
        _read.popitem(last=False)
    return release


def _preview(release: Release, deps: Deps) -> Preview:
    assert release.preview is not None  # noqa: S101  # whoever asks has looked
    place = place_of(deps.platform, release.environment, release.team)
    return Preview(place=place, release=release, terms=release.preview)


async def wanted_preview(name: str, groups: Sequence[str], deps: Deps) -> tuple[Preview, Standing]:
    """Return the preview that a person means: by its name, or the only one of these groups.

    Raise `NotFound` that lists those there are, or says how to ask for one.
    """
    if name:
        preview, standing = await read_preview(name, deps)
        if preview is None:
            raise NotFound(f"There is no preview `{name[:63]}`.", hint=_there_are(await read_previews(deps)))
        return preview, standing
    found = await read_previews(deps)
    mine = [one for one in found.previews if one.owner in groups]
    if len(mine) != 1:
        told = "Which preview?" if mine else "Which preview? Your team has none."
        raise NotFound(told, hint=_there_are(Found(previews=tuple(mine) or found.previews)))
    preview, standing = await read_preview(mine[0].name, deps)
    if preview is None:
        raise NotFound(f"The preview `{mine[0].name}` is gone.")
    return preview, standing


def _there_are(found: Found) -> str:
    names = [f"`{one.name}`" for one in found.previews[:10]]
    return f"There are: {', '.join(names)}." if names else "Ask for one: `/preview up`."
