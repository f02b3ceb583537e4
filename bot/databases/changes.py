"""Plans that change the database of a release: request, resize."""

from __future__ import annotations

from collections.abc import Iterable

from bot.effects import AwaitDatabase
from bot.effects.database import MainObject
from bot.errors import Conflict
from bot.model.effect import Effect
from bot.model.plan import Offer, Plan
from bot.model.release import Release
from bot.releases import differences
from bot.releases.changes import change_to, delivery, healthy, undeployed
from bot.releases.reading import Here
from bot.rendering.delivery import Change
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
    release: Release,
    summary: str,
    *,
    before: Iterable[Effect] = (),
    more: Iterable[Effect] = (),
    highlights: Iterable[str] = (),
    notes: Iterable[str] = (),
    offers: Iterable[Offer] = (),
) -> Plan:
    """Return the plan by which a place comes to hold a release with a database: delivered as any change of a release,
    then the database is waited for, then the service that is bound to it."""
    change = change_to(here.place, release, summary)
    store = store_of(release, here.place)
    waits: list[Effect] = [awaiting(store)] if store is not None else []
    waits += service_waits(change)
    return Plan.of(
        summary,
        [*before, *here.asker.late([*delivery(change, here.standing, here.repo_url), *waits]), *more],
        revisions=[here.standing.revision],
        owner=here.service.owner,
        details=differences.files(here.standing.files, change.files),
        highlights=highlights,
        notes=notes,
        environment=here.place.environment,
        lane=here.place.lane,
        offers=offers,
    )


def service_waits(change: Change) -> list[Effect]:
    """Return the wait for the service's pods, where a version of it runs."""
    return [healthy(change)] if change.release.current is not None else []
