"""`/service restart`: every pod of a service starts anew, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.releases.reading import Here, read_here, refuse_frozen
from bot.releases.upkeep import upkeep_plan
from bot.releases.wording import read

USAGE = "[service] [environment]"


class ServiceRestart(BaseModel, frozen=True, extra="forbid"):
    """What is restarted."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])


def parse(words: Sequence[str]) -> ServiceRestart:
    said = read(words, most=2, known=("in",), usage=f"/service restart {USAGE}")
    return ServiceRestart(service=said.at(0), environment=said.after.get("in") or said.at(1))


async def read_facts(request: ServiceRestart, context: Context, deps: Deps) -> Here:
    here = await read_here(request.service, request.environment, context, deps)
    here.running()
    refuse_frozen(here)
    return here


def plan(request: ServiceRestart, here: Here) -> Plan:
    release = here.running().model_copy(update={"restarted_at": here.asker.now})
    made = upkeep_plan(here, release, f"Restart {here.service.name} in {here.place.environment}")
    return made.model_copy(update={"undo_later": False})


COMMAND: Command[ServiceRestart, Here] = Command(
    name="service.restart",
    summary="Start every pod anew, one after the other",
    usage=USAGE,
    request=ServiceRestart,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
