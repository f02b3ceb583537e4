"""What a team may have, what it has, and the refusal that says both. Pure, but for reading the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.databases.inventory import Held, read_inventory
from bot.databases.wording import listed, monthly
from bot.deps import Deps
from bot.errors import Refused
from bot.model.databases import Budget
from bot.model.platform import Platform
from bot.previews.reading import Preview, read_previews
from bot.rendering.costs import money
from bot.rendering.delivery import Place

NAMED = 6
"""Databases that a refusal names; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a team has beside the database that is asked about."""

    databases: int
    monthly_cost: Decimal
    told: tuple[tuple[Decimal, str], ...]
    """Each with its cost, the dearest first: `orders-api-db in staging`."""


async def read_spending(place: Place, deps: Deps) -> tuple[Spending, Spending]:
    """Return what the team has in the place's environment, and in all of them; the place itself is not counted."""
    beside = [
        held
        for held in await read_inventory(deps, [place.team])
        if (held.place.service, held.place.environment) != (place.service, place.environment)
    ]
    previews = await _previews(place, deps)
    based_here = previews if place.platform.previews and place.platform.previews.base == place.environment else ()
    here = [held for held in beside if held.place.environment == place.environment]
    return spending(here, based_here), spending(beside, previews)


async def _previews(place: Place, deps: Deps) -> Sequence[Preview]:
    """Return the team's previews where their cost counts: databases and previews share what may be spent."""
    budgets = [place.settings.budget, place.platform.budgets.get(place.team)]
    if place.platform.previews is None or all(one is None or one.monthly_cost is None for one in budgets):
        return ()
    return [one for one in (await read_previews(deps)).previews if one.release.team == place.team]


def spending(held: Iterable[Held], previews: Iterable[Preview] = ()) -> Spending:
    databases = list(held)
    costs = [(one.store.monthly_cost, f"{one.store.name} in {one.place.environment}") for one in databases]
    costs += [(one.terms.monthly_cost, f"the preview {one.name}") for one in previews]
    costs.sort(key=lambda cost: (-cost[0], cost[1]))
    return Spending(
        databases=len(databases),
        monthly_cost=sum((cost for cost, _ in costs), Decimal(0)),
        told=tuple(costs),
    )


def refuse_beyond(place: Place, cost: Decimal, here: Spending, everywhere: Spending, *, new: bool) -> None:
    """Raise `Refused` where a database of this cost (in `Platform.currency`, a month) is more than the team may have.

    It names the number, what is used by what, and who could raise it. Another size of a database that is there (`new`
    is False) is judged by its cost alone.
    """
    platform = place.platform
    own = f"platform.environments.{place.environment}.budget"
    _judge(place, place.settings.budget, cost, here, (f"in {place.environment}", own), new=new)
    of_team = platform.budgets.get(place.team)
    if of_team is not None:
        _judge(place, of_team, cost, everywhere, ("in all environments", f"platform.budgets.{place.team}"), new=new)


def _judge(place: Place, budget: Budget, cost: Decimal, spent: Spending, where: tuple[str, str], *, new: bool) -> None:
    there, setting = where
    if new and budget.databases is not None and spent.databases + 1 > budget.databases:
        raise Refused(
            f"{place.team} may have {_count(budget.databases)} {there}, and has {_has(spent, place.platform)}.",
            hint=f"Delete one that nobody needs, or ask the platform team to raise `{setting}.databases`.",
        )
    most = budget.monthly_cost
    if most is not None and spent.monthly_cost + cost > most:
        currency = place.platform.currency
        raise Refused(
            f"This one costs {monthly(cost, currency)}, and {place.team} may spend {monthly(most, currency)} {there}, "
            f"of which {monthly(spent.monthly_cost, currency)} is used by {_has(spent, place.platform)}.",
            hint=f"Take a smaller size, or ask the platform team to raise `{setting}.monthly_cost`.",
        )


def _has(spent: Spending, platform: Platform) -> str:
    if not spent.told:
        return "nothing else"
    shown = [f"{name} ({money(cost)} {platform.currency})" for cost, name in spent.told[:NAMED]]
    more = len(spent.told) - len(shown)
    return listed([*shown, *([f"{more} more"] if more else [])])


def _count(number: int) -> str:
    return "one database" if number == 1 else f"{number} databases" if number else "no database"
