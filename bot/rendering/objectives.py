"""Objectives as rules of Prometheus: recorded shares of bad requests, and alerts on how quickly the error budget goes.

Windows and factors are those of the Google SRE Workbook, "Alerting on SLOs": multiwindow, multi-burn-rate alerts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.model.duration import format_duration
from bot.model.objectives import Objective
from bot.queries import Queries
from bot.queries.quoting import number, text

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAST_BAD = 5
"""Bad requests in the long window below which nobody is told: of ten requests in a night, one is no trend."""
SLOW_INTERVAL = "2m"
"""How often shares over a day and longer are recorded: they move slowly, and cost much to add up."""


@dataclass(frozen=True, slots=True)
class Burn:
    """The budget goes `factor` times as quickly as it may, over a long window and, still, over a short one."""

    factor: Decimal
    long: timedelta
    short: timedelta


FAST = (Burn(Decimal("14.4"), HOUR, timedelta(minutes=5)), Burn(Decimal(6), 6 * HOUR, timedelta(minutes=30)))
"""Somebody is called."""
SLOW = (Burn(Decimal(3), DAY, 2 * HOUR), Burn(Decimal(1), 3 * DAY, 6 * HOUR))
"""It can wait for the working day."""


@dataclass(frozen=True, slots=True)
class _Words:
    fast: str
    slow: str
    told: str
    """What happens to the share of requests that is told."""


_WORDS = {
    "availability": _Words("ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "fail"),
    "latency": _Words("LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly", "take longer than {below}"),
}


def rule_groups(
    objectives: Sequence[Objective], known: Mapping[str, Any], queries: Queries
) -> list[dict[str, Any]] | None:
    """Return the groups of rules for the objectives of one service in one environment; None where it has none."""
    recorded = [rule for objective in objectives for rule in _recorded(objective, known, queries)]
    if not recorded:
        return None
    name = known["name"]
    quick = [rule for window, rule in recorded if window < DAY]
    slow = [rule for window, rule in recorded if window >= DAY]
    told = [alert for objective in objectives for alert in _alerts(objective, known)]
    groups: list[dict[str, Any]] = [{"name": f"{name}-slo", "rules": [*quick, *told]}]
    if slow:
        groups.insert(0, {"name": f"{name}-slo-slow", "interval": SLOW_INTERVAL, "rules": slow})
    return groups


def burns(objective: Objective, of: Sequence[Burn]) -> tuple[Burn, ...]:
    """Return those that an objective can meet: more than all requests cannot be bad, and no window is longer than its
    own."""
    return tuple(one for one in of if one.factor * objective.budget < 1 and one.long <= objective.window)


def _recorded(
    objective: Objective, known: Mapping[str, Any], queries: Queries
) -> Iterator[tuple[timedelta, dict[str, Any]]]:
    """Yield window and rule: the share of bad requests over each window, and how many came over each long one."""
    found = burns(objective, (*FAST, *SLOW))
    where = {"namespace": known["namespace"], "service": known["name"]}
    labels = where | {"environment": known["environment"]["name"], "slo": objective.kind}
    longs = {burn.long for burn in found}
    for window in sorted(longs | {burn.short for burn in found}):
        span = format_duration(window)
        share = bad_share(objective, queries, window=window, **where)
        yield window, {"record": f"slo:sli_error:ratio_rate{span}", "expr": share, "labels": labels}
        if window in longs:
            rate = queries.text("request_rate", **where, range=window)
            yield window, {"record": f"slo:requests:rate{span}", "expr": rate, "labels": labels}


def bad_share(objective: Objective, queries: Queries, *, namespace: str, service: str, window: timedelta) -> str:
    """Return the query for the share of requests that break the objective: nothing at all where nobody asked."""
    if objective.kind == "availability":
        return queries.text("error_ratio", namespace=namespace, service=service, range=window)
    share = queries.text("latency_share", namespace=namespace, service=service, range=window, below_s=objective.below_s)
    return f"1 - (\n{share}\n)"


def _alerts(objective: Objective, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    words = _WORDS[objective.kind]
    fast, slow = burns(objective, FAST), burns(objective, SLOW)
    urgent, patient = (_any(of, objective, known) for of in (fast, slow))
    if fast:
        yield _alert(words.fast, urgent, objective, fast, known, urgent=True)
    if slow:  # who is called already need not be told again that it can wait
        rest = f"(\n{patient}\n)\nunless\n(\n{urgent}\n)" if fast else patient
        yield _alert(words.slow, rest, objective, slow, known, urgent=False)


def _alert(
    name: str, expr: str, objective: Objective, of: Sequence[Burn], known: Mapping[str, Any], *, urgent: bool
) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": "2m" if urgent else "15m",
        "labels": labels_of(known, "critical" if urgent else "warning") | {"slo": objective.kind},
        "annotations": {
            "summary": _summary(objective, known, urgent=urgent),
            "description": _description(objective, of),
            **known["alert_links"],
        },
    }


def _any(of: Sequence[Burn], objective: Objective, known: Mapping[str, Any]) -> str:
    return "\nor\n".join(_expression(burn, objective, known) for burn in of)


def _expression(burn: Burn, objective: Objective, known: Mapping[str, Any]) -> str:
    where = f"{{namespace={text(known['namespace'])}, service={text(known['name'])}, slo={text(objective.kind)}}}"
    long, short = format_duration(burn.long), format_duration(burn.short)
    share, requests = f"slo:sli_error:ratio_rate{long}{where}", f"slo:requests:rate{long}{where}"
    limit, seconds = number(burn.factor * objective.budget), number(burn.long.total_seconds())
    return (
        "(\n"
        f"  {share} > {limit}\n"
        f"  and slo:sli_error:ratio_rate{short}{where} > {limit}\n"
        f"  and {share} * {requests} * {seconds} >= {LEAST_BAD}\n"
        ")"
    )


def labels_of(known: Mapping[str, Any], severity: str) -> dict[str, str]:
    """Return what every alert of ours carries: by these it finds its service, its team and its urgency."""
    return {
        "severity": severity,
        "service": known["name"],
        "environment": known["environment"]["name"],
        "team": known["labels"]["causeway.io/team"],
    }


def _summary(objective: Objective, known: Mapping[str, Any], *, urgent: bool) -> str:
    where = f"{known['name']} in {known['environment']['name']}"
    bad = "fails" if objective.kind == "availability" else "is too slow for"
    return f"{where} {bad} {'far ' if urgent else ''}more requests than it promises"


def _description(objective: Objective, of: Sequence[Burn]) -> str:
    """Return the sentences with the numbers; the first is filled in by Prometheus."""
    bad = _WORDS[objective.kind].told.format(below=spoken_seconds(objective.below_s or 0))
    target, budget = (f"{number(share * 100)} %" for share in (objective.target, objective.budget))
    limits = " or ".join(f"{_times(burn.factor)} over {format_duration(burn.long)}" for burn in of)
    told = (
        f"{{{{ $value | humanizePercentage }}}} of the requests {bad}. The promise is {target} good ones in "
        f"{format_duration(objective.window)}, so {budget} may be bad; this fires at {limits}."
    )
    if objective.asked_s is not None and objective.asked_s != objective.below_s:
        told += f" The document says {spoken_seconds(objective.asked_s)}; no bucket ends there, so the next one counts."
    return told


def _times(factor: Decimal) -> str:
    return "that much" if factor == 1 else f"{number(factor)} times that"


def spoken_seconds(seconds: float) -> str:
    """0.3 → `300ms`, 1.5 → `1.5s`."""
    return f"{number(Decimal(str(seconds)) * 1000)}ms" if seconds < 1 else f"{number(seconds)}s"
