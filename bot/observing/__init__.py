"""Reads how services are, from every system at once: what has arrived in time is told, what has not is named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.deps import Deps
from bot.health.verdict import AlertFact, HealthFacts, Reading, State, Verdict
from bot.model.alerts import Severity
from bot.observing.look import FIRST_S, Look
from bot.rendering.delivery import Place

__all__ = ["FIRST_S", "Look", "Observed", "observe", "place_in_trouble"]

CHOICE_S = 0.3
"""Longest look, in seconds, at where a service is in trouble: the answer itself has yet to be found."""


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


async def place_in_trouble(places: Sequence[Place], deps: Deps, now: datetime, *, within: float = CHOICE_S) -> Place:
    """Return where it is worst as far as is known after `within` seconds; of equals the last, where people feel it.

    `places` are those of one service, at least one. Where an alert fires nothing else is asked.
    """
    if len(places) == 1:
        return places[0]
    alerting = Look(deps, now)
    alerting.begin_alerts()
    await alerting.arrive(within / 2)
    gravest = {place.environment: _gravity(alerting.alerts(place)) for place in places}
    alerting.give_up()
    if any(gravest.values()):
        return max(reversed(places), key=lambda place: gravest[place.environment])
    look = Look(deps, now)
    look.begin(places)
    await look.arrive(within / 2)
    chosen = max(reversed(places), key=lambda place: _trouble(look.verdict(place)))
    look.give_up()
    return chosen


def _gravity(alerts: Reading[tuple[AlertFact, ...]] | None) -> int:
    """Return 0 where nothing fires, or only what is for information."""
    ranks = [
        list(reversed(Severity)).index(one.severity) for one in (alerts.value if alerts is not None else None) or ()
    ]
    return max(ranks, default=0)


def _trouble(verdict: Verdict) -> int:
    """What was not seen is no trouble: to say how bad it is only what speaks against it counts."""
    return verdict.state.badness if verdict.state in (State.DEGRADED, State.DOWN) else 0
