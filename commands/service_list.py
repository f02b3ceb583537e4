"""`/service list`: the services of the catalog, one's own first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from bot.catalog.index import Found, owner_of
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import NotFound
from bot.model.canonical import JSON
from bot.model.entities import full_ref
from bot.model.principal import Principal
from bot.releases.book import read_book, versions
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape, link

MOST = 40
"""Services that one message lists; more are found by owner."""


class ServiceList(BaseModel, frozen=True, extra="forbid"):
    """Which services."""

    owner: str = Field(default="", description="A group; `mine` for your own groups; empty for all")


def parse(words: Sequence[str]) -> ServiceList:
    return ServiceList(owner=" ".join(words))


async def answer(request: ServiceList, context: Context, deps: Deps) -> Answer:
    """List them by name, with owner, a link to where each is declared, and the versions that run."""
    found = [f for f in deps.catalog().components() if _wanted(f, request.owner, context.principal)]
    found.sort(key=lambda f: (owner_of(f.entity) not in context.principal.groups, f.label))
    if request.owner not in ("", "mine") and deps.catalog().get(full_ref(request.owner, kind="group")) is None:
        raise NotFound(f"There is no group `{request.owner[:80]}` in the catalog.", hint="Try `/service list mine`.")
    if not found:
        whose = f" of {escape(request.owner)}" if request.owner else ""
        text = f"There is no service{whose} in the catalog yet."
        return Answer(text=text, blocks=[blocks.section(f"{text} Create one: {code('/service create')}")], data=[])
    book = await read_book((f.entity.metadata.name for f in found[:MOST]), deps)
    running = {f.ref: versions(book.releases.get(f.entity.metadata.name, {}), deps.platform) for f in found}
    told = [_line(f, running[f.ref]) for f in found]
    lines = blocks.fold(told, MOST, "… and {} more. Narrow it down: `/service list <group>`.")
    title = f"{len(found)} service{'' if len(found) == 1 else 's'}"
    data: list[JSON] = [_for_machines(f, running[f.ref]) for f in found]
    notes = [blocks.context(escape(book.problem))] if book.problem else []
    return Answer(
        text=f"{title}: {', '.join(f.label for f in found[:10])}",
        blocks=[blocks.header(title), *blocks.lines(lines), *notes],
        data=data,
    )


def _wanted(found: Found, owner: str, principal: Principal) -> bool:
    if not owner:
        return True
    group = owner_of(found.entity)
    return group in principal.groups if owner == "mine" else group == full_ref(owner, kind="group")


def _line(found: Found, running: Mapping[str, str]) -> str:
    name = link(found.web_url, found.label) if found.web_url else f"*{escape(found.label)}*"
    owner = (owner_of(found.entity) or "nobody").rpartition("/")[2]
    told = found.entity.metadata.description.strip().split("\n")[0]
    line = f"{name} · {escape(owner)}" + (f" · {escape(told[:120])}" if told else "")
    where = ", ".join(f"{escape(environment)} {code(version[:40])}" for environment, version in running.items())
    return f"{line} · {where}" if where else line


def _for_machines(found: Found, running: Mapping[str, str]) -> dict[str, JSON]:
    told: dict[str, JSON] = {"ref": found.ref, "owner": owner_of(found.entity), "url": found.web_url}
    return told | {"running": dict(running)} if running else told


QUERY: Query[ServiceList] = Query(
    name="service.list",
    summary="List the services of the catalog",
    usage="[group | mine]",
    request=ServiceList,
    parse=parse,
    answer=answer,
)
