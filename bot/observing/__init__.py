"""Reads how services are, from every system at once: what has arrived in time is told, what has not is named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.deps import Deps
from bot.health.verdict import HealthFacts, Verdict
from bot.observing.look import FIRST_S, Look
from bot.rendering.delivery import Place

__all__ = ["FIRST_S", "Look", "Observed", "observe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is known of one service in one environment so far."""

    facts: HealthFacts
    verdict: Verdict
    rest: Callable[[], Awaitable[Observed]] | None
    """Waits, in bounded time, for what has not arrived; None: this is all."""


async def observe(place: Place, deps: Deps, now: datetime, *, within: float = FIRST_S) -> Observed:
    """Return what has arrived after `within` seconds at the latest. Raises nothing that a system is to blame for."""
    look = Look(deps, now)
    look.begin([place], closely=True)
    await look.arrive(within)

    async def rest() -> Observed:
        await look.rest()
        return Observed(facts=look.facts(place), verdict=look.verdict(place), rest=None)

    return Observed(facts=look.facts(place), verdict=look.verdict(place), rest=None if look.is_whole else rest)
