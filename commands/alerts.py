"""`/idp alerts`: what fires now, with the ids that the other commands take."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.alerting.asking import called
from bot.alerting.cards import span
from bot.catalog.index import Index
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import NotFound
from bot.model.alerts import AlertGroup
from bot.model.canonical import JSON
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape

USAGE = "[service]"
MOST = 20
SIGNS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}


class AlertsList(BaseModel, frozen=True, extra="forbid"):
    """Which ones."""

    service: str = Field(
        default="", max_length=200, description="Empty: the channel's, or all", examples=["orders-api"]
    )


def parse(words: Sequence[str]) -> AlertsList:
    return AlertsList(service=" ".join(words))


async def answer(request: AlertsList, context: Context, deps: Deps) -> Answer:
    """List those of a service; in a team's channel those of the team; elsewhere all."""
    if deps.alert_book is None:
        raise NotFound("This installation hears of no alerts.", hint="See `docs/guides/alerts.md`.")
    index = deps.catalog()
    if request.service:
        service = index.service(request.service)
        if service is None:
            raise NotFound(f"There is no service `{request.service[:80]}` in the catalog.")
        groups = await deps.alert_book.firing(service=service.entity.metadata.name)
        whose = f" of {service.entity.metadata.name}"
    else:
        groups = await deps.alert_book.firing()
        owners = await deps.groups_of_channel(context.channel) if context.channel else ()
        groups = tuple(one for one in groups if not owners or one.owner in owners or one.channel == context.channel)
        whose = f" of {', '.join(called(ref, index) for ref in owners)}" if owners else ""
    title = f"{len(groups)} alert{'' if len(groups) == 1 else 's'}{whose}"
    data: list[JSON] = [_for_machines(group) for group in groups]
    if not groups:
        text = f"Nothing fires{whose}."
        return Answer(text=text, blocks=[blocks.section(escape(text))], data=data)
    told = [_line(group, context, index) for group in groups]
    lines = blocks.fold(told, MOST, "… and {} more. Narrow it down: `/idp alerts <service>`.")
    return Answer(text=title, blocks=[blocks.header(title), *blocks.lines(lines)], data=data)


def _line(group: AlertGroup, context: Context, index: Index) -> str:
    place = " in ".join(part for part in (group.service, group.environment) if part)
    about = f" · {escape(place)}" if place else ""
    by = f", {escape(called(group.acknowledged_by, index))} is on it" if group.acknowledged_by else ""
    quiet = ", silenced" if group.silenced or group.quieted else ""
    since = span(context.now - group.started_at)
    return f"{SIGNS[group.severity]} *{escape(group.title)}*{about}, for {since}{by}{quiet}\n{code(group.id)}"


def _for_machines(group: AlertGroup) -> dict[str, JSON]:
    told = ("id", "title", "severity", "service", "environment", "owner", "started_at", "acknowledged_by", "silenced")
    whole = group.model_dump(mode="json")
    return {name: whole[name] for name in told}


QUERY: Query[AlertsList] = Query(
    name="alerts",
    summary="List what fires now",
    usage=USAGE,
    request=AlertsList,
    parse=parse,
    answer=answer,
)
