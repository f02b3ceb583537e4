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
from bot.model.release import Pin, Release, Version
from bot.releases.changes import deployed
from bot.releases.deploying import DeployFacts, read_deploy, release_plan
from bot.releases.reading import read_here
from bot.releases.wording import read

USAGE = "[service] [version] [in environment] [leaving commit] [for 7d] [because …]"
LONGEST = timedelta(days=90)
NO_REASON = "it was rolled back"


class ServiceRollback(BaseModel, frozen=True, extra="forbid"):
    """What goes back, and for how long it is held."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    version: str = Field(default="", max_length=200, description="Empty: the one that ran before", examples=["v1.4.1"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["production"])
    hold: Duration = Field(default=timedelta(days=7), gt=timedelta(0), le=LONGEST, description="How long it is held")
    reason: str = Field(default="", max_length=300, description="Why, for whoever meets the pin")
    leaves: str = Field(default="", max_length=40, description="Only if this commit runs now; empty: whatever runs")


def parse(words: Sequence[str]) -> ServiceRollback:
    said = read(words, most=2, known=("in", "to", "for", "leaving"), usage=f"/service rollback {USAGE}")
    given = {"hold": said.after["for"]} if "for" in said.after else {}
    return ServiceRollback.model_validate(
        {
            "service": said.at(0),
            "version": said.at(1),
            "environment": said.after.get("in") or said.after.get("to", ""),
            "reason": said.reason,
            "leaves": said.after.get("leaving", ""),
            **given,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackFacts:
    deploy: DeployFacts
    pin: Pin
    left: Version
    """What runs now."""


async def read_facts(request: ServiceRollback, context: Context, deps: Deps) -> RollbackFacts:
    """A freeze does not stand in the way: rolling back is what one does when it burns."""
    here = await read_here(request.service, request.environment, context, deps)
    release = here.running()
    assert release.current is not None  # noqa: S101  # `running` has looked
    where, running = f"in {here.place.environment}", release.current.version
    if not running.commit.startswith(request.leaves):
        raise Conflict(
            f"{here.service.name} runs {running.name} {where}, and not {request.leaves[:7]}, which this would leave.",
            hint=f"See how it stands: `/service show {here.service.name}`.",
        )
    back = _named(release, request.version) if request.version else _before(release)
    if back is None:
        raise _nowhere(request.version, here.service.name, here.place.environment)
    if back.commit == running.commit:
        raise Conflict(f"{back.name} of {here.service.name} runs {where} already.")
    pin = Pin(
        reason=request.reason.strip() or NO_REASON,
        by=context.principal.user,
        at=context.now,
        until=context.now + request.hold,
        # Going back once more leaves a good version: what has to be mended is still the one that was left first.
        bad=release.pin.bad if release.pin is not None else running,
    )
    return RollbackFacts(deploy=await read_deploy(here, back.name, back.commit, deps), pin=pin, left=running)


def plan(request: ServiceRollback, facts: RollbackFacts) -> Plan:
    deploy, pin = facts.deploy, facts.pin
    here, bad, left = deploy.here, facts.pin.bad.name, facts.left.name
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
    summary = f"Roll {here.service.name} in {here.place.environment} back from {left} to {deploy.version.name}"
    made = release_plan(deploy, release, summary, more=[until])
    told = (held, *made.highlights)
    return made.model_copy(update={"offers": (), "highlights": told, "undo_later": False})


def _before(release: Release) -> Version | None:
    """Return the newest earlier version that is another one than now. While one is held, that is one from before it:
    what came after was rolled back."""
    assert release.current is not None  # noqa: S101  # only asked of what runs
    now, past = release.current.version.commit, [one.version for one in release.history]
    if release.pin is not None:
        first = max((place for place, one in enumerate(past) if one.commit == now), default=-1)
        past = [one for one in past[first + 1 :] if one.commit != release.pin.bad.commit]
    return next((one for one in past if one.commit != now), None)


def _named(release: Release, wanted: str) -> Version | None:
    """Return the version that ran here, by name or by the beginning of its commit. No other is gone back to: what has
    never run here is deployed, and approved where that is the rule."""
    assert release.current is not None  # noqa: S101  # only asked of what runs
    for one in (release.current, *release.history):
        version = one.version
        if wanted in (version.name, version.name.removeprefix("v")):
            return version
        if len(wanted) >= 7 and version.commit.startswith(wanted.lower()):
            return version
    return None


def _nowhere(wanted: str, service: str, environment: str) -> NotFound:
    if not wanted:
        return NotFound(
            f"No other version of {service} has run in {environment} that could be gone back to.",
            hint=f"Deploy one: `/service deploy {service} <version> to {environment}`.",
        )
    return NotFound(
        f"{wanted[:80]} of {service} has not run in {environment} yet, so there is no going back to it.",
        hint=f"Deploy it: `/service deploy {service} {wanted[:80]} to {environment}`.",
    )


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
