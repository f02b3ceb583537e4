"""`/health`: is it well? One service seen closely, or those of a channel with one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, Field

from bot.catalog.index import Found
from bot.checkups import one, several
from bot.checkups.asking import (
    groups_meant,
    places_of,
    service_named,
    services_of_groups,
    shown_of,
    verdicts_there,
)
from bot.checkups.machines import verdict_data
from bot.checkups.picture import picture
from bot.command import Answer, Context, Picture, Query
from bot.deps import Deps
from bot.errors import UsageError
from bot.health.verdict import Verdict
from bot.model.canonical import JSON
from bot.observing import Look
from bot.releases.wording import read
from bot.rendering.delivery import Place
from bot.slack import blocks
from bot.slack.message import Block
from bot.slack.mrkdwn import code, escape

USAGE = "[service] [environment]"


class Health(BaseModel, frozen=True, extra="forbid"):
    """What is asked about."""

    service: str = Field(
        default="", max_length=200, description="Its name; empty: the channel's services", examples=["orders-api"]
    )
    environment: str = Field(
        default="", max_length=63, description="Empty: all in which it runs, the worst first", examples=["production"]
    )


def parse(words: Sequence[str]) -> Health:
    said = read(words, most=2, known=("in",), usage=f"/health {USAGE}")
    return Health(service=said.at(0), environment=said.after.get("in") or said.at(1))


async def answer(request: Health, context: Context, deps: Deps) -> Answer:
    """Tell what has arrived in time; `complete` tells the whole. Raise `NotFound` for an unknown service or
    environment, `UsageError` where no service is meant."""
    request = _meant(request, deps)
    if request.service:
        return await _closely(service_named(request.service, deps), request.environment, context, deps)
    services = services_of_groups(await groups_meant("", context, deps), deps.catalog())
    if not services:
        raise UsageError("Which service?", hint="Name it: `/health orders-api`, or ask in its team's channel.")
    return await _briefly(services, request.environment, context, deps)


def _meant(request: Health, deps: Deps) -> Health:
    """In a team's channel an environment may stand alone."""
    alone = request.service in deps.platform.environments and not request.environment
    if alone and deps.catalog().service(request.service) is None:
        return Health(environment=request.service)
    return request


# --- One service


async def _closely(found: Found, environment: str, context: Context, deps: Deps) -> Answer:
    places = places_of(found, environment, deps)
    look = Look(deps, context.now)
    look.begin(places, closely=True)
    await look.arrive()

    async def whole() -> Answer:
        await look.rest()
        return _of_one(found, look, places, await _picture(look, places, deps))

    first = _of_one(found, look, places, None)
    may_have_more = not look.is_whole or (deps.pictures is not None and _worst(look, places) is not None)
    return replace(first, complete=whole) if may_have_more else first


def _worst(look: Look, places: Sequence[Place]) -> tuple[Verdict, Place] | None:
    """Return the worst verdict and where it is; of equals the environment that comes last, where people feel it."""
    known = [(verdict, place) for place in places for verdict in verdicts_there(look, [place])]
    return max(reversed(known), key=lambda both: both[0].state.badness, default=None)


async def _picture(look: Look, places: Sequence[Place], deps: Deps) -> Picture | None:
    worst = _worst(look, places)
    return await picture(worst[0], look.facts(worst[1]), deps) if worst is not None else None


def _of_one(found: Found, look: Look, places: Sequence[Place], shown: Picture | None) -> Answer:
    worst = _worst(look, places)
    if worst is None:
        return _nowhere(found, places)
    verdict, place = worst
    others = [other for other in verdicts_there(look, places) if other.environment != verdict.environment]
    body = list(one.closely(verdict, look.facts(place), is_whole=look.is_whole))
    beside: list[Block] = []
    if others:
        beside = [blocks.divider(), *blocks.lines([one.briefly(other) for other in several.worst_first(others)])]
    data: list[JSON] = [
        verdict_data(look.verdict(where), look.facts(where)) for where in places if verdicts_there(look, [where])
    ]
    return Answer(
        text="\n".join(several.in_words(each) for each in (verdict, *several.worst_first(others))),
        blocks=blocks.guarded([*body[:-1], *beside, body[-1]], keep_last=1),
        data={"service": verdict.service, "state": verdict.state.value, "whole": look.is_whole, "environments": data},
        picture=shown,
        shared=True,
    )


def _nowhere(found: Found, places: Sequence[Place]) -> Answer:
    where = places[0].environment if len(places) == 1 else "any environment"
    text = f"{escape(found.label)} has not been deployed to {escape(where)}."
    hint = f"Deploy it: {code(f'/service deploy {found.label}')}"
    data: JSON = {"service": found.entity.metadata.name, "state": "Unknown", "whole": True, "environments": []}
    return Answer(text=f"{text} {hint}", blocks=[blocks.section(f"{text} {hint}")], data=data, shared=True)


# --- Several


async def _briefly(services: Sequence[Found], environment: str, context: Context, deps: Deps) -> Answer:
    shown = shown_of(services, deps)
    places = [places_of(found, environment, deps) for found in shown]
    look = Look(deps, context.now)
    look.begin(place for group in places for place in group)
    await look.arrive()

    async def whole() -> Answer:
        await look.rest()
        return _of_several(look, places, left_out=len(services) - len(shown))

    first = _of_several(look, places, left_out=len(services) - len(shown))
    return first if look.is_whole else replace(first, complete=whole)


def _of_several(look: Look, places: Sequence[Sequence[Place]], *, left_out: int) -> Answer:
    verdicts = [verdicts_there(look, group) for group in places]
    nowhere = [group[0].service for group, found in zip(places, verdicts, strict=True) if not found]
    every = [verdict for found in verdicts for verdict in found]
    notes = several.notes(every, nowhere, left_out=left_out, is_whole=look.is_whole)
    data: list[JSON] = [
        verdict_data(look.verdict(place), look.facts(place))
        for group in places
        for place in group
        if verdicts_there(look, [place])
    ]
    return Answer(
        text="\n".join(several.in_words(each) for each in several.worst_first(every)) or "None of them runs yet.",
        blocks=blocks.guarded(
            [blocks.header(several.summary(every)), *several.lines(verdicts), *notes], keep_last=len(notes)
        ),
        data={"whole": look.is_whole, "services": data, "not_deployed": list(nowhere)},
        shared=True,
    )


QUERY: Query[Health] = Query(
    name="health",
    summary="Say whether a service is well, and what decides it",
    usage=USAGE,
    request=Health,
    parse=parse,
    answer=answer,
)
