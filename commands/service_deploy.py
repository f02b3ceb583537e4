"""`/service deploy`: a version of a service runs in an environment."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.deps import Deps
from bot.model.plan import Plan
from bot.releases.deploying import DeployFacts, deploy_plan, read_deploy
from bot.releases.reading import read_here, refuse_frozen
from bot.releases.versions import resolve
from bot.releases.wording import read

USAGE = "[service] [version] [to environment]"


class ServiceDeploy(BaseModel, frozen=True, extra="forbid"):
    """Which version goes where."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    version: str = Field(default="", max_length=200, description="Tag or commit; empty: newest", examples=["v1.4.2"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])


def parse(words: Sequence[str]) -> ServiceDeploy:
    said = read(words, most=2, known=("to", "in"), usage=f"/service deploy {USAGE}")
    environment = said.after.get("to") or said.after.get("in", "")
    return ServiceDeploy(service=said.at(0), version=said.at(1), environment=environment)


async def read_facts(request: ServiceDeploy, context: Context, deps: Deps) -> DeployFacts:
    here = await read_here(request.service, request.environment, context, deps)
    refuse_frozen(here)
    name, commit = await resolve(here.service, request.version, deps)
    return await read_deploy(here, name, commit, deps)


def plan(request: ServiceDeploy, facts: DeployFacts) -> Plan:
    here = facts.here
    return deploy_plan(facts, f"Deploy {here.service.name} {facts.version.name} to {here.place.environment}")


COMMAND: Command[ServiceDeploy, DeployFacts] = Command(
    name="service.deploy",
    summary="Deploy a version, the newest unless you name one",
    usage=USAGE,
    request=ServiceDeploy,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
