"""How sizes, costs and engines are said to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from bot.model.databases import ENGINES, DatabaseSize, Engine
from bot.model.platform import Platform
from bot.rendering.costs import money

_ENGINE_WORDS: dict[str, Engine] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pg": "postgresql",
    "mysql": "mysql",
    "valkey": "valkey",
    "redis": "valkey",
}


def monthly(amount: Decimal, currency: str) -> str:
    """Return `20 EUR a month`."""
    return f"{money(amount)} {currency} a month"


def holds(size: DatabaseSize, currency: str) -> str:
    """Return what a size gets and costs: `10Gi, 512Mi, one instance, 20 EUR a month`."""
    instances = "one instance" if size.instances == 1 else f"{size.instances} instances"
    return f"{size.storage}, {size.memory}, {instances}, {monthly(size.monthly_cost, currency)}"


def sizes(platform: Platform) -> str:
    """Return every size with what it holds, in one sentence without its end."""
    return "; ".join(f"{name}: {holds(size, platform.currency)}" for name, size in platform.database_sizes.items())


def engine_said(word: str) -> Engine | None:
    """Return the engine that a word means; None for any other word."""
    return _ENGINE_WORDS.get(word.lower())


def engine_name(engine: Engine) -> str:
    """Return what people call it: `PostgreSQL`."""
    return ENGINES[engine].partition(" (")[0]


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    found: Sequence[str] = list(words)
    return f" {last} ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)
