"""Facts of a service that is well, and what can be wrong with each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.health.facts import Condition, Container, Pod, StuckFacts, Termination, Workload
from bot.health.verdict import AlertFact, Burn, HealthFacts, Reading, Signal, Signals
from bot.health.verdict.signals import measured
from bot.model.alerts import Severity
from bot.model.release import Deployed, Release, Version
from tests.fakes.deployments import application

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AT = NOW.timestamp()
SERVICE, ENVIRONMENT = "orders-api", "production"
COMMIT = "3f2a1bc0123456789abcdef0123456789abcdef0"


def course(*values: float, end: float = AT, step: float = 60.0) -> tuple[tuple[float, float], ...]:
    """Return points that end at `end`."""
    first = end - step * (len(values) - 1)
    return tuple((first + step * number, value) for number, value in enumerate(values))


def traffic(*values: float, end: float = AT) -> Signal:
    return measured("traffic", "requests", "req/s", course(*values, end=end), at=AT)


def errors(*values: float, objective: float | None = None) -> Signal:
    return measured("errors", "failing requests", "ratio", course(*values), at=AT, objective=objective)


def latency(*values: float, objective: float | None = None) -> Signal:
    return measured("latency", "latency (p99)", "s", course(*values), at=AT, objective=objective)


def memory(*values: float) -> Signal:
    return measured("saturation", "memory", "ratio", course(*values), at=AT, objective=0.95)


def signals(*every: Signal, problems: tuple[str, ...] = ()) -> Reading[Signals]:
    return Reading(Signals(signals=every, problems=problems), at=NOW)


WELL = signals(traffic(12.0), errors(0.0, objective=0.001), latency(0.1, objective=0.3), memory(0.5))


def deployment(wanted: int = 3, available: int = 3, **fields: Any) -> Workload:
    usual: dict[str, Any] = {
        "kind": "Deployment",
        "name": SERVICE,
        "uid": "d1",
        "replicas": wanted,
        "current_replicas": wanted,
        "updated_replicas": wanted,
        "ready_replicas": available,
        "available_replicas": available,
    }
    return Workload(**(usual | fields))


def pod(name: str = "orders-api-1", *, ready: bool = True, age: timedelta = timedelta(hours=1), **fields: Any) -> Pod:
    return Pod(name=name, owner="d1", phase="Running", ready=ready, created_at=NOW - age, **fields)


CRASHING = Container(
    name=SERVICE, waiting="CrashLoopBackOff", restarts=4, last=Termination(exit_code=1, reason="Error", lasted_s=2.0)
)


def crashing(name: str = "orders-api-1") -> Pod:
    return pod(name, ready=False, containers=(CRASHING,))


def cluster(*workloads: Workload, pods: tuple[Pod, ...] = (), **fields: Any) -> Reading[StuckFacts]:
    seen = StuckFacts(
        service=SERVICE,
        environment=ENVIRONMENT,
        namespace=f"{SERVICE}-{ENVIRONMENT}",
        delivered_by=f"{SERVICE}-{ENVIRONMENT}",
        workloads=workloads,
        pods=pods,
        **fields,
    )
    return Reading(seen, at=NOW)


def argocd(**fields: Any) -> Reading[Any]:
    return Reading(application(f"{SERVICE}-{ENVIRONMENT}", **fields), at=NOW)


def release(**fields: Any) -> Reading[Release]:
    version = Version(name="v1.4.2", commit=COMMIT, image=f"ghcr.io/acme/orders-api:{COMMIT}")
    current = Deployed(version=version, at=NOW - timedelta(hours=2), by="user:default/author", operation="op-1")
    told: dict[str, Any] = {"current": current} | fields
    return Reading(
        Release(service=SERVICE, environment=ENVIRONMENT, team="team-orders", repository="acme/orders-api", **told),
        at=NOW,
    )


def alert(title: str = "HighLatency", severity: Severity = Severity.WARNING, **fields: Any) -> AlertFact:
    told: dict[str, Any] = {"title": title, "severity": severity, "since": NOW - timedelta(minutes=5)}
    return AlertFact(**(told | fields))


def alerts(*every: AlertFact) -> Reading[tuple[AlertFact, ...]]:
    return Reading(every, at=NOW)


def burns(long: float, short: float) -> Reading[tuple[Burn, ...]]:
    return Reading((Burn(kind="availability", long=long, short=short, over_s=3600, threshold=14.4),), at=NOW)


def deadline_missed() -> tuple[Condition, ...]:
    return (Condition(type="Progressing", status="False", reason="ProgressDeadlineExceeded"),)


def facts(**fields: Any) -> HealthFacts:
    """Return facts of a service that is well, but for what is told otherwise."""
    usual: Mapping[str, Any] = {
        "service": SERVICE,
        "environment": ENVIRONMENT,
        "now": NOW,
        "application": argocd(),
        "cluster": cluster(deployment(), pods=(pod(),)),
        "release": release(),
        "signals": WELL,
        "burns": burns(0.0, 0.0),
        "alerts": alerts(),
    }
    return HealthFacts(**{**usual, **fields})


def unread(who: str) -> Reading[Any]:
    return Reading(problem=f"{who} has not answered yet.")


def of(service: str, known: HealthFacts) -> HealthFacts:
    return replace(known, service=service)
