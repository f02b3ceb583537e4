"""`/database request`: a database for a service, or one that stands alone; size and cost first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, Field, model_validator

from bot.command import Command, Context
from bot.databases.asking import provider_here, refuse_second, refuse_seed, size_named
from bot.databases.budget import Spending, read_spending, refuse_beyond
from bot.databases.changes import database_plan, delivered, made_new, release_here, store_here
from bot.databases.finding import alone, is_name, place_alone
from bot.databases.form import RequestForm
from bot.databases.leftovers import read_leftover, refuse_other
from bot.databases.standing_alone import entered, refuse_taken_name
from bot.databases.wording import engine_name, engine_said, holds, monthly
from bot.deps import Deps
from bot.errors import NotFound, UsageError
from bot.model.databases import DEFAULT_VERSION, DatabaseSize, Engine, RequestedDatabase
from bot.model.entities import Group, full_ref
from bot.model.plan import Plan
from bot.releases.changes import change_to
from bot.releases.reading import Here, read_here, read_place, refuse_frozen
from bot.releases.services import first_environment
from bot.releases.wording import read
from bot.rendering.delivery import Place, read_standing
from bot.rendering.stores import Store, store_of

USAGE = "[service] [size] [engine] [in environment] [from environment] [for team]"


class DatabaseRequest(BaseModel, frozen=True, extra="forbid"):
    """What kind of database, for whom, where."""

    service: str = Field(default="", max_length=200, description="Whose it is; empty: the channel's service")
    name: str = Field(default="", max_length=40, description="Of one that stands alone, in the place of a service")
    owner: str = Field(default="", max_length=200, description="The team that owns one that stands alone")
    engine: Engine = Field(default="postgresql", description="What it speaks")
    size: str = Field(default="", max_length=63, description="Empty: the smallest", examples=["small"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])
    version: int | None = Field(default=None, ge=1, le=99, description="Major version; empty: the newest")
    retention_days: int = Field(default=7, ge=1, le=365, description="How long backups are kept")
    seed_from: str = Field(default="", max_length=63, description="The environment that it is filled from at first")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.service and self.name:
            raise ValueError("say either the service, or the name of one that stands alone")
        if bool(self.name) != bool(self.owner):
            raise ValueError("one that stands alone needs a name and the team that owns it")
        if self.name and not is_name(self.name):
            raise ValueError("a name has lower-case letters, digits and dashes, at most 40, and begins with a letter")
        return self


def parse(words: Sequence[str]) -> DatabaseRequest:
    said = read(words, most=3, known=("in", "from", "for"), usage=f"/database request {USAGE}")
    engines = [engine for word in said.plain if (engine := engine_said(word)) is not None]
    others = [word for word in said.plain if engine_said(word) is None]
    if len(engines) > 1 or len(others) > 2:
        raise UsageError("I could not read that.", hint="Try `/database request orders-api small in staging`.")
    team = said.after.get("for", "")
    named = {"name": others[0] if others else "", "owner": team} if team else {"service": others[0] if others else ""}
    return DatabaseRequest.model_validate(
        {
            **named,
            "size": others[1] if len(others) > 1 else "",
            "engine": engines[0] if engines else "postgresql",
            "environment": said.after.get("in", ""),
            "seed_from": said.after.get("from", ""),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """Where it will stand, and what the team has already."""

    here: Here
    size_name: str
    size: DatabaseSize
    here_spent: Spending
    spent: Spending
    version: int
    """Major one: what was asked for, else that of what it is filled from, which a backup can be read by alone."""
    is_new: bool = True
    """Whether nothing of its name stands there yet, as far as the cluster tells."""


async def read_facts(request: DatabaseRequest, context: Context, deps: Deps) -> RequestFacts:
    """Raise `PlatformError` for what nobody makes, what is there already, and what the team may not spend."""
    request = _in_order(request, deps)
    here = await _here(request, context, deps)
    refuse_frozen(here)
    provider_here(here.place, request.engine)
    size_name, size = size_named(request.size, deps.platform)
    refuse_second(here, store_here(here))
    seed = await _seed(request, here.place, deps) if request.seed_from else None
    if request.seed_from:
        refuse_seed(here.place, request.seed_from, seed, size, request.engine)
    taken_over = await read_leftover(here, deps.clusters.get(here.place.settings.cluster))
    if taken_over is not None:
        refuse_other(taken_over, request.engine, size)
    in_environment, everywhere = await read_spending(here.place, deps)
    refuse_beyond(here.place, size.monthly_cost, in_environment, everywhere, new=True)
    return RequestFacts(
        here=here,
        size_name=size_name,
        size=size,
        here_spent=in_environment,
        spent=everywhere,
        version=request.version or (seed.version if seed else DEFAULT_VERSION[request.engine]),
        # Unseen, it is taken for one that is there: then nothing deletes it by an undo.
        is_new=taken_over is None and here.place.settings.cluster in deps.clusters,
    )


def _in_order(request: DatabaseRequest, deps: Deps) -> DatabaseRequest:
    """A lone word may be the size: `/database request small` in the channel of a team with one service."""
    word = request.service
    if word in deps.platform.database_sizes and not request.size and deps.catalog().service(word) is None:
        return request.model_copy(update={"service": "", "size": word})
    return request


async def _here(request: DatabaseRequest, context: Context, deps: Deps) -> Here:
    if not request.name:
        return await read_here(request.service, request.environment, context, deps)
    owner = requested_owner(request) or ""
    found = deps.catalog().get(owner)
    if found is None or not isinstance(found.entity, Group):
        raise NotFound(f"There is no group `{request.owner[:80]}` in the catalog.", hint="Pick one of its groups.")
    place = place_alone(request.name, owner, request.environment or first_environment(deps), deps.platform)
    await refuse_taken_name(place, deps)
    return await read_place(alone(request.name, owner), place, context, deps)


async def _seed(request: DatabaseRequest, place: Place, deps: Deps) -> Store | None:
    deps.platform.environment(request.seed_from)
    source = Place(platform=place.platform, service=place.service, environment=request.seed_from, team=place.team)
    standing = await read_standing(source, deps.forge, deps.clusters)
    return store_of(standing.release, source) if standing.release is not None else None


def plan(request: DatabaseRequest, facts: RequestFacts) -> Plan:
    here, asker = facts.here, facts.here.asker
    wanted = RequestedDatabase(
        engine=request.engine,
        size=facts.size_name,
        # Written down: what is newest then may be another one when it is rendered anew.
        version=facts.version,
        retention_days=request.retention_days,
        seed_from=request.seed_from,
        by=asker.user,
        at=asker.now,
    )
    release = release_here(here).model_copy(update={"database": wanted})
    called, environment = engine_name(request.engine), here.place.environment
    whose = f"the {called} database {here.service.name}-db for {here.place.team}"
    if not request.name:
        whose = f"a {called} database for {here.service.name}"
    summary = f"Make {whose} in {environment}"
    if facts.is_new:
        change, effects = made_new(here, release, summary)
    else:
        change = change_to(here.place, release, summary)
        effects = delivered(here, change)
    return database_plan(
        here,
        change,
        effects,
        before=entered(here) if request.name else (),
        highlights=_highlights(request, facts),
        notes=_notes(facts),
    )


def _highlights(request: DatabaseRequest, facts: RequestFacts) -> list[str]:
    currency = facts.here.place.platform.currency
    told = [f"{facts.size_name}: {holds(facts.size, currency)}."]
    if not facts.is_new:
        told.append(
            "A database of that name may be there already, from an earlier document; it is kept with all that is in it."
        )
    if facts.here_spent.databases:
        cost = facts.here_spent.monthly_cost + facts.size.monthly_cost
        told.append(
            f"{facts.here.place.team} then has {facts.here_spent.databases + 1} databases in "
            f"{facts.here.place.environment}, for {monthly(Decimal(cost), currency)}."
        )
    if request.seed_from:
        told.append(f"It is filled from {request.seed_from} once, before anything uses it.")
    if facts.here.release is not None and facts.here.release.current is not None:
        told.append(f"{facts.here.service.name} starts anew, to read how it connects.")
    return told


def _notes(facts: RequestFacts) -> list[str]:
    service = facts.here.release is not None and facts.here.release.current is not None
    if not service:
        return []
    return ["The service reads it as DATABASE_URL, DATABASE_HOST and so on; nobody has to copy a password."]


def requested_owner(request: DatabaseRequest) -> str | None:
    return full_ref(request.owner, kind="group") if request.owner else None


COMMAND: Command[DatabaseRequest, RequestFacts] = Command(
    name="database.request",
    summary="Get a database: choose size and cost, then watch it become ready",
    usage=USAGE,
    request=DatabaseRequest,
    facts=read_facts,
    plan=plan,
    owner=requested_owner,
    environment=lambda request: request.environment,
    form=RequestForm,
    parse=parse,
)
