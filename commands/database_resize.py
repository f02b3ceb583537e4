"""`/database resize`: another size, with what that costs and restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.databases.asking import refuse_smaller_disk, size_named
from bot.databases.budget import read_spending, refuse_beyond
from bot.databases.changes import database_plan, delivered, release_here, standing_store
from bot.databases.finding import database_here
from bot.databases.wording import monthly
from bot.deps import Deps
from bot.effects import CommitFiles, GrowDisk
from bot.errors import Conflict, UsageError
from bot.model.databases import DatabaseSize, RequestedDatabase
from bot.model.effect import Effect
from bot.model.plan import Plan
from bot.releases.changes import change_to
from bot.releases.reading import Here, refuse_frozen
from bot.releases.wording import read
from bot.rendering.stores import Store

USAGE = "<service> <size> [in environment]"


class DatabaseResize(BaseModel, frozen=True, extra="forbid"):
    """Which size it gets."""

    database: str = Field(default="", max_length=200, description="Its service, or its name; empty: the channel's")
    size: str = Field(min_length=1, max_length=63, description="One of the platform's sizes", examples=["medium"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])


def parse(words: Sequence[str]) -> DatabaseResize:
    said = read(words, most=2, known=("in", "to"), usage=f"/database resize {USAGE}")
    plain = [*said.plain, *([said.after["to"]] if "to" in said.after else [])]
    if not plain or len(plain) > 2:
        raise UsageError("Which size?", hint="Try `/database resize orders-api medium in staging`.")
    return DatabaseResize(
        database=plain[0] if len(plain) == 2 else "", size=plain[-1], environment=said.after.get("in", "")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeFacts:
    here: Here
    store: Store
    size: DatabaseSize


async def read_facts(request: DatabaseResize, context: Context, deps: Deps) -> ResizeFacts:
    """Raise `PlatformError` for a size that is not there, a smaller disk, or more than the team may spend."""
    here = await database_here(request.database, request.environment, context, deps)
    refuse_frozen(here)
    store = standing_store(here)
    name, size = size_named(request.size, deps.platform)
    if name == store.size_name:
        raise Conflict(f"{store.name} in {here.place.environment} is {name} already.")
    refuse_smaller_disk(store.size, size, store.name)
    refuse_beyond(here.place, size.monthly_cost, *await read_spending(here.place, deps), new=False)
    return ResizeFacts(here=here, store=store, size=size)


def plan(request: DatabaseResize, facts: ResizeFacts) -> Plan:
    here, store, asker = facts.here, facts.store, facts.here.asker
    before = store.requested
    wanted = (
        before.model_copy(update={"size": request.size})
        if before is not None
        else RequestedDatabase(
            engine=store.engine,
            size=request.size,
            version=store.version,
            retention_days=store.retention_days,
            by=asker.user,
            at=asker.now,
        )
    )
    release = release_here(here).model_copy(update={"database": wanted})
    summary = f"Make {store.name} in {here.place.environment} {request.size}, from {store.size_name}"
    change = change_to(here.place, release, summary)
    grows = store.size.storage != facts.size.storage
    effects = [_for_good(effect, store) if grows else effect for effect in delivered(here, change)]
    return database_plan(here, change, effects, highlights=_highlights(request.size, facts))


def _for_good(effect: Effect, store: Store) -> Effect:
    """A disk that has grown stays so, whatever is undone."""
    if not isinstance(effect, CommitFiles):
        return effect
    return GrowDisk.model_validate({**effect.model_dump(mode="json", by_alias=True), "database": store.name})


def _highlights(name: str, facts: ResizeFacts) -> list[str]:
    store, size, currency = facts.store, facts.size, facts.here.place.platform.currency
    told = [f"Costs {monthly(size.monthly_cost, currency)}, and now {monthly(store.monthly_cost, currency)}."]
    pairs = [
        ("disk", store.size.storage, size.storage),
        ("memory", store.size.memory, size.memory),
        ("CPU", store.size.cpu, size.cpu),
        ("instances", store.size.instances, size.instances),
    ]
    told += [f"• {what}: {before} → {after}" for what, before, after in pairs if before != after]
    restarts = (store.size.memory, store.size.cpu, store.size.instance_class) != (
        size.memory,
        size.cpu,
        size.instance_class,
    )
    told.append(_restart(store) if restarts else "Nothing restarts.")
    if store.in_document and store.requested is None:
        told.append(f"The document of {store.service} says {store.size_name}; what is asked for here wins over it.")
    return told


def _restart(store: Store) -> str:
    if store.size.instances > 1:
        return "Its instances restart one after the other; connections break once, for some seconds."
    return "It restarts: for about a minute nobody can connect."


COMMAND: Command[DatabaseResize, ResizeFacts] = Command(
    name="database.resize",
    summary="Give a database another size",
    usage=USAGE,
    request=DatabaseResize,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
