"""Which group is the cause of which: one card for a storm, not one for each of its drops. Pure and deterministic.

A group is folded into another one when both began near to each other and
1. its service depends on the other's, directly or not, in the same environment: the deepest that fires is the cause;
2. or both are about the same service and environment;
3. or many groups share a label at once: the node, the name of the alert, the cluster.

It is never folded into one that is less severe: who is woken by a card must not find it below a smaller one. What has a
card of its own keeps it, so such a group may become the cause of later ones, never the other way round. What is folded
is nobody's cause. Nothing here depends on the order in which groups are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model.alerts import Severity

NEAR = timedelta(minutes=60)
"""How far apart a dependency's trouble and its dependents' may begin."""
SAME_SERVICE = timedelta(minutes=15)

SHARED: Mapping[str, tuple[int, timedelta]] = {
    "node": (2, timedelta(minutes=10)),
    "alertname": (3, timedelta(minutes=5)),
    "cluster": (5, timedelta(minutes=5)),
}
"""Label → how many groups have to share it, and how near to one another they have to begin."""

RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}

Chain = Callable[[str], Mapping[str, int]]
"""`(service)`: all that it depends on → how many steps away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What of a group matters for folding."""

    id: str
    number: int
    """The order in which groups began."""
    severity: Severity
    began_at: datetime
    service: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Those that all its alerts share."""
    has_card: bool = False

    @property
    def rank(self) -> tuple[int, int, int]:
        """The first by this is the cause: what has a card, then the most severe, then the first that began."""
        return (0 if self.has_card else 1, RANK[self.severity], self.number)


def fold(groups: Iterable[Candidate], chain: Chain) -> Mapping[str, str]:
    """Return group → its cause, for those without a card that have one. The groups all fire and are not folded yet."""
    every = sorted(groups, key=lambda one: one.number)
    causes: dict[str, str] = {}
    for one in every:
        if not one.has_card and (cause := _cause_of(one, every, chain)) is not None:
            causes[one.id] = cause.id
    by_id = {one.id: one for one in every}
    return {folded: root for folded in causes if (root := _root(folded, causes, by_id)) != folded}


def _cause_of(one: Candidate, every: Sequence[Candidate], chain: Chain) -> Candidate | None:
    others = [other for other in every if other.id != one.id and RANK[other.severity] <= RANK[one.severity]]
    return _dependency(one, others, chain) or _same_service(one, others) or _sharing(one, every, chain)


def _dependency(one: Candidate, others: Sequence[Candidate], chain: Chain) -> Candidate | None:
    """Return the group of the deepest service that fires below this one's."""
    if not one.service:
        return None
    depths = chain(one.service)
    below = [
        (depths[service], other)
        for other in others
        if (service := other.service.lower()) in depths
        and other.environment == one.environment
        and _near(one, other, NEAR)
        and one.service.lower() not in chain(other.service)  # in a circle nobody is deeper
    ]
    deepest = sorted(below, key=lambda found: (-found[0], found[1].rank))
    return deepest[0][1] if deepest else None


def _same_service(one: Candidate, others: Sequence[Candidate]) -> Candidate | None:
    if not one.service:
        return None
    place = (one.service, one.environment)
    same = [other for other in others if (other.service, other.environment) == place and other.rank < one.rank]
    return min((other for other in same if _near(one, other, SAME_SERVICE)), key=lambda other: other.rank, default=None)


def _sharing(one: Candidate, every: Sequence[Candidate], chain: Chain) -> Candidate | None:
    """Return the first of those that share a telling label with this one, where they are many.

    One that depends on this one's service is not its cause, whatever they share.
    """
    for label, (many, within) in SHARED.items():
        value = one.labels.get(label)
        if not value:
            continue
        sharing = [other for other in every if other.labels.get(label) == value and _near(one, other, within)]
        first = min(sharing, key=lambda other: other.rank)
        if len(sharing) < many or first.id == one.id or RANK[first.severity] > RANK[one.severity]:
            continue
        if not first.service or one.service.lower() not in chain(first.service):
            return first
    return None


def _near(one: Candidate, other: Candidate, within: timedelta) -> bool:
    return abs(one.began_at - other.began_at) <= within


def _root(start: str, causes: Mapping[str, str], by_id: Mapping[str, Candidate]) -> str:
    """Follow the causes to the one that has none. A ring is cut at the first of its members by rank."""
    seen = [start]
    while (cause := causes.get(seen[-1])) is not None:
        if cause in seen:
            return min(seen[seen.index(cause) :], key=lambda member: by_id[member].rank)
        seen.append(cause)
    return seen[-1]
