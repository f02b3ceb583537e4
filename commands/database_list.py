"""`/database list`: the databases there are, what each costs, and whether it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel, Field

from bot.command import Answer, Context, Query
from bot.databases.inventory import Held, read_inventory
from bot.databases.state import State, read_states
from bot.databases.wording import engine_name, monthly
from bot.deps import Deps
from bot.errors import NotFound, UsageError
from bot.model.canonical import JSON
from bot.model.entities import full_ref
from bot.rendering.costs import money
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape

USAGE = "[group | mine | all]"
MOST = 30
"""Databases that one message lists."""
COLUMNS = ("Name", "Environment", "Team", "Engine", "Size", "A month", "State")


class DatabaseList(BaseModel, frozen=True, extra="forbid"):
    """Whose."""

    owner: str = Field(
        default="", max_length=200, description="A group, `mine` or `all`; empty: the channel's, else all"
    )


def parse(words: Sequence[str]) -> DatabaseList:
    if len(words) > 1:
        raise UsageError(f"I could not read `{' '.join(words)[:200]}`.", hint=f"Try `/database list {USAGE}`.")
    return DatabaseList(owner=words[0] if words else "")


async def answer(request: DatabaseList, context: Context, deps: Deps) -> Answer:
    """List them by team and name, with how each stands now."""
    teams, whose = await _teams(request.owner, context, deps)
    held = () if teams == () else await read_inventory(deps, teams or ())
    shown = held[:MOST]
    states = await read_states(shown, deps)
    data: list[JSON] = [_for_machines(one, state, deps) for one, state in zip(shown, states, strict=True)]
    if not held:
        text = f"There is no database{whose}."
        hint = f"{escape(text)} Ask for one: {code('/database request')}"
        return Answer(text=text, blocks=[blocks.section(hint)], data=data)
    cost = sum((one.store.monthly_cost for one in held), Decimal(0))
    title = f"{len(held)} database{'' if len(held) == 1 else 's'}{whose}, {monthly(cost, deps.platform.currency)}"
    rows = [_row(one, state, deps) for one, state in zip(shown, states, strict=True)]
    notes = [f"{one.store.name}: {state.sentence}" for one, state in zip(shown, states, strict=True) if _odd(state)]
    more = [f"and {len(held) - MOST} more: name a group to see fewer"] if len(held) > MOST else []
    return Answer(
        text=f"{title}: {', '.join(one.store.name for one in held[:10])}",
        blocks=[
            blocks.header(title),
            blocks.table(COLUMNS, rows),
            *blocks.lines([escape(note) for note in notes]),
            *([blocks.context(escape(more[0]))] if more else []),
        ],
        data=data,
    )


async def _teams(owner: str, context: Context, deps: Deps) -> tuple[tuple[str, ...] | None, str]:
    """Return whose are meant, and how that is said; None for everybody's. Raise `NotFound` for an unknown group."""
    if owner == "mine":
        return tuple(sorted(one.rpartition("/")[2] for one in context.principal.groups)), " of your teams"
    if owner and owner != "all":
        group = full_ref(owner, kind="group")
        if deps.catalog().get(group) is None:
            raise NotFound(f"There is no group `{owner[:80]}` in the catalog.", hint="Try `/database list mine`.")
        return (group.rpartition("/")[2],), f" of {group.rpartition('/')[2]}"
    here = await deps.groups_of_channel(context.channel) if context.channel and not owner else ()
    teams = tuple(one.rpartition("/")[2] for one in here)
    return (teams, f" of {' and '.join(teams)}") if teams else (None, "")


def _odd(state: State) -> bool:
    return state.word in ("stuck", "not known")


def _row(held: Held, state: State, deps: Deps) -> tuple[str, ...]:
    store = held.store
    return (
        store.name,
        held.place.environment,
        held.place.team,
        engine_name(store.engine),
        store.size_name,
        f"{money(store.monthly_cost)} {deps.platform.currency}",
        state.word,
    )


def _for_machines(held: Held, state: State, deps: Deps) -> dict[str, JSON]:
    store = held.store
    return {
        "name": store.name,
        "service": "" if held.stands_alone else store.service,
        "environment": held.place.environment,
        "team": held.place.team,
        "engine": store.engine,
        "size": store.size_name,
        "monthly_cost": float(store.monthly_cost),
        "currency": deps.platform.currency,
        "state": state.word,
        "told": state.sentence,
    }


QUERY: Query[DatabaseList] = Query(
    name="database.list",
    summary="List the databases: cost, size, and whether each is ready",
    usage=USAGE,
    request=DatabaseList,
    parse=parse,
    answer=answer,
)
