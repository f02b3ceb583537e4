"""Databases as rendered objects. A store is one of them; who makes it is a provider, one module for each.

Whatever needs a database asks a `Store`: which object tells whether it is ready, which Secret binds it, what it costs.
It asks no provider.
"""

from bot.rendering.stores.finding import stands_alone, store_for, store_of
from bot.rendering.stores.seeding import seed_from
from bot.rendering.stores.seeds import Seed, SeedByJob, SeedFromBackup, SeedFromImport
from bot.rendering.stores.store import PROTECTED, VISITOR, Store

__all__ = [
    "PROTECTED",
    "VISITOR",
    "Seed",
    "SeedByJob",
    "SeedFromBackup",
    "SeedFromImport",
    "Store",
    "seed_from",
    "stands_alone",
    "store_for",
    "store_of",
]
