"""Plans that change the database of a release: request, resize."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.databases.finding import SUFFIX
from bot.effects import ApplyObjects, AwaitDatabase, CommitFiles, ProtectDatabase, RefreshApplication, RetireDatabase
from bot.effects.database import MainObject
from bot.errors import Conflict
from bot.model.effect import Effect
from bot.model.plan import Plan
from bot.model.release import Release
from bot.releases import differences
from bot.releases.changes import change_to, delivery, healthy, undeployed
from bot.releases.reading import Here
from bot.rendering.delivery import Change, Standing
from bot.rendering.stores import Store, store_of

PATIENCE_S = 300
"""How long a database may make no progress before its card says so, in seconds."""


def release_here(here: Here) -> Release:
    """Return the release of a place; an empty one where nothing has happened yet."""
    return here.release or undeployed(here.place, here.service.repository)


def store_here(here: Here) -> Store | None:
    """Return the database that stands there by what was asked for; None where nobody has."""
    return store_of(here.release, here.place) if here.release is not None else None


def standing_store(here: Here) -> Store:
    """Raise `Conflict` where there is none."""
    store = store_here(here)
    if store is None:
        name, environment = here.service.name, here.place.environment
        raise Conflict(
            f"{name} has no database in {environment}.",
            hint=f"Ask for one: `/database request {name} in {environment}`. See them all: `/database list`.",
        )
    return store


def awaiting(store: Store) -> AwaitDatabase:
    """Return the wait until the database can be used."""
    main = store.main
    return AwaitDatabase(
        id="await-database",
        cluster=store.cluster,
        namespace=store.namespace,
        main=MainObject(api_version=main.api_version, kind=main.kind, name=main.name, namespace=main.namespace)
        if main
        else None,
        secret=store.secret,
        name=store.name,
        engine=store.engine,
        provider=store.settings.provider,
        contact=store.settings.contact,
        patience_s=PATIENCE_S,
    )


def database_plan(
    here: Here,
    change: Change,
    effects: Iterable[Effect],
    *,
    before: Iterable[Effect] = (),
    highlights: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Plan:
    """Return the plan by which a place comes to hold a change of its database. There is no undo once all is done: what
    was written into it since would go with it, and a command of its own goes back."""
    return Plan.of(
        change.summary,
        [*before, *here.asker.late(effects)],
        revisions=[here.standing.revision],
        owner=here.service.owner,
        details=differences.files(here.standing.files, change.files),
        highlights=highlights,
        notes=notes,
        environment=here.place.environment,
        lane=here.place.lane,
    ).model_copy(update={"undo_later": False})


def delivered(here: Here, change: Change) -> tuple[Effect, ...]:
    """Return the effects that deliver a change of a database, and then wait for it and the service bound to it."""
    store = store_of(change.release, here.place)
    waits: list[Effect] = [awaiting(store)] if store is not None else []
    return (*delivery(change, here.standing, here.repo_url), *waits, *service_waits(change))


def made_new(here: Here, release: Release, summary: str) -> tuple[Change, tuple[Effect, ...]]:
    """Return the change that makes a database where none is, and its effects.

    It is protected as soon as it is ready: a service may write into it then, however long that takes to be healthy.
    Until then an undo leaves nothing: Argo CD never prunes what is protected.
    """
    wanted = release.database
    assert wanted is not None  # noqa: S101  # it is what is asked for
    bare = release.model_copy(update={"database": wanted.model_copy(update={"protected": False})})
    first, last = change_to(here.place, bare, summary), change_to(here.place, release, f"{summary}: protect it")
    store = store_of(release, here.place)
    standing = replace(here.standing, release=first.release, files=first.files, beside=first.beside)
    return replace(last, summary=summary), (
        *_watched(here, store),
        *delivery(first, here.standing, here.repo_url),
        *([awaiting(store)] if store is not None else []),
        *_protected(here, last, standing),
        *service_waits(first),
    )


def _watched(here: Here, store: Store | None) -> Iterator[Effect]:
    """Where the Application is new, its own end takes the database along."""
    if store is not None and store.main is not None and here.place.is_gitops and here.standing.application is not None:
        yield RetireDatabase(
            id="retire-database",
            cluster=store.cluster,
            api_version=store.main.api_version,
            object_kind=store.main.kind,
            name=store.main.name,
            namespace=store.main.namespace,
            database=store.name,
            application=here.place.application,
        )


def _protected(here: Here, change: Change, standing: Standing) -> Iterator[Effect]:
    for effect in delivery(change, standing, here.repo_url):
        if isinstance(effect, CommitFiles):
            held = effect.model_dump(mode="json", by_alias=True)
            more = {
                "id": "protect",
                "database": f"{change.place.service}{SUFFIX}",
                "environment": change.place.environment,
            }
            yield ProtectDatabase.model_validate({**held, **more})
        elif isinstance(effect, ApplyObjects):
            yield effect.model_copy(update={"id": "protect"})
    if here.place.is_gitops:
        yield RefreshApplication(id="refresh-protected", application=here.place.application)


def service_waits(change: Change) -> list[Effect]:
    """Return the wait for the service's pods, where a version of it runs."""
    return [healthy(change)] if change.release.current is not None else []
