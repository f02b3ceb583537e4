"""What is checked before a database is planned: that somebody makes it, that its size and seed exist, what it costs."""

from __future__ import annotations

from bot.databases.wording import engine_name, listed, sizes
from bot.errors import Conflict, Invalid, Mistake, NotFound, Refused
from bot.model.databases import DatabaseProvider, DatabaseSize, Engine
from bot.model.platform import Platform
from bot.releases.reading import Here
from bot.rendering.delivery import Place
from bot.rendering.quantities import memory_bytes
from bot.rendering.stores import Store, seed_from


def provider_here(place: Place, engine: Engine) -> DatabaseProvider:
    """Return who makes databases of an engine there. Raise `Refused` that names those that somebody makes."""
    found = place.settings.provider(engine)
    if found is not None:
        return found
    made = engines_in(place.platform, place.environment)
    there = f"There is {listed(map(engine_name, made))}. " if made else ""
    raise Refused(
        f"Nobody makes {engine_name(engine)} databases in {place.environment}.",
        hint=f"{there}The platform team can add another in `platform.environments.{place.environment}.databases`.",
    )


def engines_in(platform: Platform, environment: str) -> tuple[Engine, ...]:
    """Return the engines that somebody makes in an environment, PostgreSQL first."""
    settings = platform.environment(environment)
    engines: tuple[Engine, ...] = ("postgresql", "mysql", "valkey")
    return tuple(engine for engine in engines if settings.provider(engine) is not None)


def size_named(name: str, platform: Platform) -> tuple[str, DatabaseSize]:
    """Return a size by its name, the first one where none is named. Raise `Invalid` that tells what each holds."""
    chosen = name or next(iter(platform.database_sizes), "")
    size = platform.database_sizes.get(chosen)
    if size is None:
        mistake = Mistake("size", f"There is no database size `{chosen[:40]}`.")
        raise Invalid(f"There is no database size `{chosen[:40]}`.", [mistake], hint=f"There are {sizes(platform)}.")
    return chosen, size


def refuse_second(here: Here, store: Store | None) -> None:
    """Raise `Conflict` where the service has a database already."""
    if store is None:
        return
    name, environment = here.service.name, here.place.environment
    raise Conflict(
        f"{name} has a database in {environment} already: {store.name} ({engine_name(store.engine)}, "
        f"{store.size_name}).",
        hint=f"For another size: `/database resize {name} <size> in {environment}`. A second one stands alone: "
        f"`/database request <name> for {here.place.team} in {environment}`.",
    )


def refuse_smaller_disk(before: DatabaseSize, after: DatabaseSize, what: str) -> None:
    """Raise `Refused` for a smaller disk: no provider can shrink one."""
    if memory_bytes(after.storage) < memory_bytes(before.storage):
        raise Refused(
            f"{what} would have a smaller disk, {after.storage} instead of {before.storage}, and disks never shrink.",
            hint="Request another database of that size and move what is in this one, or keep the disk: choose a size "
            f"of {before.storage} or more.",
        )


def refuse_seed(place: Place, source: str, seed: Store | None, size: DatabaseSize, engine: Engine) -> None:
    """Raise `PlatformError` for a seed that is not there, is larger than its target, may not leave its environment, or
    that the platform knows no way to read.

    `seed` is the database of the same name in the environment `source`.
    """
    if source == place.environment:
        raise Conflict(f"It would be filled from itself: both are in {source}.", hint="Name another environment.")
    settings = place.platform.environment(source)
    if settings.personal_data and not place.settings.personal_data:
        raise Refused(
            f"{source} holds personal data, which does not leave it unmasked, so nothing in {place.environment} is "
            "filled from there.",
            hint="Take another environment as the source, or have a preview, whose data is masked.",
        )
    if seed is None:
        raise NotFound(f"{place.service} has no database in {source} to fill this one from.", hint="Leave `from` out.")
    if seed.engine != engine:
        raise Conflict(
            f"The database in {source} is {engine_name(seed.engine)}, and this one would be {engine_name(engine)}.",
            hint=f"Ask for {engine_name(seed.engine)}.",
        )
    seed_from(seed)
    if memory_bytes(seed.size.storage) > memory_bytes(size.storage):
        raise Refused(
            f"What is in {source} has a disk of {seed.size.storage}, which may not fit into {size.storage}.",
            hint=f"Choose a size of {seed.size.storage} or more.",
        )
