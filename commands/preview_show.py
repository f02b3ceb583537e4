"""`/preview show`: one preview, where it answers, how its services are doing, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, Field

from bot.command import Answer, Context, Query, Subject
from bot.databases.state import READY
from bot.deps import Deps
from bot.model.canonical import JSON
from bot.model.databases import ENGINES
from bot.previews.keeping import environment_of
from bot.previews.reading import Preview, wanted_preview
from bot.previews.state import DatabaseState, ServiceState, State, read_state
from bot.previews.terms import latest
from bot.previews.wording import only_name, person
from bot.rendering.previews import previews_of
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape, link, local_time, said


class PreviewShow(BaseModel, frozen=True, extra="forbid"):
    """Which one."""

    name: str = Field(default="", max_length=200, description="Empty: the team's only one", examples=["new-checkout"])


def parse(words: Sequence[str]) -> PreviewShow:
    return PreviewShow(name=only_name(words, "/preview show"))


async def subject(request: PreviewShow, context: Context, deps: Deps) -> Subject:
    preview, _ = await wanted_preview(request.name, await _groups(context, deps), deps)
    return Subject(owner=preview.owner, environment=environment_of(preview.terms))


async def answer(request: PreviewShow, context: Context, deps: Deps) -> Answer:
    preview, standing = await wanted_preview(request.name, await _groups(context, deps), deps)
    state = await read_state(preview, standing, deps)
    stores = [_database(one, asleep=preview.is_asleep) for one in state.databases]
    body = [
        blocks.header(preview.name),
        *blocks.lines(list(_terms(preview, deps))),
        blocks.divider(),
        *blocks.lines([*map(_service, state.services), *stores] or ["It has no service."]),
    ]
    if state.problem:
        body.append(blocks.context(escape(state.problem)))
    body.append(blocks.context(escape(_next(preview))))
    terms = preview.terms
    ends = f"ends {terms.expires_at:%Y-%m-%d %H:%M} UTC"
    return Answer(
        text=f"{preview.name} of {preview.release.team}, {'asleep' if preview.is_asleep else 'awake'}, {ends}",
        blocks=blocks.guarded(body),
        data=_for_machines(preview, state),
    )


async def _groups(context: Context, deps: Deps) -> Sequence[str]:
    here = await deps.groups_of_channel(context.channel) if context.channel else ()
    return here or tuple(context.principal.groups)


def _terms(preview: Preview, deps: Deps) -> Iterator[str]:
    terms = preview.terms
    yield f"Of {escape(person(terms.by))}, {escape(preview.release.team)}, since {local_time(terms.created_at)}"
    last = latest(terms, previews_of(deps.platform))
    more = f", and can be extended until {local_time(last)}" if last > terms.expires_at else ""
    yield f"*Ends {local_time(terms.expires_at)}*{more}"
    if terms.asleep_since is not None:
        yield f"*Asleep* since {local_time(terms.asleep_since)}: nothing runs, its data stays"
    if terms.source is not None:
        where = escape(f"{terms.source.repository}#{terms.source.number}")
        fork = ", from a fork" if terms.source.fork else ""
        yield f"Shows {where} at {code(terms.source.head[:7])}{fork}"
    if terms.masked:
        yield f"Its data is masked by version {code(terms.masked)} of the rules"
    yield f"A month of it would cost {terms.monthly_cost:f} {escape(deps.platform.currency)}"


def _service(service: ServiceState) -> str:
    told = [f"*{escape(service.name)}*"]
    if service.live is not None and service.live.replicas == 0:
        told.append("stopped")
    elif service.live is not None:
        count = service.live.replicas
        told.append(f"{service.live.ready_replicas} of {count} replica{'' if count == 1 else 's'} ready")
    if service.url:
        told.append(link(service.url, service.url.partition("://")[2]))
    return " · ".join(told)


def _database(database: DatabaseState, *, asleep: bool) -> str:
    """A preview that sleeps wants none of its databases to be ready."""
    store, state = database.store, database.state
    seeded = f" · filled from {escape(store.seed.source)}" if store.seed is not None else ""
    why = "" if state.word == READY else f": {said(state.sentence)}"
    what = f"{escape(ENGINES[store.engine])} {escape(store.size_name)}{seeded}"
    how = "stopped, its data stays" if asleep and state.word != READY else f"{state.word}{why}"
    return f"*{escape(store.name)}* · {what} · {how}"


def _next(preview: Preview) -> str:
    verb = "wake" if preview.is_asleep else "sleep"
    return f"/preview {verb} {preview.name} · /preview extend {preview.name} · /preview down {preview.name}"


def _for_machines(preview: Preview, state: State) -> dict[str, Any]:
    terms = preview.terms
    services: list[JSON] = [
        {
            "name": one.name,
            "url": one.url or None,
            "commit": terms.commits.get(one.name),
            "replicas": one.live.replicas if one.live is not None else None,
            "ready": one.live.ready_replicas if one.live is not None else None,
        }
        for one in state.services
    ]
    return {
        "name": preview.name,
        "owner": preview.owner,
        "namespace": preview.place.namespace,
        "terms": terms.model_dump(mode="json"),
        "services": services,
        "databases": [
            {"name": one.store.name, "engine": one.store.engine, "state": one.state.word, "told": one.state.sentence}
            for one in state.databases
        ],
        "problems": [state.problem] if state.problem else [],
    }


QUERY: Query[PreviewShow] = Query(
    name="preview.show",
    summary="Show a preview: addresses, services, its end",
    usage="[name]",
    request=PreviewShow,
    parse=parse,
    answer=answer,
    subject=subject,
)
