"""The services that the bot's stored catalog knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from bot.catalog.catalog import Catalog
from bot.clock import machine_clock
from bot.errors import PlatformError, UsageError
from bot.ports import Forge
from bot.releases.services import Service, service_of
from bot.settings import Settings
from bot.storage.database import Database

PATIENCE_S = 10.0
"""Longest wait for a database that may not answer."""


async def known_services(settings: Settings, forge: Forge) -> Sequence[Service]:
    """Return them by name; none where the bot has never run, or where its database is away: that is told elsewhere."""
    database = Database(settings.environment.database_url)
    part = settings.configuration.catalog
    catalog = Catalog(database, forge, machine_clock, folders=part.folders, repositories=part.repositories)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await catalog.load()
    except (SQLAlchemyError, OSError, PlatformError):  # a TimeoutError is an OSError
        return ()
    finally:
        await database.close()
    services = []
    for found in catalog.index.components():
        try:
            services.append(service_of(found))
        except UsageError:
            continue  # `/service list` tells what is wrong with it
    return sorted(services, key=lambda one: one.name)
