"""From what is wanted to the store that it becomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.errors import Invalid, Mistake, Refused
from bot.model.databases import RequestedDatabase
from bot.model.platform import Platform
from bot.model.previews import Masking
from bot.model.web_service import WebService
from bot.model.web_service.parts import Database
from bot.rendering.stores.providing import provider_of
from bot.rendering.stores.seeding import seed_from
from bot.rendering.stores.seeds import Seed
from bot.rendering.stores.store import Store
from bot.rendering.stores.wanted import Wanted, mistakes_in, provider_for, wanted

if TYPE_CHECKING:  # delivery knows the ports, which rendering does not need
    from bot.model.release import Release
    from bot.rendering.delivery import Place


def store_for(
    *,
    service: str,
    team: str,
    environment: str,
    platform: Platform,
    document: Database | None = None,
    requested: RequestedDatabase | None = None,
    clients: tuple[str, ...] | None = None,
    seed: Seed | None = None,
    masking: Masking | None = None,
    passing: bool = False,
) -> Store | None:
    """Return the database of a service here, or None where it has none.

    `clients` are the services whose pods may reach it: by default the service itself; none for one that stands alone.
    `passing` is one of a preview. Raise `Invalid` with every mistake where it cannot be had, `NotFound` for an unknown
    environment.
    """
    found = wanted(document, requested, platform)
    if found is None:
        return None
    mistakes = list(mistakes_in(found, environment, platform))
    if not mistakes:
        store = _store(found, service, team, environment, platform)
        store = replace(
            store,
            clients=(service,) if clients is None else clients,
            seed=seed or _seed(store, platform),
            masking=masking,
            passing=passing,
            protected=store.protected and not passing,
        )
        store = provider_of(store).bound(store)
        mistakes = list(refusals(store, platform))
    if mistakes:
        raise Invalid(
            f"The database of {service} cannot be had in {environment}.", mistakes, hint="Mend each and try again."
        )
    return store


def refusals(store: Store, platform: Platform) -> list[Mistake]:
    """Return what its provider cannot do of what is asked for."""
    path = "database" if store.requested else "spec.database"
    return [Mistake(path, sentence) for sentence in provider_of(store).refused(store, platform)]


def _store(found: Wanted, service: str, team: str, environment: str, platform: Platform) -> Store:
    return Store(
        name=f"{service}-db",
        service=service,
        team=team,
        environment=environment,
        cluster=platform.environment(environment).cluster,
        namespace=platform.namespace(service, team, environment),
        engine=found.engine,
        version=found.version,
        size_name=found.size,
        size=platform.database_sizes[found.size],
        settings=provider_for(found, environment, platform),
        keys={},
        fixed={},
        requested=found.requested,
        in_document=found.in_document,
        retention_days=found.retention_days,
        protected=found.protected,
    )


def _seed(store: Store, platform: Platform) -> Seed | None:
    """Return what it was filled from when it was made. What it was is never made again, so that what the platform has
    forgotten meanwhile is no reason to refuse."""
    source = store.requested.seed_from if store.requested else ""
    there = platform.environments.get(source)
    settings = there.provider(store.engine) if there else None
    if there is None or settings is None:
        return None
    other = replace(
        store,
        environment=source,
        cluster=there.cluster,
        namespace=platform.namespace(store.service, store.team, source),
        settings=settings,
    )
    try:
        return seed_from(other)
    except Refused:
        return None


def store_of(release: Release, place: Place) -> Store | None:
    """Return the database of a release: the document's with what a person asked for laid over it, or one that stands
    alone. None for a release without any, and for a preview, which holds several.

    Raise `Invalid` where the platform has not what is asked for, or somebody has edited the document.
    """
    if release.preview is not None:
        return None
    document = _document(release, place)
    if document is None and release.database is None:
        return None
    return store_for(
        service=place.service,
        team=place.team,
        environment=place.environment,
        platform=place.platform,
        document=document.spec.database if document else None,
        requested=release.database,
        clients=() if stands_alone(release) else None,
    )


def stands_alone(release: Release) -> bool:
    """Say whether a release is a database that belongs to no service: it has no version, and nobody's source."""
    return release.database is not None and release.current is None and not release.repository


def _document(release: Release, place: Place) -> WebService | None:
    if not release.document or release.current is None:
        return None
    try:
        document = WebService.model_validate(dict(release.document), by_alias=True, by_name=False)
        return document.for_environment(place.environment)
    except ValidationError:
        mistake = Mistake("document", "restore it from the commit before its last change")
        told = f"The release of {place.service} in {place.environment} is not what Causeway wrote."
        raise Invalid(told, [mistake], hint=f"{mistake.message}.") from None
