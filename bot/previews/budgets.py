"""What a team may have of previews, what it has, and the refusal that says both. Pure, but for the counting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.errors import Refused
from bot.model.databases import Budget
from bot.model.environment import Environment
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.previews.reading import Preview

NAMED = 5
"""Previews that a refusal names; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a team has beside what is asked about."""

    count: int
    monthly_cost: Decimal
    told: tuple[str, ...]
    """The dearest first: `new-checkout (12 EUR)`."""


def spent(previews: Iterable[Preview], team: str, beside: str, currency: str) -> Spent:
    """Count what a team has, but for the preview called `beside`."""
    own = [one for one in previews if one.release.team == team and one.name != beside]
    dearest = sorted(own, key=lambda one: (-one.terms.monthly_cost, one.name))
    return Spent(
        count=len(own),
        monthly_cost=sum((one.terms.monthly_cost for one in own), Decimal(0)),
        told=tuple(f"{one.name} ({one.terms.monthly_cost:f} {currency})" for one in dearest),
    )


def refuse_beyond(platform: Platform, base: str, team: str, cost: Decimal, has: Spent, *, new: bool) -> None:
    """Raise `Refused` where one more preview of this cost a month is more than the team may have.

    It names the number, what is used by what, and who could raise it. Another version of a preview that is there
    (`new` is False) is judged by its cost alone.
    """
    limits = [(f"platform.environments.{base}.budget", platform.environment(base).budget)]
    if (of_team := platform.budgets.get(team)) is not None:
        limits.append((f"platform.budgets.{team}", of_team))
    for setting, budget in limits:
        _judge(budget, setting, team, cost, has, currency=platform.currency, new=new)


def _judge(budget: Budget, setting: str, team: str, cost: Decimal, has: Spent, *, currency: str, new: bool) -> None:
    if new and budget.previews is not None and has.count + 1 > budget.previews:
        most = "no preview" if budget.previews == 0 else f"{budget.previews} at the same time"
        raise Refused(
            f"{team} may have {most}, and has {_named(has)}.",
            hint=f"End one that nobody needs, or ask the platform team to raise `{setting}.previews`.",
        )
    most_cost = budget.monthly_cost
    if most_cost is not None and has.monthly_cost + cost > most_cost:
        raise Refused(
            f"This preview costs {cost:f} {currency} a month, and {team} may spend {most_cost:f} {currency}, of which "
            f"{has.monthly_cost:f} {currency} is used by {_named(has)}.",
            hint=f"End one that nobody needs, or ask the platform team to raise `{setting}.monthly_cost`.",
        )


def _named(has: Spent) -> str:
    if not has.told:
        return "nothing else"
    shown = list(has.told[:NAMED])
    more = len(has.told) - len(shown)
    shown += [f"{more} more"] if more else []
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def monthly_cost(
    document: Environment, services: Mapping[str, WebService], databases: Iterable[Decimal], platform: Platform
) -> Decimal:
    """Return what it costs while it is awake, in `Platform.currency`: each replica of each service, and its databases.

    One that sleeps costs its databases only; what it costs awake is what it may cost at any time.
    """
    total = sum(databases, Decimal(0))
    first = next(iter(platform.sizes), "")
    for one in document.spec.services:
        written = services.get(one.name)
        word = one.size or (written.spec.size if written is not None else None) or first
        size = platform.sizes.get(word)
        if size is not None:
            total += size.monthly_cost * (1 if one.replicas is None else one.replicas)
    return total
