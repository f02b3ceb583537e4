"""What things cost a month, as the platform team's prices say. Estimates for people and budgets, and no bill."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bot.model.databases import RequestedDatabase
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering.scaling import scale_of
from bot.rendering.stores.store import Store
from bot.rendering.stores.wanted import wanted

NOTHING = Decimal(0)


def cost_of_store(store: Store) -> Decimal:
    """Return what a database costs a month, in `Platform.currency`: the price of its size, whoever makes it."""
    return store.monthly_cost


def cost_of_service(
    document: WebService,
    *,
    environment: str,
    platform: Platform,
    replicas: int | None = None,
    requested: RequestedDatabase | None = None,
    with_database: bool = True,
) -> Decimal:
    """Return what a service costs a month in an environment, in `Platform.currency`.

    That is its size times the least number of replicas (or `replicas`, which a person asked for), its cache, and its
    database. A scheduled job counts as one replica: so much may run at any time. A word that the platform does not
    have costs nothing; rendering refuses it. Raise `NotFound` for an unknown environment, and pydantic's
    `ValidationError` where what the document says of it does not fit the rest.
    """
    here = platform.environment(environment)
    spec = document.for_environment(environment).spec
    scale = scale_of(document.for_environment(environment), ceiling=here.max_replicas, asked=replicas)
    running = 1 if spec.schedule is not None else scale.low
    total = running * price_of_size(spec.size, platform)
    if spec.cache is not None:
        total += price_of_size(spec.cache.size, platform)
    found = wanted(spec.database, requested, platform) if with_database else None
    return total + (price_of_database(found.size, platform) if found else NOTHING)


def price_of_size(name: str | None, platform: Platform) -> Decimal:
    """Return the price of one replica; that of the first size where none is named."""
    size = platform.sizes.get(name) if name else next(iter(platform.sizes.values()), None)
    return size.monthly_cost if size else NOTHING


def price_of_database(name: str, platform: Platform) -> Decimal:
    size = platform.database_sizes.get(name)
    return size.monthly_cost if size else NOTHING


def cost_of_preview(
    services: Iterable[WebService], stores: Iterable[Store], *, environment: str, platform: Platform
) -> Decimal:
    """Return what a preview costs a month while it is awake: its services without databases of their own, and every
    database that is made for it. `platform` has the preview as one of its environments."""
    running = (
        cost_of_service(one, environment=environment, platform=platform, with_database=False) for one in services
    )
    return sum(running, NOTHING) + sum((cost_of_store(store) for store in stores), NOTHING)


def a_month(amount: Decimal, platform: Platform) -> str:
    """Return the words for a cost: `20 EUR a month`, `7.50 EUR a month`."""
    return f"{money(amount)} {platform.currency} a month"


def money(amount: Decimal) -> str:
    """Return an amount as people write it: with two digits behind the point, or with none where it is whole."""
    rounded = amount.quantize(Decimal("0.01"))
    return f"{rounded:.0f}" if rounded == rounded.to_integral_value() else f"{rounded}"
