"""What speaks for a cause, each with its weight. Pure.

Weights are added and never taken away, and none depends on another cause: whatever more is seen makes a cause more
likely or leaves it as it is. They are steps of a ladder rather than measurements: what came just before weighs most,
then what was seen in the suspect itself, then what kind of thing it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.explaining.facts import SKEW, Case, Changed, Kind, Moved, Trouble

LOOK_BACK = timedelta(hours=6)
"""Nothing older than this before the symptom is named as its cause."""
LONG_BEFORE = timedelta(hours=1)
"""What is older than this is not made more likely by what is seen now: it went well for so long."""
AT_ONCE = timedelta(minutes=15)

_KINDS = {"deploy": 20, "promote": 20, "config": 20, "rollback": 15, "database": 15, "scale": 0, "restart": 0}
"""What is not in here changes nothing that runs: a pin, a freeze."""
_TROUBLES = {"disk": 80, "node": 70, "database": 60, "quota": 50, "memory": 40, "crash": 40, "pods": 40}
_AFTER_A_CHANGE = frozenset({"memory", "crash", "pods"})
"""What a change of the same service brings about: then it speaks for the change."""
VERBS: dict[Kind, str] = {
    "latency": "slowed down",
    "errors": "began to fail",
    "saturation": "came near its limits",
    "traffic": "got other traffic",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason. `text` is a clause: `it came 3 minutes before`."""

    points: int
    text: str


def span_words(span: timedelta) -> str:
    """Return a length of time as people say it: `less than a minute`, `3 minutes`, `2 hours`, `3 days`."""
    minutes = int(span.total_seconds() // 60)
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"{number} {name}" if number == 1 else f"{number} {name}s"
    return "less than a minute"


def is_before(at: datetime, since: datetime) -> bool:
    """Whether it may have caused what is there since then, as far as two clocks agree."""
    return since - LOOK_BACK <= at <= since + SKEW


def leads(case: Case, service: str) -> tuple[Moved, ...]:
    """Return how a dependency moved before the symptom, and was still so when that began. What was over by then has
    nothing to do with it."""
    found = [one for one in case.beside if one.service == service and one.kind != "traffic" and _reaches(case, one)]
    return tuple(sorted(found, key=lambda one: (one.since, one.kind, one.name)))


def begins(case: Case, service: str) -> datetime | None:
    """Return when a service's own trouble began: for a dependency that moved first, then; else with the symptom."""
    since = case.since
    known = [*(one.since for one in leads(case, service)), *([since] if since is not None else [])]
    return min(known, default=None)


def _reaches(case: Case, moved: Moved) -> bool:
    since = case.since
    if since is None or moved.since > since + SKEW:
        return False
    return moved.until is None or moved.until >= since - SKEW


def of_change(case: Case, change: Changed) -> tuple[Ground, ...]:
    """Return what speaks for a change; nothing where it cannot be the cause."""
    since = begins(case, change.service)
    if change.kind not in _KINDS or since is None or not is_before(change.at, since):
        return ()
    own = change.service == case.service
    signs = () if since - change.at > LONG_BEFORE else tuple(_signs(case, change.service))
    close = _close(since - change.at, _then(case, change.service))
    if not own and not signs:
        close = Ground(close.points // 2, close.text)
    found = [close, Ground(_KINDS[change.kind], "")]
    if own:
        found.append(Ground(10, ""))
    if change.kind == "scale" and change.fewer:
        found.append(Ground(30, f"{change.service} has fewer replicas since then"))
    if since - change.at <= AT_ONCE:
        found += _broken_since(case, change)
    return (*found, *signs)


def of_trouble(case: Case, trouble: Trouble) -> tuple[Ground, ...]:
    since = begins(case, trouble.service)
    if trouble.at is not None and (since is None or not is_before(trouble.at, since)):
        return ()
    own = trouble.service == case.service
    signs = tuple(_signs(case, trouble.service))
    weight = _TROUBLES[trouble.kind]
    found = [Ground(weight if own or signs else weight // 2, trouble.sentence)]
    if trouble.at is not None and since is not None:
        close = _close(since - trouble.at, _then(case, trouble.service))
        found.append(Ground(close.points // 2, "" if is_all_there_is(case, trouble) else close.text))
    return (*found, *signs)


def is_all_there_is(case: Case, trouble: Trouble) -> bool:
    """Return whether the trouble is itself all that is seen to be wrong, and so not told as the cause of it."""
    return (
        trouble.service == case.service and not case.moved and all(one.service != case.service for one in case.alerts)
    )


def of_traffic(case: Case, surge: Moved) -> tuple[Ground, ...]:
    """Return what speaks for more requests than usual being the cause of what else moved."""
    since = case.since
    if not surge.up or since is None or not _reaches(case, surge):
        return ()
    own = surge.service == case.service
    found = [Ground(50 if own else 30, "")]
    times = surge.worst / surge.before if surge.before else 0.0
    if times >= 2:
        found.append(Ground(20 if times >= 4 else 10, f"it gets {times:.1f} times as many requests as usual"))
    others = case.moved if own else case.beside
    if any(one.kind == "saturation" and one.service == surge.service for one in others):
        found.append(Ground(20, f"{surge.service} is near its limits"))
    return (*found, *(() if own else _signs(case, surge.service)))


def of_dependency(case: Case, service: str) -> tuple[Ground, ...]:
    """Return what speaks for a dependency in which nothing else was found."""
    return tuple(_signs(case, service)) if leads(case, service) else ()


def _then(case: Case, service: str) -> str:
    """Return what it came before, where that is not the symptom itself: ` orders-api slowed down`."""
    first = leads(case, service)
    return f" {service} {VERBS[first[0].kind]}" if first else ""


def _close(before: timedelta, then: str) -> Ground:
    if before <= timedelta(0):
        return Ground(30, "it came at the same time, as far as two clocks agree")
    text = f"it came {span_words(before)} before{then}"
    for most, points in ((timedelta(minutes=5), 50), (AT_ONCE, 40), (LONG_BEFORE, 20)):
        if before <= most:
            return Ground(points, text)
    return Ground(8, text)


def _signs(case: Case, service: str) -> Iterator[Ground]:
    """Yield what was seen in a service itself."""
    own = service == case.service
    if first := leads(case, service):
        yield Ground(40, f"{service} {VERBS[first[0].kind]} first")
    if (seen := case.exemplar) is not None and seen.span_service == service:
        what = "failed in" if seen.failed else f"lost {seen.share:.0%} of its time in"
        yield Ground(20 if own else 40, f"a request {what} {service}")
    if not own and any(one.service == service for one in case.alerts):
        yield Ground(15, f"an alert of {service} fires")
    if any(one.service == service for one in case.lines):
        yield Ground(10, f"{service} writes errors that it did not write before")
    if not own and any(one.service != service and _names(one.example, service) for one in case.lines):
        yield Ground(15, f"new error lines name {service}")


def _broken_since(case: Case, change: Changed) -> Iterator[Ground]:
    for trouble in case.troubles:
        after = trouble.at is None or trouble.at >= change.at - SKEW
        if trouble.service == change.service and trouble.kind in _AFTER_A_CHANGE and after:
            yield Ground(25, f"{trouble.what} came after it")
            return


def _names(line: str, service: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", line) is not None
