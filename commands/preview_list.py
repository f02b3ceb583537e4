"""`/preview list`: the previews there are, whose each is, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import NotFound
from bot.model.canonical import JSON
from bot.model.entities import full_ref
from bot.previews.reading import Preview, read_previews
from bot.previews.wording import day, only_name, person
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape

MOST = 30
"""Previews that one message lists."""
COLUMNS = ("Name", "Whose", "Ends (UTC)", "State", "Services", "A month")


class PreviewList(BaseModel, frozen=True, extra="forbid"):
    """Whose."""

    owner: str = Field(
        default="", max_length=200, description="A group, `mine` or `all`; empty: the channel's, else all"
    )


def parse(words: Sequence[str]) -> PreviewList:
    return PreviewList(owner=only_name(words, "/preview list"))


async def answer(request: PreviewList, context: Context, deps: Deps) -> Answer:
    """List them by their end, the nearest first."""
    groups, whose = await _groups(request.owner, context, deps)
    found = await read_previews(deps)
    shown = sorted(
        (one for one in found.previews if groups is None or one.owner in groups),
        key=lambda one: (one.terms.expires_at, one.name),
    )
    notes = [blocks.context(escape(found.problem))] if found.problem else []
    data: list[JSON] = [_for_machines(one) for one in shown]
    if not shown:
        text = f"There is no preview{whose}."
        return Answer(
            text=text, blocks=[blocks.section(f"{escape(text)} Make one: {code('/preview up')}"), *notes], data=data
        )
    title = f"{len(shown)} preview{'' if len(shown) == 1 else 's'}{whose}"
    rows = [_row(one, deps) for one in shown[:MOST]]
    if len(shown) > MOST:
        notes.append(blocks.context(f"and {len(shown) - MOST} more: name a group to see fewer"))
    return Answer(
        text=f"{title}: {', '.join(one.name for one in shown[:10])}",
        blocks=[blocks.header(title), blocks.table(COLUMNS, rows), *notes],
        data=data,
    )


async def _groups(owner: str, context: Context, deps: Deps) -> tuple[frozenset[str] | None, str]:
    """Return whose are meant, and how that is said; None for everybody's. Raise `NotFound` for an unknown group."""
    if owner == "mine":
        return context.principal.groups, " of your teams"
    if owner and owner != "all":
        group = full_ref(owner, kind="group")
        if deps.catalog().get(group) is None:
            raise NotFound(f"There is no group `{owner[:80]}` in the catalog.", hint="Try `/preview list mine`.")
        return frozenset({group}), f" of {person(group)}"
    here = await deps.groups_of_channel(context.channel) if context.channel and not owner else ()
    if not here:
        return None, ""
    return frozenset(here), f" of {' and '.join(map(person, here))}"


def _row(preview: Preview, deps: Deps) -> tuple[str, ...]:
    terms = preview.terms
    return (
        preview.name,
        f"{person(terms.by)}, {preview.release.team}",
        day(terms.expires_at).removesuffix(" UTC"),
        "asleep" if preview.is_asleep else "awake",
        ", ".join(sorted(terms.commits)) or "unknown",
        f"{terms.monthly_cost:f} {deps.platform.currency}",
    )


def _for_machines(preview: Preview) -> dict[str, JSON]:
    terms = preview.terms
    services: list[JSON] = [*sorted(terms.commits)]
    return {
        "name": preview.name,
        "owner": preview.owner,
        "by": terms.by,
        "created_at": terms.created_at.isoformat(),
        "expires_at": terms.expires_at.isoformat(),
        "asleep": preview.is_asleep,
        "services": services,
        "monthly_cost": str(terms.monthly_cost),
        "pull_request": f"{terms.source.repository}#{terms.source.number}" if terms.source else None,
    }


QUERY: Query[PreviewList] = Query(
    name="preview.list",
    summary="List the previews, and when each ends",
    usage="[group | mine | all]",
    request=PreviewList,
    parse=parse,
    answer=answer,
)
