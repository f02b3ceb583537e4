"""Alerts as Alertmanager takes and keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

RESOLVE_TIMEOUT = timedelta(minutes=5)
"""How long an alert without an end fires when nobody sends it again."""
NEVER = "0001-01-01T00:00:00Z"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_OFFSET, _PRIME = 14695981039346656037, 1099511628211


class Unfit(ValueError):
    """What was posted cannot be taken; the text is Alertmanager's.

    `code` is that of its schema (602: something is missing), 400 where it could not be read, or 0 for a later refusal.
    """

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


MISSING, EMPTY, WRONG_TYPE, UNREADABLE = 602, 612, 601, 400


@dataclass(frozen=True, slots=True)
class Alert:
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    generator_url: str = ""
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.labels))

    def is_resolved(self, now: datetime) -> bool:
        return self.ends_at <= now

    def merged(self, newer: Alert) -> Alert:
        """Return what both together say. An alert that had ended before begins anew."""
        if self.ends_at < newer.starts_at:
            return newer
        return replace(newer, starts_at=min(self.starts_at, newer.starts_at))


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the hash by which Prometheus and its relatives know a set of labels: FNV-1a, 16 hexadecimal digits."""
    found = _OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode(), 0xFF):
            found = ((found ^ byte) * _PRIME) % 2**64
    return f"{found:016x}"


def posted(told: Any, now: datetime) -> Alert:
    """Read one posted alert. Raise `Unfit` for what Alertmanager refuses."""
    if not isinstance(told, dict):
        raise Unfit('parsing alerts body from "" failed, because json: cannot unmarshal into an alert', UNREADABLE)
    if told.get("labels") is None:
        raise Unfit("labels in body is required", MISSING)
    labels = {name: value for name, value in _texts(told, "labels").items() if value}
    annotations = _texts(told, "annotations")
    starts, ends = _moment(told, "startsAt"), _moment(told, "endsAt")
    alert = Alert(
        labels=labels,
        annotations=annotations,
        starts_at=starts or (min(ends, now) if ends else now),
        ends_at=ends or now + RESOLVE_TIMEOUT,
        updated_at=now,
        generator_url=str(told.get("generatorURL") or ""),
    )
    if alert.ends_at < alert.starts_at:
        raise Unfit("start time must be before end time")
    if not labels:
        raise Unfit("at least one label pair required")
    for kind, texts in (("label", labels), ("annotation", annotations)):
        for name in texts:
            if not _NAME.fullmatch(name):
                raise Unfit(f'invalid {kind} set: invalid name "{name}"')
    return alert


def _texts(told: Mapping[str, Any], name: str) -> dict[str, str]:
    found = told.get(name) or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Unfit(f'parsing body from "" failed, because {name} is no object of texts', UNREADABLE)
    return dict(found)


def _moment(told: Mapping[str, Any], name: str) -> datetime | None:
    text = told.get(name)
    if not text or str(text).startswith("0001-01-01"):
        return None
    return read_moment(str(text), name)


def read_moment(text: str, name: str) -> datetime:
    """Read RFC 3339. Raise `Unfit` for anything else."""
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError as error:
        raise Unfit(f'parsing body from "" failed, because {name} is no time: "{text}"', UNREADABLE) from error
    if moment.tzinfo is None:
        raise Unfit(f'parsing body from "" failed, because {name} is no time: "{text}"', UNREADABLE)
    return moment.astimezone(UTC)


def written(moment: datetime) -> str:
    """Write a moment as Alertmanager does: milliseconds of UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
