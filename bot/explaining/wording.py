"""What is said of a case: plain sentences without marks of any markup. Pure.

Who shows them escapes them; times stand in them as `{time}` only through `Voice.time`, so that Slack can show each
reader's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.charts import said
from bot.explaining.facts import Case, Changed, Exemplar, Kind, Moved, NewLine, Trouble
from bot.explaining.grounds import LOOK_BACK, VERBS, is_all_there_is, leads, span_words
from bot.explaining.ranking import Cause, rivals
from bot.health.words import counted, listed

MOST_CHANGES = 4
MOST_DETAILS = 3
MOST_LINES = 3
MOST_MOVED = 4
LONGEST_NAME = 80
"""Characters of a name from outside, such as a span's."""

_NOW = {
    ("latency", True): "has been slow",
    ("errors", True): "has been failing",
    ("saturation", True): "has been near its limits",
    ("traffic", True): "has been getting more requests than usual",
    ("traffic", False): "has been getting fewer requests than usual",
}
_THEN = {
    ("latency", True): "was slow",
    ("errors", True): "was failing",
    ("saturation", True): "was near its limits",
    ("traffic", True): "got more requests than usual",
    ("traffic", False): "got fewer requests than usual",
}


def in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Voice:
    """How pieces from outside, and times, are written."""

    text: Callable[[str], str] = str
    code: Callable[[str], str] = str
    time: Callable[[datetime], str] = in_utc


PLAIN = Voice()


def headline(case: Case, causes: Sequence[Cause], voice: Voice = PLAIN) -> str:
    """Return one sentence: what, since when, because of what."""
    where = voice.text(f"{case.service} in {case.environment}")
    what = _symptom(case, where, voice)
    if what is None:
        return _quiet(case, where)
    same = rivals(tuple(causes))
    if not same:
        return f"{what}, and {'nothing that I could see' if case.missing else 'I found nothing that'} explains it."
    if len(same) > 1:
        named = listed([voice.text(_with_distance(one, case)) for one in same[:3]], "or")
        return f"{what}, {same[0].likely} because of {named}: I cannot tell them apart."
    first = same[0]
    if first.trouble is not None and is_all_there_is(case, first.trouble):
        return f"{what}: {voice.text(first.trouble.sentence)}."
    if first.kind == "dependency":
        verb = next((VERBS[one.kind] for one in leads(case, first.service)), "moved")
        return (
            f"{what}, {first.likely} because of {voice.text(first.service)}, which {verb} first; "
            "I found no change in it that explains it."
        )
    return f"{what}, {first.likely} because of {voice.text(_with_distance(first, case))}."


def _symptom(case: Case, where: str, voice: Voice) -> str | None:
    seen = case.symptom
    if seen is None:
        fires = [one for one in case.alerts if one.service == case.service]
        broken = [one for one in case.broken if one.service == case.service]
        if fires:
            first = min(fires, key=lambda one: (one.at, one.title))
            return f"{voice.code(first.title)} has been firing for {where} since {voice.time(first.at)}"
        if broken:
            since = case.since
            trouble = f"has been in trouble since {voice.time(since)}" if since is not None else "is in trouble"
            return f"{where} {trouble}"
        return None
    if seen.until is not None:
        return f"{where} {_THEN[seen.kind, seen.up]} from {voice.time(seen.since)} until {voice.time(seen.until)}"
    if seen.from_start:
        return f"{where} {_NOW[seen.kind, seen.up]} for at least {span_words(case.now - seen.since)}"
    return f"{where} {_NOW[seen.kind, seen.up]} since {voice.time(seen.since)}"


def _quiet(case: Case, where: str) -> str:
    if case.missing:
        return f"I see nothing wrong with {where}, but I do not see all of it."
    if not case.there:
        return f"I know nothing of {where}: no version was deployed there, and nothing of it is measured."
    return f"Nothing is wrong with {where} as far as I see: every signal is as usual, and no alert fires."


def _with_distance(cause: Cause, case: Case) -> str:
    since = case.since
    if cause.at is None or since is None:
        return cause.what
    before = since - cause.at
    if before >= timedelta(minutes=1):
        return f"{cause.what} {span_words(before)} before"
    return f"{cause.what} at that time"


