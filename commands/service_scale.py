"""`/service scale`: another number of replicas than the document says, for good or for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import MakeAppointment
from bot.errors import Conflict, Refused, UsageError
from bot.model.duration import Duration, format_duration
from bot.model.plan import Plan
from bot.model.release import Scaled
from bot.releases.reading import read_here, refuse_frozen
from bot.releases.upkeep import UpkeepFacts, cancelled, read_upkeep, term_name, upkeep_plan
from bot.releases.wording import read

USAGE = "<service> <replicas> [in environment] [for 2h]"
LONGEST = timedelta(days=90)
MOST_DIGITS = 9
"""No number of replicas needs more; Python reads none of thousands."""


class ServiceScale(BaseModel, frozen=True, extra="forbid"):
    """How many run, and for how long."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    replicas: int = Field(ge=0, le=1000, description="How many run", examples=[4])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])
    span: Duration | None = Field(default=None, gt=timedelta(0), le=LONGEST, description="Then the document decides")


def parse(words: Sequence[str]) -> ServiceScale:
    usage = f"/service scale {USAGE}"
    said = read(words, most=2, known=("in", "to", "for"), usage=usage)
    number = said.plain[-1] if said.plain else ""
    environment = said.after.get("in", "")
    if "to" in said.after:  # `scale orders to 4` and `scale orders 4 to staging` are both said
        if said.after["to"].isdecimal():
            number = said.after["to"]
        else:
            environment = environment or said.after["to"]
    if not (number.isdecimal() and len(number) <= MOST_DIGITS):
        hint = "Try `/service scale orders-api 4`; `/service unscale orders-api` lets its document decide again."
        raise UsageError("How many replicas? I need a number.", hint=hint)
    service = said.plain[0] if said.plain and said.plain[0] != number else ""
    return ServiceScale.model_validate(
        {"service": service, "replicas": int(number), "environment": environment, "span": said.after.get("for")}
    )


async def read_facts(request: ServiceScale, context: Context, deps: Deps) -> UpkeepFacts:
    """Raise `Refused` above the environment's ceiling; it names the number and who could raise it."""
    here = await read_here(request.service, request.environment, context, deps)
    refuse_frozen(here)
    here.running()
    most = here.place.settings.max_replicas
    if request.replicas > most:
        raise Refused(
            f"{here.place.environment} allows at most {most} replicas of one service.",
            hint="The platform team can raise `max_replicas` of the environment.",
        )
    return await read_upkeep(here, "unscale", deps)


def plan(request: ServiceScale, facts: UpkeepFacts) -> Plan:
    here = facts.here
    release = here.running()
    if release.scaled and release.scaled.replicas == request.replicas and not (request.span or facts.term):
        raise Conflict(f"{here.service.name} in {here.place.environment} is scaled to {request.replicas} already.")
    until = here.asker.now + request.span if request.span else None
    scaled = Scaled(replicas=request.replicas, by=here.asker.user, until=until)
    summary = f"Scale {here.service.name} in {here.place.environment} to {request.replicas}"
    highlights = ["Nothing runs any more with 0 replicas: requests are refused."] if request.replicas == 0 else []
    after = release.model_copy(update={"scaled": scaled})
    if until is None or request.span is None:
        return upkeep_plan(here, after, summary, more=cancelled(facts.term), highlights=highlights)
    end = MakeAppointment(
        id="remember-scale",
        name=term_name("unscale", here),
        at=until,
        command="service.unscale",
        request={"service": here.service.name, "environment": here.place.environment},
    )
    return upkeep_plan(
        here,
        after,
        f"{summary} for {format_duration(request.span)}",
        more=[end],
        highlights=highlights,
    )


COMMAND: Command[ServiceScale, UpkeepFacts] = Command(
    name="service.scale",
    summary="Run another number of replicas, perhaps for a while",
    usage=USAGE,
    request=ServiceScale,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
