"""From what a preview is to show to what runs in it: each service with its version and its platform document."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.catalog.index import owner_of
from bot.deps import Deps
from bot.errors import Conflict, NotFound, Refused, UsageError
from bot.model.canonical import JSON
from bot.model.environment import Environment
from bot.model.platform import Platform
from bot.model.previews import PullRequestSource
from bot.model.release import Version
from bot.model.web_service import WebService
from bot.ports import PullRequest
from bot.previews.reading import Preview
from bot.releases.changes import document_of
from bot.releases.services import Service, found_in, service_of, service_of_repository
from bot.releases.versions import DOCUMENT, document_at, is_own, resolve, untagged, version_of
from bot.rendering.delivery import read_standing
from bot.rendering.images import complete_image
from bot.rendering.previews import previews_of
from bot.rendering.stores import Store, store_of

SHOWS = "pull_request"
"""What a line of the book holds beside what must be gone: the pull request that the preview shows."""
_PULL_REQUEST = re.compile(r"([\w.-]+/[\w.-]+)#(\d{1,9})")
_ADDRESS = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/pull/(\d{1,9})(?:[/?#].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One service of a preview, in the version that is shown."""

    service: Service
    version: Version
    document: WebService
    is_new: bool
    """Whether the version was made for this, so that its CI may still have to build the image."""
    of_pull_request: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """The pull request that is to be shown, and whose source it is."""

    pull_request: PullRequest
    repository: str
    """Of the base: `acme/orders-api`."""
    service: Service

    @property
    def source(self) -> PullRequestSource:
        one = self.pull_request
        return PullRequestSource(repository=self.repository, number=one.number, head=one.head_sha, fork=one.fork)


def named_pull_request(text: str) -> tuple[str, int]:
    """Return repository and number of `acme/orders-api#12`, or of its address. Raise `UsageError` for anything else."""
    found = _PULL_REQUEST.fullmatch(text.strip()) or _ADDRESS.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"`{text[:100]}` is no pull request.", hint="Write `acme/orders-api#12`, or paste the address of its page."
        )
    return found[1], int(found[2])


def shown_in(holds: Mapping[str, JSON]) -> tuple[str, int] | None:
    """Return repository and number of the pull request that a preview shows, as far as its line of the book says."""
    told = holds.get(SHOWS)
    try:
        return named_pull_request(told) if isinstance(told, str) else None
    except UsageError:
        return None


async def read_pull_request(text: str, deps: Deps) -> Pulled:
    """Raise `NotFound` for an unknown one, `Conflict` for one that is closed."""
    repository, number = named_pull_request(text)
    service = service_of_repository(deps.catalog(), repository)
    if service is None:
        raise NotFound(
            f"No service of the catalog has its source in {repository}.",
            hint="Add a catalog-info.yaml there, or name the services: `/preview up <name> orders-api@branch`.",
        )
    found = await deps.forge.pull_request(service.repository, number)
    if found is None:
        raise NotFound(f"{service.repository} has no pull request {number}.")
    if found.state != "open":
        how = "merged" if found.merged else "closed"
        raise Conflict(f"{service.repository}#{number} is {how} already.", hint="Open it again, or name a branch.")
    return Pulled(pull_request=found, repository=service.repository, service=service)


async def read_shown(
    document: Environment,
    asked: Mapping[str, str],
    pulled: Pulled | None,
    deps: Deps,
    *,
    before: Preview | None = None,
) -> tuple[Shown, ...]:
    """Return every service that the document names. `asked` names a branch, tag or commit of some; `before` is the
    preview as it stands, where only what it shows of the pull request is new.

    Raise `NotFound` for an unknown service or version, `Invalid` for a platform document that is wrong there.
    """

    async def one(name: str, image: str) -> Shown:
        is_pulled = pulled is not None and name == pulled.service.name
        if before is not None and not is_pulled:
            return await _again(name, image, before, deps)
        return await _shown(name, image, asked.get(name, ""), pulled, deps)

    return tuple(await asyncio.gather(*(one(each.name, each.image) for each in document.spec.services)))


async def read_again(document: Environment, preview: Preview, deps: Deps) -> tuple[Shown, ...]:
    """Return the services of a preview that stands, as they were when it was made or changed last."""
    found = await asyncio.gather(*(_again(one.name, one.image, preview, deps) for one in document.spec.services))
    return tuple(found)


