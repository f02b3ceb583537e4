"""`/service rollback`: back to an earlier version, and held there until a fix is merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.effects import MakeAppointment
from bot.errors import Conflict, NotFound
from bot.model.duration import Duration
from bot.model.plan import Plan
from bot.model.release import Pin, Release
from bot.releases.changes import deployed
from bot.releases.deploying import DeployFacts, read_deploy, release_plan
from bot.releases.reading import read_here
from bot.releases.versions import resolve
from bot.releases.wording import read

USAGE = "[service] [version] [in environment] [for 7d] [because …]"
LONGEST = timedelta(days=90)
NO_REASON = "it was rolled back"


class ServiceRollback(BaseModel, frozen=True, extra="forbid"):
    """What goes back, and for how long it is held."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    version: str = Field(default="", max_length=200, description="Empty: the one that ran before", examples=["v1.4.1"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["production"])
    hold: Duration = Field(default=timedelta(days=7), gt=timedelta(0), le=LONGEST, description="How long it is held")
    reason: str = Field(default="", max_length=300, description="Why, for whoever meets the pin")


def parse(words: Sequence[str]) -> ServiceRollback:
    said = read(words, most=2, known=("in", "to", "for"), usage=f"/service rollback {USAGE}")
    given = {"hold": said.after["for"]} if "for" in said.after else {}
    return ServiceRollback.model_validate(
        {
            "service": said.at(0),
            "version": said.at(1),
            "environment": said.after.get("in") or said.after.get("to", ""),
            "reason": said.reason,
            **given,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackFacts:
    deploy: DeployFacts
    pin: Pin


async def read_facts(request: ServiceRollback, context: Context, deps: Deps) -> RollbackFacts:
    """A freeze does not stand in the way: rolling back is what one does when it burns."""
    here = await read_here(request.service, request.environment, context, deps)
    release = here.running()
    assert release.current is not None  # noqa: S101  # `running` has looked
    if request.version:
        name, commit = _named(release, request.version) or await resolve(here.service, request.version, deps)
    else:
        name, commit = _before(release, here.service.name, here.place.environment)
    if commit == release.current.version.commit:
        raise Conflict(f"{name} of {here.service.name} runs in {here.place.environment} already.")
    pin = Pin(
        reason=request.reason.strip() or NO_REASON,
        by=context.principal.user,
        at=context.now,
        until=context.now + request.hold,
        bad=release.current.version,
    )
    return RollbackFacts(deploy=await read_deploy(here, name, commit, deps), pin=pin)


def plan(request: ServiceRollback, facts: RollbackFacts) -> Plan:
    deploy, pin = facts.deploy, facts.pin
    here, bad = deploy.here, facts.pin.bad.name
    back = deployed(here.release, here.place, here.service.repository, (deploy.version, deploy.document), here.asker)
    release = back.model_copy(update={"pin": pin})
    where = f"{here.service.name}/{here.place.environment}"
    until = MakeAppointment(
        id="remember-pin",
        name=f"unpin:{where}",
        at=pin.until,
        command="service.unpin",
        request={"service": here.service.name, "environment": here.place.environment, "reason": "its time was over"},
    )
    held = (
        f"It stays at {deploy.version.name} until a fix of {bad} is merged, at most until {pin.until:%d %B, %H:%M} "
        f"UTC. To let go before: /service unpin {here.service.name} {here.place.environment}"
    )
    summary = f"Roll {here.service.name} in {here.place.environment} back from {bad} to {deploy.version.name}"
    made = release_plan(deploy, release, summary, more=[until])
    told = (held, *made.highlights)
    return made.model_copy(update={"offers": (), "highlights": told, "undo_later": False})


def _before(release: Release, service: str, environment: str) -> tuple[str, str]:
    """Return the newest earlier version that is another one than now, and not the one that a pin has left."""
    left = {release.current.version.commit if release.current else "", release.pin.bad.commit if release.pin else ""}
    for one in release.history:
        if one.version.commit not in left:
            return one.version.name, one.version.commit
    raise NotFound(
        f"No other version of {service} has run in {environment} yet.",
        hint="Name one: `/service rollback <service> <version>`.",
    )


def _named(release: Release, wanted: str) -> tuple[str, str] | None:
    """Return the version of the past that a person names, by name or by the beginning of its commit."""
    for one in release.history:
        version = one.version
        if wanted == version.name or (len(wanted) >= 7 and version.commit.startswith(wanted.lower())):
            return version.name, version.commit
    return None


COMMAND: Command[ServiceRollback, RollbackFacts] = Command(
    name="service.rollback",
    summary="Go back to the version before, and hold it until a fix is merged",
    usage=USAGE,
    request=ServiceRollback,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
