"""What Alertmanager sends, made ours: bounded, cleaned, never trusted. Pure.

A body that is only odd is read as far as it goes; nothing that one alert holds keeps the others from being told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.alerting.identity import fingerprint_of, key_of
from bot.model.alerts import Severity
from bot.ports import FiringGroup

NAME, VALUE, ANNOTATION = 200, 500, 2_000
"""Longest name, value of a label, and annotation that are kept, in code points."""
MOST_LABELS = 64
MOST_ANNOTATIONS = 24
MOST_ALERTS = 20_000
AHEAD = timedelta(hours=1)
"""A time further ahead of ours than this was written by a clock that is wrong: ours is taken."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

TELLING = (
    *("alertname", "severity", "service", "namespace", "environment", "team", "cluster", "node", "instance"),
    *("job", "pod", "container", "route", "method"),
)
"""Labels that are kept first, and shown first."""

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})")


class Malformed(ValueError):
    """This is no body of Alertmanager's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One alert as somebody told of it."""

    fingerprint: str
    name: str
    severity: Severity
    firing: bool
    starts_at: datetime
    ends_at: datetime | None = None
    """When it ended; None while it fires."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Alerts of one group that were told of together."""

    key: str
    labels: Mapping[str, str]
    receiver: str
    alerts: tuple[Heard, ...]
    left_out: int = 0
    """Further alerts that were not sent."""
    looked_at: datetime | None = None
    """Set where it was read rather than sent: it is how things were at that time, and not how they may have been."""


def read_body(body: str, now: datetime) -> Delivery:
    """Return what a webhook's body (version 4) tells. Raise `Malformed` for one that tells nothing at all."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("alerts"), list):
        raise Malformed("it has no list of alerts")
    labels = cleaned(told.get("groupLabels"), most=MOST_LABELS, value=None)
    common = told.get("commonAnnotations")
    alerts = [_alert(one, common, now) for one in told["alerts"][:MOST_ALERTS] if isinstance(one, dict)]
    left_out = told.get("truncatedAlerts")
    beyond = max(len(told["alerts"]) - MOST_ALERTS, 0)
    return Delivery(
        key=key_of(labels),
        labels={name: _cut(value, VALUE) for name, value in labels.items()},
        receiver=_text(told.get("receiver"), NAME),
        alerts=_once(alerts),
        left_out=beyond + (min(max(left_out, 0), 10**9) if isinstance(left_out, int) else 0),
    )


def read_group(group: FiringGroup, now: datetime) -> Delivery:
    """Return what Alertmanager's API tells of a group, under the same key that its webhook leads to."""
    labels = cleaned(group.labels, most=MOST_LABELS, value=None)
    alerts = []
    for one in group.alerts[:MOST_ALERTS]:
        told = {"labels": one.labels, "annotations": one.annotations, "fingerprint": one.fingerprint}
        heard = replace(_alert(told, None, now), starts_at=_sane(one.starts_at, now))
        alerts.append(replace(heard, silenced=bool(one.silenced_by or one.inhibited_by)))
    return Delivery(
        key=key_of(labels),
        labels={name: _cut(value, VALUE) for name, value in labels.items()},
        receiver=_text(group.receiver, NAME),
        alerts=_once(alerts),
        looked_at=now,
    )


def severity_of(labels: Mapping[str, str]) -> Severity:
    """Return what the label says; a warning where it says something else, or nothing."""
    try:
        return Severity(labels.get("severity", "").strip().lower())
    except ValueError:
        return Severity.WARNING


def cleaned(told: Any, *, most: int, value: int | None = VALUE) -> dict[str, str]:
    """Return names and texts that a database can hold, at most `most`, the telling ones first."""
    if not isinstance(told, Mapping):
        return {}
    names = sorted(told, key=lambda name: (TELLING.index(name) if name in TELLING else len(TELLING), str(name)))
    return {_text(name, NAME): _text(told[name], value) for name in names[:most]}


def _alert(told: Mapping[str, Any], common: Any, now: datetime) -> Heard:
    whole = cleaned(told.get("labels"), most=10_000, value=None)
    labels = {name: _cut(value, VALUE) for name, value in list(whole.items())[:MOST_LABELS]}
    annotations = cleaned(told.get("annotations") or common, most=MOST_ANNOTATIONS, value=ANNOTATION)
    source = told.get("generatorURL")
    if isinstance(source, str) and source:
        annotations.setdefault("source_url", _text(source, ANNOTATION))
    starts_at = _sane(_time(told.get("startsAt")) or now, now)
    ends_at = _time(told.get("endsAt"))
    status = told.get("status")
    firing = status == "firing" if status in ("firing", "resolved") else ends_at is None or ends_at > now
    return Heard(
        fingerprint=fingerprint_of(told.get("fingerprint"), whole),
        name=labels.get("alertname", ""),
        severity=severity_of(labels),
        firing=firing,
        starts_at=starts_at,
        ends_at=None if firing else _ended(ends_at, starts_at, now),
        labels=labels,
        annotations=annotations,
    )


def _ended(told: datetime | None, starts_at: datetime, now: datetime) -> datetime:
    """Return when it ended: not before it began, and not later than now."""
    ended = min(told, now) if told is not None else now
    return ended if ended >= starts_at else now


def _once(alerts: Sequence[Heard]) -> tuple[Heard, ...]:
    """Return each alert once: the one that began last, and of two that began together the one that has ended."""
    chosen: dict[str, Heard] = {}
    for alert in alerts:
        other = chosen.get(alert.fingerprint)
        if other is None or (alert.starts_at, not alert.firing) > (other.starts_at, not other.firing):
            chosen[alert.fingerprint] = alert
    return tuple(chosen.values())


def _sane(at: datetime, now: datetime) -> datetime:
    return at if EARLIEST <= at <= now + AHEAD else now


def _time(told: Any) -> datetime | None:
    """Return a time of RFC 3339, or None for what is none; Alertmanager says year 1 for "not yet"."""
    found = _TIME.fullmatch(told.strip()) if isinstance(told, str) and len(told) < 64 else None
    if found is None:
        return None
    base, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{base}{(fraction or '')[:7]}{zone.replace('Z', '+00:00')}")
        return at.astimezone(UTC) if at.year > 1 else None
    except (ValueError, OverflowError):
        return None


def _text(told: Any, limit: int | None) -> str:
    text = told if isinstance(told, str) else "" if told is None else str(told)[:VALUE]
    safe = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return safe if limit is None else _cut(safe, limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
