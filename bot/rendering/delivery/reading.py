"""Reads how a place stands: from the GitOps repository, or from the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import yaml

from bot.errors import Invalid, Mistake, NotFound, Refused
from bot.model.canonical import sha256
from bot.model.plan import Revision
from bot.model.release import FILE, Release
from bot.ports import Cluster, Forge
from bot.rendering.delivery import direct, gitops
from bot.rendering.delivery.change import Place, Standing, folder_of
from bot.rendering.stores import git
from bot.rendering.text import Unreadable, parse

MANAGED = "app.kubernetes.io/managed-by: causeway"
"""Stands in every file that we write. Others may put files of their own beside them: they are none of our business."""
ROOM = 8
"""A release holds a document and more: so many times as much is read as a document may be."""


async def read_standing(place: Place, forge: Forge, clusters: Mapping[str, Cluster]) -> Standing:
    """Raise `Refused` where the platform is not configured for it, `Invalid` for a release that cannot be read."""
    if place.is_gitops:
        return await _from_git(place, forge)
    return await _from_cluster(place, clusters)


async def _from_git(place: Place, forge: Forge) -> Standing:
    repository, branch = place.platform.gitops.repository, place.platform.gitops.branch
    if not repository:
        raise Refused(
            f"There is no GitOps repository for {place.environment}.",
            hint="The platform team names one in causeway.yaml: `platform.gitops.repository`.",
        )
    head = await forge.branch_head(repository, branch)
    if head is None:
        raise NotFound(f"The GitOps repository {repository} has no branch {branch}, or I may not read it.")
    folder = folder_of(place)
    tree, application, project, beside = await asyncio.gather(
        forge.tree(repository, head.sha, folder),
        forge.file(repository, head.sha, gitops.application_file(place)),
        forge.file(repository, head.sha, gitops.project_file(place)),
        _beside(place, forge, head.sha),
    )
    texts = {file.path.removeprefix(f"{folder}/"): file.content.decode(errors="replace") for file in tree.files}
    release = texts.pop(FILE, None)
    # The project is shared by the team's services: another one's first deploy is no reason to ask again.
    touched = sha256(
        {"folder": tree.sha, "application": _text(application), **({"beside": {**beside}} if beside else {})}
    )
    is_new = tree.sha == "absent" and not beside
    return Standing(
        release=_of(place, parsed(release, f"{folder}/{FILE}"), f"{folder}/{FILE}"),
        files={name: text for name, text in texts.items() if "/" not in name and MANAGED in text},
        revision=Revision(of=f"git:{repository}/{folder}", at="absent" if is_new else touched[:40]),
        application=_text(application),
        project=_text(project),
        beside=beside,
    )


async def _beside(place: Place, forge: Forge, commit: str) -> dict[str, str]:
    """Return path → text of what stands where a file for the place's database would."""
    repository = place.platform.gitops.repository
    paths = git.paths_at(place.service, place.team, place.environment, place.platform)
    contents = await asyncio.gather(*(forge.file(repository, commit, path) for path in paths))
    return {path: text for path, content in zip(paths, contents, strict=True) if (text := _text(content)) is not None}


async def _from_cluster(place: Place, clusters: Mapping[str, Cluster]) -> Standing:
    cluster = clusters.get(place.settings.cluster)
    if cluster is None:
        raise Refused(
            f"The cluster of {place.environment}, `{place.settings.cluster}`, is not connected.",
            hint="The platform team sets CAUSEWAY_KUBECONFIG and `platform.clusters`.",
        )
    found = await cluster.get(direct.release_ref(place))
    of = f"cluster:{place.settings.cluster}/{place.namespace}/{place.service}"
    if found is None:
        return Standing(release=None, revision=Revision(of=of, at="absent"))
    release, files = direct.read(found)
    metadata = found.get("metadata")
    version = str(metadata.get("resourceVersion", "")) if isinstance(metadata, dict) else ""
    return Standing(release=_of(place, parsed(release, of), of), files=files, revision=Revision(of=of, at=version))


def parsed(text: str | None, where: str) -> Release | None:
    """Return the release that a text holds. Raise `Invalid` that names where it stands."""
    if text is None:
        return None
    try:
        parse(text, room=ROOM)  # refuses what would grow without bound when it is loaded
        return Release.model_validate(yaml.safe_load(text))
    except (Unreadable, yaml.YAMLError, ValueError) as error:
        raise not_ours(where) from error


def not_ours(where: str) -> Invalid:
    """Return the error for a release that somebody has edited so that it says nothing any more."""
    mend = "Restore it from the commit before its last change."
    return Invalid(f"{where} is not what Causeway wrote.", [Mistake(where, mend)], hint=mend)


def _of(place: Place, release: Release | None, where: str) -> Release | None:
    """Raise `Invalid` for a release that was copied from another place."""
    if release is not None and (release.service, release.environment) != (place.service, place.environment):
        raise not_ours(where)
    return release


def _text(content: bytes | None) -> str | None:
    return content.decode(errors="replace") if content is not None else None
