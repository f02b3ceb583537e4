"""`/service unpin`: let go of a version that a rollback holds."""

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

USAGE = "[service] [environment] [because …]"


class ServiceUnpin(BaseModel, frozen=True, extra="forbid"):
    """What is let go."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["production"])
    reason: str = Field(default="", max_length=300, description="Why, for the record")


def parse(words: Sequence[str]) -> ServiceUnpin:
    said = read(words, most=2, known=("in",), usage=f"/service unpin {USAGE}")
    return ServiceUnpin(service=said.at(0), environment=said.after.get("in") or said.at(1), reason=said.reason)


async def read_facts(request: ServiceUnpin, context: Context, deps: Deps) -> UpkeepFacts:
    here = await read_here(request.service, request.environment, context, deps)
    return await read_upkeep(here, "unpin", deps)


def plan(request: ServiceUnpin, facts: UpkeepFacts) -> Plan:
    here = facts.here
    release = here.running()
    if release.pin is None:
        raise Conflict(f"{here.service.name} in {here.place.environment} is not held.")
    why = f", because {request.reason.rstrip('.')}" if request.reason else ""
    summary = f"Let go of {here.service.name} in {here.place.environment}{why}"
    notes = (
        [f"It stays at {release.current.version.name} until something newer is deployed."] if release.current else []
    )
    more = cancelled(facts.term)
    return upkeep_plan(here, release.model_copy(update={"pin": None}), summary, more=more, notes=notes)


COMMAND: Command[ServiceUnpin, UpkeepFacts] = Command(
    name="service.unpin",
    summary="Let go of a version that a rollback holds",
    usage=USAGE,
    request=ServiceUnpin,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
