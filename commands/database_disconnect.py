"""`/database disconnect`: a way in is closed, at its end or before, and that it is gone is proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from bot.command import Command, Context
from bot.databases.changes import standing_store, store_here
from bot.databases.finding import database_here
from bot.databases.leftovers import described
from bot.databases.rights import refuse_without_access
from bot.databases.visitors import held_by, pod_ref, term_name, visit_lane
from bot.deps import Deps
from bot.effects import CancelAppointment, Note, RemoveObjects
from bot.effects.remove_objects import Target
from bot.errors import Conflict
from bot.model.effect import Effect
from bot.model.entities import full_ref
from bot.model.plan import Plan, Revision
from bot.model.principal import Door
from bot.ports import Appointment, Object
from bot.releases.reading import Here
from bot.releases.wording import read
from bot.rendering.stores import Store

USAGE = "[service] [in environment]"


class DatabaseDisconnect(BaseModel, frozen=True, extra="forbid"):
    """Whose way in is closed, into which database."""

    database: str = Field(default="", max_length=200, description="Its service, or its name; empty: the channel's")
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])
    visitor: str = Field(default="", max_length=200, description="Who has it; empty: yourself", examples=["author"])


def parse(words: Sequence[str]) -> DatabaseDisconnect:
    said = read(words, most=2, known=("in", "of"), usage=f"/database disconnect {USAGE}")
    return DatabaseDisconnect(
        database=said.at(0),
        environment=said.after.get("in") or said.at(1),
        visitor=said.after.get("of", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectFacts:
    here: Here
    store: Store
    visitor: str
    """Full reference of the person."""
    pod: Object | None
    term: Appointment | None
    due: bool
    """Whether its time has come, rather than that somebody asks."""


async def read_facts(request: DatabaseDisconnect, context: Context, deps: Deps) -> DisconnectFacts:
    """Raise `PlatformError` where there is no such database, or no right to remove anything beside it."""
    here = await database_here(request.database, request.environment, context, deps)
    # Also of one that nothing describes any more: nobody stays in because a document has changed meanwhile.
    store = store_here(here) or next(described(here), None) or standing_store(here)
    visitor = full_ref(request.visitor, kind="user") if request.visitor else context.principal.user
    cluster = await refuse_without_access(store, deps)
    live = await cluster.get(pod_ref(store, visitor))
    term = await deps.agenda.get(term_name(store, visitor)) if deps.agenda is not None else None
    return DisconnectFacts(
        here=here,
        store=store,
        visitor=visitor,
        pod=live if live is not None and held_by(live) == visitor else None,
        term=term,
        due=context.door is Door.AGENDA,
    )


def plan(request: DatabaseDisconnect, facts: DisconnectFacts) -> Plan:
    here, store, handle = facts.here, facts.store, facts.visitor.rpartition("/")[2]
    where = f"{store.name} in {here.place.environment}"
    effects: list[Effect] = []
    if facts.pod is not None:
        refs = (Target.of(facts.pod),)
        effects.append(RemoveObjects(id="remove", cluster=store.cluster, namespace=store.namespace, refs=refs))
    elif facts.due:
        pod = pod_ref(store, facts.visitor)
        effects.append(Note(id="gone", message=f"{pod} on {store.cluster} is gone already: somebody has removed it."))
    else:
        raise Conflict(f"{handle} has no way into {where}.", hint="Open one: `/database connect`.")
    if facts.term is not None:
        effects.append(CancelAppointment.of("forget-end", facts.term))
    made = Plan.of(
        f"Close the way of {handle} into {where}",
        effects,
        revisions=[
            Revision(
                of=f"visit:{store.cluster}/{store.namespace}/{store.name}/{handle}",
                at=Target.of(facts.pod).uid if facts.pod is not None else "absent",
            )
        ],
        owner=here.service.owner,
        environment=here.place.environment,
        lane=visit_lane(store, facts.visitor),
    )
    # Its end was agreed on when it began.
    return made.model_copy(update={"undo_later": False, "agreed": facts.due})


COMMAND: Command[DatabaseDisconnect, DisconnectFacts] = Command(
    name="database.disconnect",
    summary="Close the way into a database before its time is over",
    usage=USAGE,
    request=DatabaseDisconnect,
    facts=read_facts,
    plan=plan,
    owner=lambda _: None,
    environment=lambda request: request.environment,
    parse=parse,
)