def walk(case: Case, causes: Sequence[Cause], voice: Voice = PLAIN) -> Iterator[tuple[str, list[str]]]:
    """Yield the way from the symptom to the cause: a heading, and its lines."""
    since = case.since
    there = [one for one in (*case.moved, *case.beside) if one.until is None or since is None or one.until >= since]
    own = [one for one in there if one.service == case.service][:MOST_MOVED]
    others = sorted((one for one in there if one.service != case.service), key=lambda one: (one.since, one.service))
    if moved := [*own, *others[:MOST_MOVED]]:
        yield "What moved", [moved_line(one, voice, named=one.service != case.service) for one in moved]
    if case.alerts:
        shown = case.alerts[:MOST_MOVED]
        yield (
            "What fires",
            [f"{voice.code(one.title)} of {voice.text(one.service)} since {voice.time(one.at)}" for one in shown],
        )
    changes = list(change_lines(case, causes, voice))
    if changes:
        yield "What changed before", changes
    if case.troubles:
        yield "What broke", [voice.text(_of_trouble(one)) for one in case.troubles[:MOST_MOVED]]
    if case.lines:
        yield "What is new in the logs", [line_of(one, voice) for one in case.lines[:MOST_LINES]]
    if case.exemplar is not None:
        yield (
            "Where a request loses its time" if not case.exemplar.failed else "Where a request fails",
            [trace_line(case.exemplar, voice)],
        )
    if causes and causes[0].why:
        yield "Why I say so", [f"Because {'; '.join(map(voice.text, causes[0].why))}."]


def _of_trouble(trouble: Trouble) -> str:
    """Return its clause as a line of its own. One that begins with a name keeps that as it is written."""
    first, _, rest = trouble.sentence.partition(" ")
    begun = f"{first.capitalize()} {rest}" if first in ("the", "a", "no") else trouble.sentence
    return f"{begun}; it is over" if trouble.over else begun


def moved_line(moved: Moved, voice: Voice = PLAIN, *, named: bool = False) -> str:
    """`latency (p99) rose from 120 ms to 1.2 s at 10:04 UTC (objective: 300 ms)`."""
    of = f"{voice.text(moved.service)}: " if named else ""
    name, worst = voice.text(moved.name), said(moved.worst, moved.unit)
    objective = f" (objective: {said(moved.objective, moved.unit)})" if moved.objective is not None else ""
    if moved.from_start or moved.before is None:
        return f"{of}{name} has been at {worst}{objective} since {voice.time(moved.since)} or earlier"
    verb = "rose" if moved.up else "fell"
    back = f", and was back at {voice.time(moved.until)}" if moved.until is not None else ""
    usual = said(moved.before, moved.unit)
    return f"{of}{name} {verb} from {usual} to {worst} at {voice.time(moved.since)}{objective}{back}"


def change_lines(case: Case, causes: Sequence[Cause], voice: Voice) -> Iterator[str]:
    """Yield what changed: first what may be the cause, with what it brought; then the rest, newest first."""
    since = case.since
    if since is None:
        return
    suspects = [one.change for one in causes if one.change is not None]
    others = sorted((one for one in case.changes if one not in suspects), key=_newest)
    shown = [*suspects, *others][:MOST_CHANGES]
    for change in shown:
        yield change_line(change, since, voice)
        if change in suspects[:1]:
            yield from (f"    {voice.text(line)}" for line in change.details[:MOST_DETAILS])
    if left := len(case.changes) - len(shown):
        yield f"and {counted(left, 'more change')}"
    if not shown:
        services = list(case.paths) or [case.service]
        yield (
            f"I found no change of {listed([voice.text(one) for one in services[:5]], 'or')} in the "
            f"{span_words(LOOK_BACK)} before."
        )


def change_line(change: Changed, since: datetime, voice: Voice = PLAIN) -> str:
    by = f" by {voice.text(change.by)}" if change.by else ""
    apart = since - change.at
    if abs(apart) < timedelta(minutes=1):
        when = "at that time"
    else:
        when = f"{span_words(abs(apart))} {'before' if apart > timedelta(0) else 'after it began, so not the cause'}"
    return f"{voice.time(change.at)} {voice.text(change.what)} of {voice.text(change.service)}{by} ({when})"


def _newest(change: Changed) -> tuple[float, str]:
    return -change.at.timestamp(), change.what


def line_of(line: NewLine, voice: Voice = PLAIN) -> str:
    if not line.example:
        more = counted(line.count, "error line")
        return f"{more} of {voice.text(line.service)} of a kind that was not written before; its owners may read them"
    times = f"{'at least ' if line.at_least else ''}{counted(line.count, 'time')}"
    before = f", {counted(line.before, 'time')} before" if line.before else ", never before"
    return f"{voice.code(line.example)} of {voice.text(line.service)}: {times}{before}"


def trace_line(seen: Exemplar, voice: Voice = PLAIN) -> str:
    span, service = voice.code(seen.span[:LONGEST_NAME]), voice.text(seen.span_service[:LONGEST_NAME])
    whole, part = said(seen.duration_s, "s"), said(seen.span_s, "s")
    if seen.failed:
        return f"A request that took {whole} failed in {span} of {service} ({part})"
    return f"A request that took {whole} spent {seen.share:.0%} of it ({part}) in {span} of {service}"


def title_of(kind: Kind) -> str:
    return {"latency": "latency", "errors": "failing requests", "saturation": "saturation", "traffic": "requests"}[kind]
