"""`/service unfreeze`: deploys are possible again."""

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


class ServiceUnfreeze(BaseModel, frozen=True, extra="forbid"):
    """What is let go."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["production"])


def parse(words: Sequence[str]) -> ServiceUnfreeze:
    said = read(words, most=2, known=("in",), usage=f"/service unfreeze {USAGE}")
    return ServiceUnfreeze(service=said.at(0), environment=said.after.get("in") or said.at(1))


async def read_facts(request: ServiceUnfreeze, context: Context, deps: Deps) -> UpkeepFacts:
    here = await read_here(request.service, request.environment, context, deps)
    return await read_upkeep(here, "unfreeze", deps)


def plan(request: ServiceUnfreeze, facts: UpkeepFacts) -> Plan:
    here = facts.here
    if here.release is None or here.release.freeze is None:
        raise Conflict(f"{here.service.name} in {here.place.environment} is not frozen.")
    release = here.release.model_copy(update={"freeze": None})
    summary = f"Unfreeze {here.service.name} in {here.place.environment}"
    return upkeep_plan(here, release, summary, more=cancelled(facts.term))


COMMAND: Command[ServiceUnfreeze, UpkeepFacts] = Command(
    name="service.unfreeze",
    summary="Allow deploys again",
    usage=USAGE,
    request=ServiceUnfreeze,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
