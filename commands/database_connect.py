"""`/database connect`: a way in for one person, for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.databases.changes import standing_store
from bot.databases.finding import database_here
from bot.databases.rights import refuse_without_access
from bot.databases.visitors import (
    Visitor,
    held_by,
    is_open,
    pod_ref,
    reads_only,
    term_name,
    visit_lane,
    visitor_pod,
    way_in,
)
from bot.databases.wording import engine_name
from bot.deps import Deps
from bot.effects import AdmitVisitor, AwaitVisitor, MakeAppointment
from bot.errors import Conflict, UsageError
from bot.model.duration import Duration, format_duration
from bot.model.late import Late, OutputRef
from bot.model.plan import Offer, Plan, Revision
from bot.releases.reading import Here
from bot.releases.wording import read
from bot.rendering.stores import Store

USAGE = "[service] [in environment] [for 1h] [writing]"
LONGEST = timedelta(hours=8)
WRITING = "writing"


class DatabaseConnect(BaseModel, frozen=True, extra="forbid"):
    """Into which database, and for how long."""

    database: str = Field(default="", max_length=200, description="Its service, or its name; empty: the channel's")
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])
    span: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(minutes=1),
        le=LONGEST,
        description="How long the way in stays open, at most 8h",
    )
    writing: bool = Field(default=False, description="Whether what is begun there may change data")


def parse(words: Sequence[str]) -> DatabaseConnect:
    usage = f"/database connect {USAGE}"
    writing = [word for word in words if word.lower() == WRITING]
    said = read([word for word in words if word.lower() != WRITING], most=2, known=("in", "for", "to"), usage=usage)
    if "to" in said.after and said.plain:
        raise UsageError("I could not read that.", hint=f"Try `{usage}`.")
    return DatabaseConnect.model_validate(
        {
            "database": said.at(0) or said.after.get("to", ""),
            "environment": said.after.get("in") or said.at(1),
            "writing": bool(writing),
            **({"span": said.after["for"]} if "for" in said.after else {}),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectFacts:
    here: Here
    store: Store
    holder: str = ""
    """Full reference of who has a way in under the name that this one would have; empty: nobody."""


async def read_facts(request: DatabaseConnect, context: Context, deps: Deps) -> ConnectFacts:
    """Raise `PlatformError` where there is no database, no way to reach it, or no right to let anybody in."""
    here = await database_here(request.database, request.environment, context, deps)
    store = standing_store(here)
    cluster = await refuse_without_access(store, deps)
    live = await cluster.get(pod_ref(store, context.principal.user))
    return ConnectFacts(here=here, store=store, holder=held_by(live) if live is not None and is_open(live) else "")


def plan(request: DatabaseConnect, facts: ConnectFacts) -> Plan:
    here, store, asker = facts.here, facts.store, facts.here.asker
    if facts.holder:
        raise Conflict(
            f"You have a way into {store.name} already."
            if facts.holder == asker.user
            else f"{facts.holder.rpartition('/')[2]} has a way into {store.name} under your short name.",
            hint=f"End it first: `/database disconnect {here.service.name} in {here.place.environment}`.",
        )
    visitor = Visitor(user=asker.user, span=request.span, writing=request.writing)
    span = format_duration(request.span)
    pod = visitor_pod(store, visitor)
    admit = AdmitVisitor(id="admit", cluster=store.cluster, pod=(pod,), database=store.name, visitor=visitor.handle)
    wait = AwaitVisitor(
        id="await-visitor", cluster=store.cluster, namespace=store.namespace, name=pod_ref(store, asker.user).name
    )
    end = MakeAppointment(
        id="remember-end",
        name=term_name(store, asker.user),
        at=Late(parts=(OutputRef(effect="admit", output="until"),)),
        command="database.disconnect",
        request={"database": here.service.name, "environment": here.place.environment, "visitor": visitor.user},
    )
    summary = f"Let {visitor.handle} into {store.name} in {here.place.environment} for {span}"
    made = Plan.of(
        f"{summary}, writing" if request.writing else summary,
        # The kubelet ends it in any case; the appointment removes what is left of it, and proves that.
        [admit, end, wait],
        revisions=[Revision(of=f"visit:{store.cluster}/{store.namespace}/{store.name}/{visitor.handle}", at="none")],
        owner=here.service.owner,
        highlights=_highlights(store, visitor),
        notes=[
            f"Enter with: {way_in(store, visitor)}",
            f"The way in closes after {span}. Whoever opened it is recorded.",
        ],
        environment=here.place.environment,
        lane=visit_lane(store, asker.user),
        offers=[
            Offer(
                action="disconnect",
                label="Close it now",
                command="database.disconnect",
                request={
                    "database": here.service.name,
                    "environment": here.place.environment,
                    "visitor": visitor.user,
                },
            )
        ],
    )
    return made.model_copy(update={"undo_later": False})


def _highlights(store: Store, visitor: Visitor) -> list[str]:
    if visitor.writing:
        return ["Sessions there may change data."]
    if reads_only(store, visitor):
        return ["Sessions there only read. That guards against mistakes; whoever means to write can still do so."]
    return [f"Sessions there may change data: {engine_name(store.engine)} has none that only read."]


COMMAND: Command[DatabaseConnect, ConnectFacts] = Command(
    name="database.connect",
    summary="Open a way into a database for yourself, for a while",
    usage=USAGE,
    request=DatabaseConnect,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
