"""A case with what is made of it: the causes, whose they are, the one thing to do, and what to draw."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.catalog.index import Index, owner_of
from bot.charts import Chart
from bot.deps import Deps
from bot.explaining.drawing import drawn
from bot.explaining.facts import Case
from bot.explaining.gathering import Gathering
from bot.explaining.links import dashboard_of
from bot.explaining.ranking import Cause, causes
from bot.explaining.steps import Owner, Step, next_step
from bot.model.principal import Principal
from bot.observing import FIRST_S, look
from bot.rendering.delivery import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known so far of why a service does as it does."""

    case: Case
    causes: tuple[Cause, ...]
    """The most likely first; none: nothing explains it."""
    owner: Owner
    """Of the cause; of the service where there is none."""
    step: Step | None
    chart: Chart | None = None
    """The signal that moved, with its objective and what was deployed; None where nothing moved."""
    dashboard: str = ""
    """Where people look further; empty: nowhere."""
    rest: Callable[[], Awaitable[Explanation]] | None = None
    """Waits, in bounded time, for what has not arrived; None: this is all."""


async def explain(
    place: Place,
    deps: Deps,
    now: datetime,
    principal: Principal,
    *,
    within: float = FIRST_S,
    among: Sequence[str] | None = None,
) -> Explanation:
    """Return what is known after `within` seconds at the latest. Raises nothing that a system is to blame for.

    `principal` asks, and may ask about the service: what its dependencies write is quoted only to their owners.
    `among`: the groups whose channel reads the answer; then lines of other groups are quoted to nobody. None: only who
    asks reads it.
    """
    index = deps.catalog()

    def readable(service: str) -> bool:
        found = index.service(service)
        owner = owner_of(found.entity) if found is not None else None
        if service == place.service:
            return True
        return owner is not None and principal.is_or_belongs_to(owner) and (among is None or owner in among)

    gathering = Gathering(place, deps, now, readable=readable)
    work = asyncio.create_task(gathering.run(), name="explain")
    bell = asyncio.ensure_future(look.pause(within))
    try:
        await asyncio.wait({work, bell}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        bell.cancel()

    async def rest() -> Explanation:
        await work
        return _made(gathering, deps)

    if work.done():
        return await rest()
    return _made(gathering, deps, rest)


def _made(gathering: Gathering, deps: Deps, rest: Callable[[], Awaitable[Explanation]] | None = None) -> Explanation:
    case = gathering.case()
    found = causes(case)
    service = found[0].service if found else case.service
    place = next((spot.place for spot in gathering.spots if spot.service == service), gathering.place)
    owner = owner_named(deps.catalog(), service)
    return Explanation(
        case=case,
        causes=found,
        owner=owner,
        step=next_step(case, found, owner, place, gathering.releases.get(service)),
        chart=drawn(case, found, gathering.signals),
        dashboard=dashboard_of(place, place.settings.monitoring.dashboards) if gathering.signals.get(service) else "",
        rest=rest,
    )


def owner_named(index: Index, service: str) -> Owner:
    found = index.service(service)
    reference = owner_of(found.entity) if found is not None else None
    if reference is None:
        return Owner(service=service)
    return Owner(service=service, name=reference.rpartition("/")[2], channel=index.channel_of(reference) or "")
