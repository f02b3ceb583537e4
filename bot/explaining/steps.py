"""The one thing to do next. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.explaining.facts import Button, Case
from bot.explaining.ranking import Cause, rivals
from bot.model.release import Release
from bot.rendering.delivery import Place

SCALED_FOR = "2h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose the cause is."""

    service: str
    name: str = ""
    """Of the group, as people know it; empty: nobody's."""
    channel: str = ""
    """Without `#`."""

    @property
    def ask(self) -> str:
        """`Ask team-orders in #team-orders`; of nobody's service whoever runs the platform."""
        if not self.name:
            return f"Ask the platform team: nobody owns {self.service}"
        return f"Ask {self.name}{f' in #{self.channel}' if self.channel else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`text` is a sentence with commands in backticks."""

    text: str
    button: Button | None = None
    url: str = ""
    """A runbook to open; checked."""


def next_step(case: Case, causes: Sequence[Cause], owner: Owner, place: Place, release: Release | None) -> Step | None:
    """Return what to do next; None where nothing is wrong. `place` and `release` are those of the first cause's
    service, or of the service itself where there is none."""
    if case.since is None and not case.broken:
        return None
    if _is_over(case):
        seen = "as far as I see, so" if case.missing else "and no alert fires, so"
        again = f"`/health why {case.service} {case.environment}`"
        return Step(text=f"It is over {seen} nothing has to be done now. Ask again if it comes back: {again}.")
    if not causes:
        return _without_cause(case, owner)
    first = causes[0]
    here = f"{first.service} in {case.environment}"
    if first.change is not None:
        button = first.change.button
        if button is None:
            return Step(text=f"{owner.ask} whether {first.what} can be taken back.")
        either = " If that does not help, it was the other one." if len(rivals(tuple(causes))) > 1 else ""
        if button.action == "rollback":
            text = f"Roll {here} back to the version before; it stays there until a fix is merged.{either}"
            return Step(text=text, button=button)
        return Step(text=f"{button.label}: {here} runs as its document says again.{either}", button=button)
    if first.surge is not None:
        return _scale(first, here, owner, place, release)
    if first.trouble is not None:
        button = _restart(here) if first.trouble.kind == "memory" else None
        more = " A restart wins time." if button is not None else ""
        return Step(text=f"{first.trouble.next_step}{more}", button=button)
    return Step(text=f"{owner.ask}, or look from there: `/health why {first.service} {case.environment}`.")


def _is_over(case: Case) -> bool:
    """Return whether all that moved is back, and nothing else is wrong: what is well since needs no way back."""
    return all(one.until is not None for one in case.moved) and not case.alerts and not case.broken


def _without_cause(case: Case, owner: Owner) -> Step:
    runbook = next((one for one in case.alerts if one.service == case.service and one.runbook_url), None)
    if runbook is not None:
        return Step(text=f"Follow the runbook of {runbook.title}.", url=runbook.runbook_url)
    return Step(text=f"Read what it writes: `/service logs {case.service} {case.environment}`. {owner.ask}.")


def _scale(cause: Cause, here: str, owner: Owner, place: Place, release: Release | None) -> Step:
    surge, runs = cause.surge, replicas_of(release, place.environment)
    most = place.settings.max_replicas
    by_hand = f"`/service scale {place.service} <replicas> in {place.environment} for {SCALED_FOR}`"
    if surge is None or runs is None:
        return Step(text=f"Run more replicas of {here}: {by_hand}.")
    if runs >= most:
        full = f"{here} runs {runs} replicas, and {place.environment} allows no more."
        return Step(text=f"{full} {owner.ask} who sends so many requests.")
    times = surge.worst / surge.before if surge.before else 2.0
    wanted = min(most, max(runs + 1, math.ceil(runs * min(times, 3.0))))
    button = Button(
        action="scale",
        label=f"Scale to {wanted}",
        line=f"/service scale {place.service} {wanted} in {place.environment} for {SCALED_FOR}",
        confirm=f"{here} runs {wanted} replicas in the place of {runs} for {SCALED_FOR}.",
    )
    return Step(text=f"Run more replicas of {here} for a while: {wanted} in the place of {runs}.", button=button)


def _restart(here: str) -> Button:
    return Button(
        action="restart",
        label="Restart",
        line=f"/service restart {here}",
        confirm=f"All pods of {here} are started anew, one after the other.",
    )


def replicas_of(release: Release | None, environment: str) -> int | None:
    """Return how many run as far as was decided; None where the load decides, or nobody has said."""
    if release is None or release.current is None:
        return None
    if release.scaled is not None:
        return release.scaled.replicas
    spec: Any = release.document.get("spec")
    if not isinstance(spec, dict):
        return None
    there: Any = spec.get("environments")
    own = there.get(environment) if isinstance(there, dict) else None
    for part in (own, spec):
        found = part.get("replicas") if isinstance(part, dict) else None
        if isinstance(found, int):
            return found
    return None
