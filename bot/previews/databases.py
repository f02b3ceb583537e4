"""Which databases a preview gets without a word: those that its services have in the base environment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from bot.deps import Deps
from bot.model import environment
from bot.model.databases import Engine
from bot.model.environment import Environment
from bot.model.web_service import WebService
from bot.previews.asking import EMPTY
from bot.previews.sources import Shown, store_in
from bot.rendering.previews import previews_of
from bot.rendering.stores import Store


async def with_databases(document: Environment, shown: Iterable[Shown], seed: str, deps: Deps) -> Environment:
    """Return the document with an entry for each database that a person has asked for in the base environment, and,
    where the platform fills previews, with what each is filled from.

    `seed` is what the request says: an environment, `none`, or nothing. What a service's own document asks for needs no
    entry to be there. One that begins empty is of the first size, whatever it stands for: a preview holds little.
    """
    policy = previews_of(deps.platform)
    filled_from = "" if seed == EMPTY else seed or policy.seed
    services = tuple(shown)
    in_base, there = await asyncio.gather(_stores(services, policy.base, deps), _stores(services, filled_from, deps))
    entries = tuple(_entries(services, policy.base, filled_from, in_base, there))
    if not entries:
        return document
    named = {one.service for one in entries}
    left = [one for one in services if one.service.name not in named and _asked(one.document, policy.base)]
    others = document.spec.databases if left else tuple(one for one in document.spec.databases if one.service)
    spec = document.spec.model_copy(update={"databases": (*others, *entries)})
    return document.model_copy(update={"spec": spec})


def _entries(
    shown: Iterable[Shown], base: str, seed: str, in_base: dict[str, Store], there: dict[str, Store]
) -> Iterator[environment.Database]:
    for one in shown:
        name = one.service.name
        asked, standing = _asked(one.document, base), in_base.get(name)
        engine = asked or (standing.engine if standing is not None and standing.requested is not None else None)
        if engine is None:
            continue
        can_be_filled = engine == "postgresql" and name in there and there[name].engine == engine
        if asked is not None and not can_be_filled:
            continue
        yield environment.Database(
            type=engine,
            service=name,
            seed_from=seed if can_be_filled else None,
        )


def _asked(document: WebService, base: str) -> Engine | None:
    """Return the engine of the database that a service's own document asks for, as it does in the base environment."""
    database = document.for_environment(base).spec.database
    return database.type if database is not None else None


async def _stores(shown: tuple[Shown, ...], where: str, deps: Deps) -> dict[str, Store]:
    if where not in deps.platform.environments:
        return {}  # rendering says so, with the place in the document
    found = await asyncio.gather(*(store_in(one.service, where, deps) for one in shown))
    return {one.service.name: store for one, store in zip(shown, found, strict=True) if store is not None}
