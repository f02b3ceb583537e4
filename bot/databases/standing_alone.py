"""Databases that belong to no service: whether a name is free, and their line in our book."""

from __future__ import annotations

from collections.abc import Iterable

from bot.databases.finding import SUFFIX
from bot.deps import Deps
from bot.effects import EndInBook, EnterBook
from bot.errors import Conflict
from bot.model.effect import Effect
from bot.model.release import FILE
from bot.releases.reading import Here
from bot.rendering.delivery import Place
from bot.rendering.delivery.reading import parsed


async def refuse_taken_name(place: Place, deps: Deps) -> None:
    """Raise `Conflict` for a name that is a service's, or another team's in any environment: the folder, the Argo CD
    application and the cloud know it by this name alone."""
    name = place.service
    for taken in dict.fromkeys((name, name.removesuffix(SUFFIX))):
        if deps.catalog().service(taken) is not None:
            raise Conflict(
                f"`{name}` is the name of the service {taken}, or of its database.",
                hint=f"Choose another name; for the service's own: `/database request {taken}`.",
            )
    gitops = deps.platform.gitops
    if not gitops.repository:
        return
    folder = f"{gitops.apps}/{name}"
    tree = await deps.forge.tree(gitops.repository, gitops.branch, folder, contents=False)
    for file in tree.files:
        if file.path.endswith(f"/{FILE}"):
            content = await deps.forge.file(gitops.repository, tree.commit, file.path)
            release = parsed(content.decode(errors="replace") if content is not None else None, file.path)
            if release is not None and (release.team != place.team or release.current is not None):
                raise Conflict(
                    f"`{name}` is in use by {release.team} in {release.environment}.", hint="Choose another."
                )


def book_name(place: Place) -> str:
    """Return what the book calls a database: one name may stand in several environments of one cluster."""
    return f"{place.service}.{place.environment}"


def entered(here: Here) -> Iterable[Effect]:
    """Yield the line in the book; it goes first, so that what is half made stands there too."""
    place = here.place
    yield EnterBook(
        id="enter-book",
        name=book_name(place),
        what="database",
        cluster=place.settings.cluster,
        namespace=place.namespace,
        team=place.team,
        by=here.asker.user,
        holds={"folder": f"{place.platform.gitops.apps}/{place.service}/{place.environment}"}
        if place.is_gitops
        else {},
    )


def ended(here: Here) -> Iterable[Effect]:
    """Yield the end of that line; it comes last."""
    place = here.place
    yield EndInBook(id="end-in-book", name=book_name(place), what="database", cluster=place.settings.cluster)
