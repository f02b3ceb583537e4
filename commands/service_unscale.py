"""`/service unscale`: the document decides again how many run."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.errors import Conflict
from bot.model.plan import Plan
from bot.releases.reading import read_here
from bot.releases.upkeep import UpkeepFacts, cancelled, read_upkeep, upkeep_plan
from bot.releases.wording import read

USAGE = "[service] [environment]"


class ServiceUnscale(BaseModel, frozen=True, extra="forbid"):
    """What is scaled as its document says."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])


def parse(words: Sequence[str]) -> ServiceUnscale:
    said = read(words, most=2, known=("in",), usage=f"/service unscale {USAGE}")
    return ServiceUnscale(service=said.at(0), environment=said.after.get("in") or said.at(1))


async def read_facts(request: ServiceUnscale, context: Context, deps: Deps) -> UpkeepFacts:
    """A freeze does not stand in the way: the end was agreed on when it was scaled."""
    here = await read_here(request.service, request.environment, context, deps)
    return await read_upkeep(here, "unscale", deps)


def plan(request: ServiceUnscale, facts: UpkeepFacts) -> Plan:
    here = facts.here
    release = here.running()
    if release.scaled is None:
        raise Conflict(f"{here.service.name} in {here.place.environment} runs as its document says already.")
    summary = f"Scale {here.service.name} in {here.place.environment} as its document says"
    more = cancelled(facts.term)
    return upkeep_plan(here, release.model_copy(update={"scaled": None}), summary, more=more)


COMMAND: Command[ServiceUnscale, UpkeepFacts] = Command(
    name="service.unscale",
    summary="Let the document decide again how many run",
    usage=USAGE,
    request=ServiceUnscale,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
