"""`/service freeze`: nothing is deployed here until somebody lets go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import MakeAppointment
from bot.errors import Conflict, UsageError
from bot.model.duration import Duration
from bot.model.plan import Plan
from bot.model.release import Freeze
from bot.releases.changes import undeployed
from bot.releases.reading import read_here
from bot.releases.upkeep import UpkeepFacts, cancelled, read_upkeep, term_name, upkeep_plan
from bot.releases.wording import read

USAGE = "[service] [environment] [for 3d] because …"
LONGEST = timedelta(days=365)


class ServiceFreeze(BaseModel, frozen=True, extra="forbid"):
    """What is frozen, why, and for how long."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["production"])
    reason: str = Field(min_length=1, max_length=300, description="Why", examples=["The sale begins on Friday"])
    span: Duration | None = Field(default=None, gt=timedelta(0), le=LONGEST, description="Empty: until it is unfrozen")


def parse(words: Sequence[str]) -> ServiceFreeze:
    said = read(words, most=2, known=("in", "for"), usage=f"/service freeze {USAGE}")
    if not said.reason:
        raise UsageError("Why? Whoever meets the freeze will ask.", hint=f"Try `/service freeze {USAGE}`.")
    return ServiceFreeze.model_validate(
        {
            "service": said.at(0),
            "environment": said.after.get("in") or said.at(1),
            "reason": said.reason,
            "span": said.after.get("for"),
        }
    )


async def read_facts(request: ServiceFreeze, context: Context, deps: Deps) -> UpkeepFacts:
    here = await read_here(request.service, request.environment, context, deps)
    return await read_upkeep(here, "unfreeze", deps)


def plan(request: ServiceFreeze, facts: UpkeepFacts) -> Plan:
    here = facts.here
    release = here.release or undeployed(here.place, here.service.repository)
    if release.freeze is not None and (release.freeze.until is None or release.freeze.until > here.asker.now):
        raise Conflict(
            f"{here.service.name} in {here.place.environment} is frozen by "
            f"{release.freeze.by.rpartition('/')[2]} already: {release.freeze.reason.rstrip('.')}."
        )
    until = here.asker.now + request.span if request.span else None
    freeze = Freeze(reason=request.reason, by=here.asker.user, at=here.asker.now, until=until)
    more = list(cancelled(facts.term)) if until is None else []
    if until is not None:
        more.append(
            MakeAppointment(
                id="remember-freeze",
                name=term_name("unfreeze", here),
                at=until,
                command="service.unfreeze",
                request={"service": here.service.name, "environment": here.place.environment},
            )
        )
    summary = f"Freeze {here.service.name} in {here.place.environment}: {request.reason}"
    return upkeep_plan(here, release.model_copy(update={"freeze": freeze}), summary, more=more)


COMMAND: Command[ServiceFreeze, UpkeepFacts] = Command(
    name="service.freeze",
    summary="Let nothing be deployed here for a while; rolling back stays possible",
    usage=USAGE,
    request=ServiceFreeze,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
