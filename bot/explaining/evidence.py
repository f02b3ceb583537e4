"""Asks logs and traces about a time: thin around `patterns` and `spans`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.deps import Deps
from bot.errors import NotFound
from bot.explaining.facts import Exemplar, Moved, NewLine
from bot.explaining.links import trace_in
from bot.explaining.patterns import new_patterns
from bot.explaining.spans import Found, telling_span
from bot.health.redaction import quoted
from bot.ports import LogLine, Logs, TraceFound, Traces
from bot.rendering.delivery import Place

MOST_LINES = 500
"""Of one time: the newest."""
LONG = timedelta(minutes=30)
"""Most time before and after the symptom that is read."""
MOST_TRACES = 10
TRIES = 3
"""A trace that is found may be forgotten before it is read."""
LEAST_SLOW = timedelta(milliseconds=50)


async def read_new_lines(place: Place, deps: Deps, logs: Logs, since: datetime, end: datetime) -> tuple[NewLine, ...]:
    """Return the error lines that are new since then. Raise what `Logs` raises."""
    text = deps.queries.text("error_lines", namespace=place.namespace, service=place.service)
    last = min(end, since + LONG)
    before = await logs.lines(text, since - LONG, since, limit=MOST_LINES)
    after = await logs.lines(text, since, last, limit=MOST_LINES)
    read_before, read_after = _span(before, since - LONG, since), _span(after, since, last)
    ratio = read_after / read_before if read_before > 0 else 1.0
    found = new_patterns([one.text for one in before], [one.text for one in after], ratio=ratio)
    return tuple(
        NewLine(
            service=place.service,
            pattern=one.text,
            example=one.example,
            count=one.count,
            before=one.before,
            at_least=len(after) >= MOST_LINES,
        )
        for one in found
    )


def _span(lines: Sequence[LogLine], begin: datetime, end: datetime) -> float:
    """Return over how many seconds the lines were read: less than was asked for where there were too many."""
    if len(lines) < MOST_LINES:
        return (end - begin).total_seconds()
    return max((end - min(one.at for one in lines)).total_seconds(), 1.0)


async def read_exemplar(
    place: Place, deps: Deps, traces: Traces, symptom: Moved | None, during: tuple[datetime, datetime]
) -> Exemplar | None:
    """Return a request of that time that failed, or was slow, and the span that explains it. None where none was kept.
    Raise what `Traces` raises."""
    where = {"service": place.service, "environment": place.environment}
    slow = deps.queries.text("slow_requests", **where, above=_above(symptom))
    failing = deps.queries.text("failing_requests", **where)
    wanted = [failing, slow] if symptom is None or symptom.kind == "errors" else [slow, failing]
    for query in wanted:
        found = await _first(traces, await traces.search(query, *during, limit=MOST_TRACES))
        if found is not None:
            trace, telling = found
            return Exemplar(
                trace=trace.id,
                duration_s=telling.root.duration_s,
                span_service=quoted(telling.span.service, 80),
                span=quoted(telling.span.name, 80),
                span_s=telling.seconds,
                share=telling.share,
                failed=telling.failed,
                url=trace_in(place.settings.monitoring.dashboards, trace.id, trace.begin),
            )
    return None


async def _first(traces: Traces, found: Sequence[TraceFound]) -> tuple[TraceFound, Found] | None:
    for one in found[:TRIES]:
        try:
            telling = telling_span(await traces.trace(one.id))
        except NotFound:
            continue
        if telling is not None:
            return one, telling
    return None


def _above(symptom: Moved | None) -> timedelta:
    """Return from where on a request is slow: above the objective, or halfway to the worst."""
    if symptom is None or symptom.kind != "latency":
        return timedelta(seconds=1)
    if symptom.objective is not None:
        return max(timedelta(seconds=symptom.objective), LEAST_SLOW)
    return max(timedelta(seconds=((symptom.before or 0.0) + symptom.worst) / 2), LEAST_SLOW)
