"""`/service promote`: what runs in one environment runs in the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.errors import UsageError
from bot.model.plan import Plan
from bot.releases.deploying import DeployFacts, deploy_plan, read_deploy
from bot.releases.overview import told
from bot.releases.reading import read_here, refuse_frozen
from bot.releases.services import first_environment
from bot.releases.wording import read
from bot.rendering.delivery import Place

USAGE = "[service] [from environment] [to environment]"


class ServicePromote(BaseModel, frozen=True, extra="forbid"):
    """Which service, from where to where."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    source: str = Field(default="", max_length=63, description="Empty: the one before", examples=["staging"])
    environment: str = Field(default="", max_length=63, description="Empty: the one after", examples=["production"])


def parse(words: Sequence[str]) -> ServicePromote:
    said = read(words, most=1, known=("from", "to"), usage=f"/service promote {USAGE}")
    return ServicePromote(service=said.at(0), source=said.after.get("from", ""), environment=said.after.get("to", ""))


async def read_facts(request: ServicePromote, context: Context, deps: Deps) -> DeployFacts:
    """Raise `UsageError` from the last environment on, `Conflict` where nothing runs that could be promoted."""
    source, target = ends(request, deps)
    there = await read_here(request.service, source, context, deps)
    version = there.running().current
    here = await read_here(request.service, target, context, deps)
    refuse_frozen(here)
    assert version is not None  # noqa: S101  # `running` has looked
    facts = await read_deploy(here, version.version.name, version.version.commit, deps)
    return replace(facts, warnings=await _warnings(there.place, deps))


async def _warnings(source: Place, deps: Deps) -> tuple[str, ...]:
    """Say where the version is not well, or is still being deployed, where it comes from."""
    where, found = f"{source.service} in {source.environment}", []
    if source.is_gitops and deps.deployments is not None:
        seen = await told("Argo CD", deps.deployments.application(source.application))
        if seen.problem:
            found.append(f"Mind: how {source.service} is in {source.environment} is not known. {seen.problem}")
        elif seen.value is None:
            found.append(f"Mind: Argo CD does not know {where}.")
        elif seen.value.health != "Healthy":
            why = f" ({seen.value.health_message[:200]})" if seen.value.health_message else ""
            found.append(f"Mind: Argo CD calls {where} {seen.value.health}{why}.")
    found += [
        f"Mind: “{one.summary}”, asked by {one.by}, has not ended yet." for one in await deps.in_lane(source.lane)
    ]
    return tuple(found)


def ends(request: ServicePromote, deps: Deps) -> tuple[str, str]:
    """Return from where to where, in the platform's order, for what was left out."""
    names = list(deps.platform.environments)
    for name in (request.source, request.environment):
        if name:
            deps.platform.environment(name)
    if request.environment and not request.source:
        place = names.index(request.environment)
        if place == 0:
            raise UsageError(f"Nothing comes before {request.environment}.", hint="Deploy there: `/service deploy`.")
        return names[place - 1], request.environment
    source = request.source or first_environment(deps)
    target = request.environment or deps.platform.after(source)
    if target is None:
        raise UsageError(f"{source} is the last environment: there is none to promote to.")
    if source == target:
        raise UsageError("From and to are the same environment.", hint="Try `/service promote orders to production`.")
    return source, target


def plan(request: ServicePromote, facts: DeployFacts) -> Plan:
    here = facts.here
    return deploy_plan(facts, f"Promote {here.service.name} {facts.version.name} to {here.place.environment}")


COMMAND: Command[ServicePromote, DeployFacts] = Command(
    name="service.promote",
    summary="Bring what runs in one environment to the next",
    usage=USAGE,
    request=ServicePromote,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