async def _again(name: str, image: str, preview: Preview, deps: Deps) -> Shown:
    commit = preview.terms.commits.get(name, "")
    if not commit:
        return await _shown(name, image, "", None, deps)
    service = service_of(found_in(deps.catalog(), name))
    written = await document_at(service, commit, deps)
    version = _with_image(version_of(commit[:7], commit, written, service.repository, deps.platform), image, deps)
    return Shown(service=service, version=version, document=written, is_new=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What lies around a preview and is read to render it."""

    owners: Mapping[str, str]
    """Service → its team, of all that the catalog has: some may be borrowed."""
    databases: Mapping[str, Store]
    """Service → its database in the environment that it is filled from."""


async def read_surroundings(document: Environment, shown: Iterable[Shown], deps: Deps) -> Surroundings:
    """Raise what reading the releases of other environments raises."""
    owners = {
        found.entity.metadata.name: owner.rpartition("/")[2]
        for found in deps.catalog().components()
        if (owner := owner_of(found.entity)) is not None
    }
    wanted = {
        one.service.name: (one.service, there) for one in shown if (there := _seed_of(document, one.service.name))
    }
    stores = await asyncio.gather(*(store_in(service, there, deps) for service, there in wanted.values()))
    found = {name: store for name, store in zip(wanted, stores, strict=True) if store is not None}
    return Surroundings(owners=owners, databases=found)


def _seed_of(document: Environment, service: str) -> str:
    """Return the environment that a service's database would be filled from; empty: from none."""
    own = [one for one in document.spec.databases if one.service == service]
    others = [one for one in document.spec.databases if one.service is None]
    return next((one.seed_from or "" for one in (*own, *others)), "")


async def store_in(service: Service, environment: str, deps: Deps) -> Store | None:
    """Return the database that a service has in an environment; None where it has none."""
    if environment not in deps.platform.environments:
        return None  # rendering says so, with the place in the document
    place = service.place(deps, environment)
    release = (await read_standing(place, deps.forge, deps.clusters)).release
    return store_of(release, place) if release is not None else None


async def _shown(name: str, image: str, wanted: str, pulled: Pulled | None, deps: Deps) -> Shown:
    service = service_of(found_in(deps.catalog(), name))
    if pulled is not None and service.name == pulled.service.name:
        head = pulled.pull_request.head_sha
        written = await document_at(service, head, deps)
        if pulled.pull_request.fork:
            await _refuse_another_image(service, written, deps)
        version = _with_image(version_of(head[:7], head, written, service.repository, deps.platform), image, deps)
        return Shown(
            service=service, version=version, document=written, is_new=_is_built(version, service), of_pull_request=True
        )
    if wanted:
        called, commit = await _resolved(service, wanted, deps)
        written = await document_at(service, commit, deps)
        version = version_of(called, commit, written, service.repository, deps.platform)
        return Shown(service=service, version=version, document=written, is_new=_is_built(version, service))
    of_base = await _of_base(service, deps)
    if of_base is not None:
        version, written = of_base
    else:
        called, commit = await resolve(service, "", deps)
        written = await document_at(service, commit, deps)
        version = version_of(called, commit, written, service.repository, deps.platform)
    version = _with_image(version, image, deps)
    return Shown(
        service=service, version=version, document=written, is_new=of_base is None and _is_built(version, service)
    )


async def _refuse_another_image(service: Service, written: WebService, deps: Deps) -> None:
    """Raise `Refused` where a fork's document names another image than our own does: nobody could see what is in it."""
    if not written.spec.image:
        return
    _, commit = await resolve(service, "", deps)
    ours = await document_at(service, commit, deps)
    own, named = (
        untagged(complete_image(one.spec.image or service.repository.lower(), deps.platform)) for one in (ours, written)
    )
    if own != named:
        raise Refused(
            f"The fork's {DOCUMENT} names the image {named}, and {service.name} is {own}.",
            hint=f"A fork's preview runs only what CI has built of it. Have `image` changed back in {DOCUMENT}.",
        )


async def _of_base(service: Service, deps: Deps) -> tuple[Version, WebService] | None:
    """Return what runs of it in the base environment; None where nothing does."""
    place = service.place(deps, previews_of(deps.platform).base)
    release = (await read_standing(place, deps.forge, deps.clusters)).release
    if release is None or release.current is None:
        return None
    return release.current.version, document_of(release, place)


async def _resolved(service: Service, wanted: str, deps: Deps) -> tuple[str, str]:
    """Return what a branch, tag or commit is called, and its full hash. A branch is meant before a tag of its name."""
    head = await deps.forge.branch_head(service.repository, wanted)
    if head is not None:
        return head.sha[:7], head.sha
    return await resolve(service, wanted, deps)


def _with_image(version: Version, image: str, deps: Deps) -> Version:
    """Return the version with the image that somebody has named, where they did."""
    if not image:
        return version
    complete = complete_image(image, deps.platform)
    tag = complete.removeprefix(untagged(complete)).lstrip(":@")
    return (
        version if complete == version.image else Version(name=tag or "latest", commit=version.commit, image=complete)
    )


def is_foreign(one: Shown, platform: Platform) -> bool:
    """Return whether its image is another than the one that its own document says, in whatever version: then anybody
    can have built it."""
    own = complete_image(one.document.spec.image or one.service.repository.lower(), platform)
    return untagged(complete_image(one.version.image, platform)) != untagged(own)


def _is_built(version: Version, service: Service) -> bool:
    """Return whether its own CI builds exactly that image, so that it can be awaited."""
    return is_own(version.image, service.repository) and version.image.endswith(f":{version.commit}")
