"""`/health team`: one table of a team's services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, Field

from bot.checkups import several
from bot.checkups.asking import groups_meant, places_of, services_of_groups, shown_of, verdicts_there
from bot.checkups.machines import verdict_data
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import UsageError
from bot.model.canonical import JSON
from bot.observing import Look
from bot.rendering.delivery import Place
from bot.slack import blocks

USAGE = "[group]"


class HealthTeam(BaseModel, frozen=True, extra="forbid"):
    """Which team."""

    group: str = Field(
        default="", max_length=200, description="Its name; empty: the channel's, or one's own", examples=["team-orders"]
    )


def parse(words: Sequence[str]) -> HealthTeam:
    if len(words) > 1:
        raise UsageError(f"I could not read `{' '.join(words)[:200]}`.", hint=f"Try `/health team {USAGE}`.")
    return HealthTeam(group=words[0] if words else "")


async def answer(request: HealthTeam, context: Context, deps: Deps) -> Answer:
    """Tell what has arrived in time; `complete` tells the whole. Raise `NotFound` for an unknown group, `UsageError`
    where none is meant or it has no service."""
    groups = await groups_meant(request.group, context, deps)
    services = services_of_groups(groups, deps.catalog())
    names = ", ".join(group.rpartition("/")[2] for group in groups)
    if not services:
        told = f"{names} has no service in the catalog." if names else "Which team?"
        raise UsageError(told, hint="Name a group: `/health team team-orders`.")
    shown = shown_of(services, deps)
    places = [places_of(found, "", deps) for found in shown]
    look = Look(deps, context.now)
    look.begin(place for group in places for place in group)
    await look.arrive()

    async def whole() -> Answer:
        await look.rest()
        return _told(names, look, places, left_out=len(services) - len(shown))

    first = _told(names, look, places, left_out=len(services) - len(shown))
    return first if look.is_whole else replace(first, complete=whole)


def _told(names: str, look: Look, places: Sequence[Sequence[Place]], *, left_out: int) -> Answer:
    every = [verdict for group in places for verdict in verdicts_there(look, group)]
    nowhere = [group[0].service for group in places if not verdicts_there(look, group)]
    notes = several.notes(every, nowhere, left_out=left_out, is_whole=look.is_whole)
    data: list[JSON] = [
        verdict_data(look.verdict(place), look.facts(place))
        for group in places
        for place in group
        if verdicts_there(look, [place])
    ]
    reasons = blocks.lines(blocks.fold(several.reasons(every), several.MOST, "and {} more"))
    return Answer(
        text="\n".join([f"{names}: {several.summary(every)}", *map(several.in_words, several.worst_first(every))]),
        blocks=blocks.guarded(
            [
                blocks.header(f"{names}: {several.summary(every)}"),
                *([several.table(every)] if every else []),
                *reasons,
                *notes,
            ],
            keep_last=len(notes),
        ),
        data={"whole": look.is_whole, "services": data, "not_deployed": list(nowhere)},
        shared=True,
    )


QUERY: Query[HealthTeam] = Query(
    name="health.team",
    summary="Show a team's services in one table: state, traffic, failures, latency",
    usage=USAGE,
    request=HealthTeam,
    parse=parse,
    answer=answer,
)
