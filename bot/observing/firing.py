"""Which alerts fire for a service in an environment: from our book, and from Alertmanager itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.health.verdict import AlertFact
from bot.model.alerts import AlertGroup, Severity
from bot.ports import FiringAlert, FiringGroup
from bot.rendering.delivery import Place


def firing_here(place: Place, known: Sequence[AlertGroup], told: Sequence[FiringGroup]) -> tuple[AlertFact, ...]:
    """Return what fires, each alert once: as our group where there is one, else as Alertmanager tells it.

    `known` may be of other services and environments as well, and `told` is of all.
    """
    groups = [
        one for one in known if one.is_open and (one.service, one.environment) == (place.service, place.environment)
    ]
    names = {alert.name for group in groups for alert in group.alerts}
    alerts = _by_name(alert for group in told for alert in group.alerts if _is_about(alert, place))
    return (*map(_of_group, groups), *(_of_alerts(same) for name, same in alerts.items() if name not in names))


def _of_group(group: AlertGroup) -> AlertFact:
    summary = next((text for alert in group.alerts if (text := alert.annotations.get("summary", ""))), "")
    firing = [one for one in group.alerts if one.ends_at is None] or list(group.alerts)
    return AlertFact(
        title=group.title,
        severity=group.severity,
        since=group.started_at,
        summary=summary,
        group=group.id,
        silenced=bool(firing) and all(one.silenced for one in firing),
    )


def _of_alerts(alerts: Sequence[FiringAlert]) -> AlertFact:
    ranked = sorted(alerts, key=lambda one: (list(Severity).index(severity_of(one)), one.starts_at, one.fingerprint))
    first = ranked[0]
    return AlertFact(
        title=first.labels.get("alertname", "") or "an alert without a name",
        severity=severity_of(first),
        since=min(one.starts_at for one in alerts),
        summary=first.annotations.get("summary", ""),
        silenced=all(one.silenced_by for one in alerts),
    )


def severity_of(alert: FiringAlert) -> Severity:
    """Return it; a label that says nothing we know counts as a warning."""
    told = alert.labels.get("severity", "").lower()
    return Severity(told) if told in list(Severity) else Severity.WARNING


def _by_name(alerts: Iterable[FiringAlert]) -> dict[str, list[FiringAlert]]:
    found: dict[str, list[FiringAlert]] = {}
    for one in alerts:
        found.setdefault(one.labels.get("alertname", ""), []).append(one)
    return found


def _is_about(alert: FiringAlert, place: Place) -> bool:
    """Return whether an alert is about the service here. One that names no environment is about each."""
    if alert.labels.get("service", "") != place.service:
        return False
    return all(_agrees(alert, place))


def _agrees(alert: FiringAlert, place: Place) -> Iterator[bool]:
    environment, namespace = alert.labels.get("environment", ""), alert.labels.get("namespace", "")
    if environment:
        yield environment == place.environment
    elif namespace:
        yield namespace == place.namespace
