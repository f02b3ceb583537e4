"""`/health why`: from the symptom to its cause, and one thing to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Answer, Context, Query, Subject
from bot.deps import Deps
from bot.explaining.answering import answer_of
from bot.explaining.explanation import explain
from bot.observing import place_in_trouble
from bot.releases.services import service_and_environment
from bot.releases.wording import read

USAGE = "[service] [environment]"


class HealthWhy(BaseModel, frozen=True, extra="forbid"):
    """What is asked about."""

    service: str = Field(
        default="", max_length=200, description="Its name; empty: the channel's", examples=["orders-api"]
    )
    environment: str = Field(
        default="", max_length=63, description="Empty: where it is worst, else the last", examples=["production"]
    )


def parse(words: Sequence[str]) -> HealthWhy:
    said = read(words, most=2, known=("in",), usage=f"/health why {USAGE}")
    return HealthWhy(service=said.at(0), environment=said.after.get("in") or said.at(1))


async def subject(request: HealthWhy, context: Context, deps: Deps) -> Subject:
    """Whoever may read the service's logs may know why: lines of them are shown. Where no environment is named, the
    one is meant in which it is worst."""
    service, environment = await service_and_environment(request.service, request.environment, context, deps)
    if not environment:
        everywhere = [service.place(deps, name) for name in deps.platform.environments]
        environment = (await place_in_trouble(everywhere, deps, context.now)).environment if everywhere else ""
    whole = HealthWhy(service=service.name, environment=environment)
    return Subject(owner=service.owner, environment=environment, request=whole)


async def answer(request: HealthWhy, context: Context, deps: Deps) -> Answer:
    """Raise `NotFound` for an unknown service or environment, and for nothing else."""
    service, environment = await service_and_environment(request.service, request.environment, context, deps)
    place = service.place(deps, environment or _last(deps))
    groups = await deps.groups_of_channel(context.channel) if context.channel else ()
    # Lines of logs are shown: to everybody only where the owners are among themselves.
    shared = service.owner in groups
    found = await explain(place, deps, context.now, context.principal, among=groups if shared else None)
    return await answer_of(found, deps, shared=shared)


def _last(deps: Deps) -> str:
    """Return the environment that is meant when nobody has chosen one: that which versions are promoted to at the
    end."""
    return next(reversed(deps.platform.environments), "")


QUERY: Query[HealthWhy] = Query(
    name="health.why",
    summary="Say why a service is slow or fails: what moved, what changed, what to do",
    usage=USAGE,
    request=HealthWhy,
    parse=parse,
    answer=answer,
    subject=subject,
)
