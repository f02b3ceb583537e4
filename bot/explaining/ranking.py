"""From what was seen to what may have caused it, the most likely first. Pure: the same facts in any order give the same
answer, and nothing is named that is no fact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.explaining import grounds
from bot.explaining.facts import Case, Changed, Moved, Trouble
from bot.explaining.grounds import Ground

Likely = Literal["very likely", "likely", "perhaps"]
LADDER: tuple[tuple[int, Likely], ...] = ((90, "very likely"), (65, "likely"), (40, "perhaps"))
"""From so many points on. What has fewer is not named as a cause."""
AS_LIKELY = 10
"""Two causes whose points differ by no more than this cannot be told apart."""
MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that may have brought the symptom about."""

    kind: Literal["change", "trouble", "traffic", "dependency"]
    service: str
    what: str
    """A noun phrase: `the deploy of v1.5.0 of orders-api`."""
    at: datetime | None
    points: int
    likely: Likely
    why: tuple[str, ...]
    """Clauses, what weighs most first."""
    change: Changed | None = None
    trouble: Trouble | None = None
    surge: Moved | None = None


def causes(case: Case) -> tuple[Cause, ...]:
    """Return what may have caused the symptom, at most `MOST`, the most likely first."""
    named = [one for one in _candidates(case) if one is not None]
    # What lies deeper explains what stands above it; of the rest the later one, which came just before.
    named.sort(key=lambda one: (-one.points, -len(case.paths.get(one.service, ())), _late(one.at), one.what, one.kind))
    return tuple(named[:MOST])


def rivals(found: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """Return the causes that cannot be told apart from the first one, it included. Only changes are rivals: what else
    is seen beside a change is told as a reason."""
    if not found or found[0].kind != "change":
        return found[:1]
    return tuple(one for one in found if one.kind == "change" and found[0].points - one.points <= AS_LIKELY)


def _candidates(case: Case) -> Iterator[Cause | None]:
    for change in case.changes:
        what = _of(change.what, change.service, case)
        yield _cause("change", change.service, what, change.at, grounds.of_change(case, change), change=change)
    for trouble in case.troubles:
        what = _of(trouble.what, trouble.service, case)
        yield _cause("trouble", trouble.service, what, trouble.at, grounds.of_trouble(case, trouble), trouble=trouble)
    for surge in (*case.moved, *case.beside):
        if surge.kind == "traffic" and surge is not case.symptom:
            what = f"more requests to {surge.service} than usual"
            yield _cause("traffic", surge.service, what, surge.since, grounds.of_traffic(case, surge), surge=surge)
    for service in dict.fromkeys(one.service for one in case.beside):
        yield _cause("dependency", service, service, _first(case, service), grounds.of_dependency(case, service))


def _cause(
    kind: Literal["change", "trouble", "traffic", "dependency"],
    service: str,
    what: str,
    at: datetime | None,
    reasons: tuple[Ground, ...],
    *,
    change: Changed | None = None,
    trouble: Trouble | None = None,
    surge: Moved | None = None,
) -> Cause | None:
    points = sum(one.points for one in reasons)
    likely = next((word for least, word in LADDER if points >= least), None)
    if likely is None:
        return None
    told = sorted((one for one in reasons if one.text), key=lambda one: (-one.points, one.text))
    return Cause(
        kind=kind,
        service=service,
        what=what,
        at=at,
        points=points,
        likely=likely,
        why=tuple(dict.fromkeys(one.text for one in told)),
        change=change,
        trouble=trouble,
        surge=surge,
    )


def _of(what: str, service: str, case: Case) -> str:
    return what if service == case.service else f"{what} of {service}"


def _first(case: Case, service: str) -> datetime | None:
    return min((one.since for one in grounds.leads(case, service)), default=None)


def _late(at: datetime | None) -> float:
    return -at.timestamp() if at is not None else 0.0
