"""Verdicts for programs: everything that people read, as JSON."""

from __future__ import annotations

from datetime import datetime

from bot.health.verdict import HealthFacts, Signal, Verdict
from bot.model.canonical import JSON


def verdict_data(verdict: Verdict, facts: HealthFacts) -> dict[str, JSON]:
    """Return the whole verdict. Times are ISO 8601 in UTC, values in the unit that is named."""
    alerts = facts.alerts.value if facts.alerts is not None else None
    change = facts.change.value if facts.change is not None else None
    return {
        "service": verdict.service,
        "environment": verdict.environment,
        "state": verdict.state.value,
        "sure": verdict.sure,
        "as_of": _time(verdict.as_of),
        "runs_here": verdict.is_there,
        "because": [
            {
                "source": one.source,
                "sentence": one.sentence,
                "state": one.state.value,
                "sure": one.sure,
                "next_step": one.next_step,
            }
            for one in verdict.because
        ],
        "missing": list(verdict.missing),
        "signals": [_signal(one) for one in verdict.signals],
        "alerts": [
            {
                "title": one.title,
                "severity": one.severity.value,
                "since": _time(one.since),
                "summary": one.summary,
                "silenced": one.silenced,
                "group": one.group or None,
            }
            for one in alerts or ()
        ],
        "change": {"what": change.what, "by": change.by, "at": _time(change.at)} if change is not None else None,
        "dependencies": [
            {"service": one.service, "state": one.state.value, "sentence": one.sentence} for one in verdict.dependencies
        ],
    }


def _signal(one: Signal) -> JSON:
    return {
        "kind": one.kind,
        "name": one.name,
        "unit": one.unit,
        "now": one.now,
        "objective": one.objective,
        "breached": one.breached,
        "points": [[at, value] for at, value in one.points],
    }


def _time(at: datetime) -> str:
    return at.isoformat()
