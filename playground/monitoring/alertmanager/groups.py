"""Alerts that are told together, and what a receiver has been told of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from playground.monitoring.alertmanager.alerts import NEVER, Alert, written

GROUP_BY = ("alertname", "service", "environment")
RECEIVER = "causeway"
GROUP_WAIT = timedelta(milliseconds=50)
GROUP_INTERVAL = timedelta(milliseconds=250)
REPEAT_INTERVAL = timedelta(hours=4)

_CONFIGURATION = f"""route:
  receiver: {RECEIVER}
  group_by: [{", ".join(GROUP_BY)}]
  group_wait: 50ms
  group_interval: 250ms
  repeat_interval: 4h
receivers:
- name: {RECEIVER}
  webhook_configs:
"""
_WEBHOOK = """  - send_resolved: true
    http_config:
      authorization:
        type: Bearer
        credentials: <secret>
      follow_redirects: true
    url: {url}
    max_alerts: 0
"""


def configuration(urls: Iterable[str]) -> str:
    """Return what it tells of its configuration: secrets are hidden, as the real one hides them."""
    return _CONFIGURATION + "".join(_WEBHOOK.format(url=url) for url in urls)


@dataclass(frozen=True, slots=True)
class Told:
    """What one receiver knows of a group."""

    firing: frozenset[str]
    resolved: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    labels: Mapping[str, str]
    alerts: tuple[Alert, ...]

    @property
    def key(self) -> str:
        return "{}:{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(self.labels.items())) + "}"


def grouped(alerts: Iterable[Alert]) -> list[Group]:
    """Return the groups in the order of their labels."""
    found: dict[tuple[tuple[str, str], ...], list[Alert]] = {}
    for alert in alerts:
        labels = tuple((name, alert.labels[name]) for name in GROUP_BY if name in alert.labels)
        found.setdefault(labels, []).append(alert)
    return [
        Group(dict(labels), tuple(sorted(found[labels], key=lambda alert: sorted(alert.labels.items()))))
        for labels in sorted(found)
    ]


def split(alerts: Sequence[Alert], now: datetime) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fingerprints of those that fire and of those that have ended."""
    ended = frozenset(alert.fingerprint for alert in alerts if alert.is_resolved(now))
    return frozenset(alert.fingerprint for alert in alerts) - ended, ended


def is_news(told: Told | None, firing: frozenset[str], resolved: frozenset[str], now: datetime) -> bool:
    """Say whether a receiver has to hear of a group, by what it was told last."""
    if told is None:
        return bool(firing)
    if not firing <= told.firing:
        return True
    if not firing:
        return bool(told.firing)
    return not resolved <= told.resolved or told.at <= now - REPEAT_INTERVAL


def webhook(group: Group, alerts: Sequence[Alert], external_url: str, now: datetime) -> dict[str, Any]:
    """Return the body that a webhook gets, version 4. `alerts` are the group's that are not silenced."""
    firing, _ = split(alerts, now)
    return {
        "receiver": RECEIVER,
        "status": "firing" if firing else "resolved",
        "alerts": [_alert(alert, now) for alert in alerts],
        "groupLabels": dict(group.labels),
        "commonLabels": common([alert.labels for alert in alerts]),
        "commonAnnotations": common([alert.annotations for alert in alerts]),
        "externalURL": external_url,
        "version": "4",
        "groupKey": group.key,
        "truncatedAlerts": 0,
    }


def _alert(alert: Alert, now: datetime) -> dict[str, Any]:
    resolved = alert.is_resolved(now)
    return {
        "status": "resolved" if resolved else "firing",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": written(alert.starts_at),
        "endsAt": written(alert.ends_at) if resolved else NEVER,
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def common(all_texts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what stands in all of them alike."""
    if not all_texts:
        return {}
    first, *others = all_texts
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
