"""`/database show`: one database, how it stands and why, what it costs, who asked, whom to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, Field

from bot.command import Answer, Context, Query, Subject
from bot.databases.backups import LastBackup, read_last_backup
from bot.databases.changes import standing_store
from bot.databases.finding import database_here
from bot.databases.state import READY, State, read_state
from bot.databases.wording import engine_name, holds
from bot.deps import Deps
from bot.errors import PlatformError
from bot.model.databases import Maker
from bot.ports import Cluster, Object
from bot.releases.reading import Here
from bot.releases.wording import read
from bot.rendering.stores import Store
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape, local_time

USAGE = "[service] [in environment]"
MAKERS: dict[Maker, str] = {
    "cloudnativepg": "CloudNativePG, in the cluster",
    "crossplane": "the cloud, by Crossplane",
    "claim": "a type of the platform team's own",
    "git": "what reads its file in Git",
}


class DatabaseShow(BaseModel, frozen=True, extra="forbid"):
    """Which database."""

    database: str = Field(default="", max_length=200, description="Its service, or its name; empty: the channel's")
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["staging"])


def parse(words: Sequence[str]) -> DatabaseShow:
    said = read(words, most=2, known=("in",), usage=f"/database show {USAGE}")
    return DatabaseShow(database=said.at(0), environment=said.after.get("in") or said.at(1))


async def subject(request: DatabaseShow, context: Context, deps: Deps) -> Subject:
    """Judge by who owns it, and where it stands."""
    here = await database_here(request.database, request.environment, context, deps)
    return Subject(owner=here.service.owner, environment=here.place.environment)


async def answer(request: DatabaseShow, context: Context, deps: Deps) -> Answer:
    """Raise `Conflict` where there is none."""
    here = await database_here(request.database, request.environment, context, deps)
    store = standing_store(here)
    cluster = deps.clusters.get(store.cluster)
    state = await read_state(store, deps)
    last = await read_last_backup(store, cluster, await _main(store, cluster))
    title = f"{store.name} in {here.place.environment}"
    return Answer(
        text=f"{title}: {state.word}. {state.sentence}",
        blocks=blocks.guarded(
            [
                blocks.header(title),
                blocks.section(_stands(state)),
                blocks.fields(_fields(store, last, here, deps)),
                *blocks.lines([*_more(store, state)]),
                blocks.context(f"Questions? Ask {escape(store.settings.contact or 'the platform team')}."),
            ]
        ),
        data=_for_machines(store, state, last),
    )


async def _main(store: Store, cluster: Cluster | None) -> Object | None:
    if cluster is None or store.main is None:
        return None
    try:
        return await cluster.get(store.main)
    except PlatformError:  # how it stands says so already
        return None


def _stands(state: State) -> str:
    return f"*{escape(state.word.capitalize())}.* {escape(state.sentence) if state.word != READY else ''}".strip()


def _fields(store: Store, last: LastBackup, here: Here, deps: Deps) -> dict[str, str]:
    release, wanted = here.release, store.requested
    uses = release is not None and release.current is not None
    asked = (
        f"{escape(wanted.by.rpartition('/')[2])}, {local_time(wanted.at)}"
        if wanted is not None
        else "the service's platform.yaml"
    )
    return {
        "Engine": f"{engine_name(store.engine)} {store.version}",
        "Size": f"{escape(store.size_name)}: {escape(holds(store.size, deps.platform.currency))}",
        "Made by": escape(MAKERS[store.settings.provider]),
        "Last backup": local_time(last.at) if last.at is not None else escape(last.why_not or "not known"),
        "Backups are kept": f"{store.retention_days} days",
        "Asked by": asked,
        "Team": escape(store.team),
        "Used by": escape(store.service) if uses else "nobody yet" if store.clients else "whoever is let in",
    }


def _more(store: Store, state: State) -> Iterator[str]:
    if store.clients:
        names = ", ".join(code(f"DATABASE_{part}") for part in ("URL", "HOST", "PORT", "NAME", "USER", "PASSWORD"))
        yield f"{escape(store.service)} reads {names}, from the Secret {code(store.secret)}."
    else:
        yield f"What it takes to connect stands in the Secret {code(store.secret)} of {code(store.namespace)}."
    if state.host:
        yield f"It answers at {code(state.host)}."
    if state.external_name or store.external_name:
        yield f"The cloud calls it {code(state.external_name or store.external_name)}."
    if store.requested is not None and store.requested.seed_from:
        yield f"It was filled from {escape(store.requested.seed_from)} at first."
    where = f"{store.service} in {store.environment}"
    yield f"Look into it: {code(f'/database connect {where}')}"


def _for_machines(store: Store, state: State, last: LastBackup) -> dict[str, Any]:
    return {
        "name": store.name,
        "service": store.service,
        "environment": store.environment,
        "team": store.team,
        "engine": store.engine,
        "version": store.version,
        "size": store.size_name,
        "monthly_cost": float(store.monthly_cost),
        "provider": store.settings.provider,
        "state": state.word,
        "told": state.sentence,
        "secret": store.secret,
        "namespace": store.namespace,
        "external_name": state.external_name or store.external_name,
        "last_backup": last.at.isoformat() if last.at is not None else None,
        "requested": store.requested.model_dump(mode="json") if store.requested is not None else None,
        "in_document": store.in_document,
    }


QUERY: Query[DatabaseShow] = Query(
    name="database.show",
    summary="Show a database: how it stands and why, cost, last backup",
    usage=USAGE,
    request=DatabaseShow,
    parse=parse,
    answer=answer,
    subject=subject,
)
