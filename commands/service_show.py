"""`/service show`: one service, who owns it and where everything is."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.catalog.index import Found, Index, owner_of
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import NotFound, UsageError
from bot.slack import blocks
from bot.slack.mrkdwn import escape, link


class ServiceShow(BaseModel, frozen=True, extra="forbid"):
    """Which service."""

    service: str = Field(min_length=1, max_length=200, description="Its name in the catalog", examples=["orders-api"])


def parse(words: Sequence[str]) -> ServiceShow:
    match words:
        case [service]:
            return ServiceShow(service=service)
    raise UsageError("Which service?", hint="Try `/service show orders-api`, or `/service list` to see them all.")


async def answer(request: ServiceShow, context: Context, deps: Deps) -> Answer:
    """Say what the catalog knows. Raise `NotFound` that names the nearest services."""
    index = deps.catalog()
    found = index.service(request.service)
    if found is None:
        raise NotFound(f"There is no service `{request.service[:80]}`.", hint=_nearest(index, request.service))
    entity = found.entity
    owner = owner_of(entity)
    channel = index.channel_of(owner) if owner else None
    shown = {
        "Owner": escape(owner.rpartition("/")[2]) if owner else "nobody",
        "Channel": f"#{escape(channel)}" if channel else "none",
        "Type": escape(str(getattr(entity.spec, "type", ""))) or "unknown",
        "Lifecycle": escape(str(getattr(entity.spec, "lifecycle", ""))) or "unknown",
    }
    text = f"{found.label}, owned by {shown['Owner']}"
    body = [blocks.header(found.label)]
    if entity.metadata.description.strip():
        body.append(blocks.section(escape(entity.metadata.description.strip())))
    body.append(blocks.fields(shown))
    if links := _links(found):
        body.append(blocks.context(" · ".join(links)))
    return Answer(text=text, blocks=body, data=entity.model_dump(mode="json"))


def _links(found: Found) -> list[str]:
    named = [link(item.url, item.title or item.url) for item in found.entity.metadata.links]
    repository = found.web_url.partition("/blob/")[0]
    return [*([link(repository, "Repository")] if repository else []), *named]


def _nearest(index: Index, name: str) -> str:
    near = difflib.get_close_matches(name, [f.label for f in index.components()], 3, 0.5)
    return f"Did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "See them all: `/service list`."


QUERY: Query[ServiceShow] = Query(
    name="service.show",
    summary="Show a service: owner, channel, links",
    usage="<service>",
    request=ServiceShow,
    parse=parse,
    answer=answer,
)
