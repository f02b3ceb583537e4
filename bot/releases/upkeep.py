"""Plans that change how a release is kept, not which version it is: restart, scale, freeze, pin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.deps import Deps
from bot.effects import CancelAppointment
from bot.model.effect import Effect
from bot.model.plan import Plan
from bot.model.release import Release
from bot.ports import Appointment
from bot.releases import differences
from bot.releases.changes import change_to, delivery, healthy, roll_back_offer
from bot.releases.reading import Here


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepFacts:
    """A place, and the term that a change here would end."""

    here: Here
    term: Appointment | None = None


def term_name(what: str, here: Here) -> str:
    """Return the name of an appointment: `unpin:orders-api/staging`."""
    return f"{what}:{here.service.name}/{here.place.environment}"


async def read_upkeep(here: Here, what: str, deps: Deps) -> UpkeepFacts:
    """`what` names the term, as in `term_name`."""
    return UpkeepFacts(here=here, term=await deps.agenda.get(term_name(what, here)) if deps.agenda else None)


def upkeep_plan(
    here: Here,
    release: Release,
    summary: str,
    *,
    more: Iterable[Effect] = (),
    highlights: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Plan:
    """Return the plan by which a place comes to hold `release`. It waits for health only where objects change."""
    change = change_to(here.place, release, summary)
    details = differences.delivered(here.standing, change)
    waits = [healthy(change)] if details and release.current is not None else []
    return Plan.of(
        summary,
        [*here.asker.late([*delivery(change, here.standing, here.repo_url), *waits]), *more],
        revisions=[here.standing.revision],
        owner=here.service.owner,
        details=details,
        highlights=highlights,
        notes=notes,
        environment=here.place.environment,
        lane=here.place.lane,
        offers=[roll_back_offer(here.place, release)] if waits and release.history else [],
    )


def cancelled(term: Appointment | None) -> Iterable[Effect]:
    """Strike out a term that has lost its meaning."""
    if term is not None:
        yield CancelAppointment.of("forget-term", term)
