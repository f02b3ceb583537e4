"""What a team may have of previews, what it has, and the refusal that says both. Pure, but for the counting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.errors import Refused
from bot.model.canonical import JSON
from bot.model.databases import Budget
from bot.model.platform import Platform
from bot.ports import EnvironmentRecord
from bot.previews.reading import Preview
from bot.previews.wording import listed

NAMED = 5
"""Previews that a refusal names; more are counted."""
COST = "monthly_cost"
"""What a line of the book holds beside what must be gone: a number as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a team has beside what is asked about."""

    count: int
    monthly_cost: Decimal
    told: tuple[str, ...]
    """The dearest first: `new-checkout (12 EUR)`."""
    databases_in_base: Decimal = Decimal(0)
    """What its databases in the base environment cost a month; and in all environments."""
    databases: Decimal = Decimal(0)


def spent(
    previews: Iterable[Preview],
    team: str,
    beside: str,
    currency: str,
    *,
    lines: Iterable[EnvironmentRecord] = (),
) -> Spent:
    """Count what a team has, but for the preview called `beside`.

    `lines` are those of the book that stand. It knows a preview before any release does: whoever waits for a build has
    asked all the same.
    """
    costs = {one.name: cost_in(one.holds) for one in lines if one.kind == "preview" and one.team == team}
    costs |= {one.name: one.terms.monthly_cost for one in previews if one.release.team == team}
    costs.pop(beside, None)
    dearest = sorted(costs.items(), key=lambda one: (-one[1], one[0]))
    return Spent(
        count=len(costs),
        monthly_cost=sum(costs.values(), Decimal(0)),
        told=tuple(f"{name} ({cost:f} {currency})" for name, cost in dearest),
    )


def cost_in(holds: Mapping[str, JSON]) -> Decimal:
    """Return what a line of the book says that a preview costs a month; nothing where it does not say."""
    told = holds.get(COST)
    return Decimal(told) if isinstance(told, str) else Decimal(0)


def refuse_beyond(platform: Platform, base: str, team: str, cost: Decimal, has: Spent, *, new: bool) -> None:
    """Raise `Refused` where one more preview of this cost a month is more than the team may have.

    It names the number, what is used by what, and who could raise it. Another version of a preview that is there
    (`new` is False) is judged by its cost alone.
    """
    own = f"platform.environments.{base}.budget"
    _judge(platform.environment(base).budget, own, has, has.databases_in_base, (team, cost, platform.currency), new=new)
    if (of_team := platform.budgets.get(team)) is not None:
        setting = f"platform.budgets.{team}"
        _judge(of_team, setting, has, has.databases, (team, cost, platform.currency), new=new)


def _judge(
    budget: Budget, setting: str, has: Spent, databases: Decimal, asked: tuple[str, Decimal, str], *, new: bool
) -> None:
    """`asked` are the team, what it asks for costs, and the currency; `databases` what those cost beside."""
    team, cost, currency = asked
    if new and budget.previews is not None and has.count + 1 > budget.previews:
        most = "no preview" if budget.previews == 0 else f"{budget.previews} at the same time"
        raise Refused(
            f"{team} may have {most}, and has {_named(has.told)}.",
            hint=f"End one that nobody needs, or ask the platform team to raise `{setting}.previews`.",
        )
    most_cost, spent_already = budget.monthly_cost, has.monthly_cost + databases
    if most_cost is not None and spent_already + cost > most_cost:
        by = [*has.told, *([f"databases ({databases:f} {currency})"] if databases else [])]
        raise Refused(
            f"This preview costs {cost:f} {currency} a month, and {team} may spend {most_cost:f} {currency}, of which "
            f"{spent_already:f} {currency} is used by {_named(by)}.",
            hint=f"End one that nobody needs, or ask the platform team to raise `{setting}.monthly_cost`.",
        )


def limits_cost(platform: Platform, base: str, team: str) -> bool:
    """Return whether there is a limit on what the team spends: only then its databases have to be counted."""
    of_team = platform.budgets.get(team)
    limits = [platform.environment(base).budget, *([of_team] if of_team is not None else [])]
    return any(budget.monthly_cost is not None for budget in limits)


def _named(told: Sequence[str]) -> str:
    if not told:
        return "nothing else"
    more = len(told) - NAMED
    return listed([*told[:NAMED], *([f"{more} more"] if more > 0 else [])])
