"""Alertmanager's words in, ours out, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.ports import FiringAlert, FiringGroup, Matcher, Silence
from integrations.reading import clean, texts
from integrations.reading.times import moment, written

_STATES: dict[str, Literal["active", "pending", "expired"]] = {
    "active": "active",
    "pending": "pending",
    "expired": "expired",
}


def group(found: Any) -> FiringGroup:
    """Raise `ValueError`, `KeyError` or `TypeError` for what is none, as all here."""
    return FiringGroup(
        labels=texts(found["labels"]),
        receiver=clean(str(found["receiver"]["name"])),
        alerts=tuple(_alert(one) for one in found["alerts"]),
    )


def _alert(found: Any) -> FiringAlert:
    status = found.get("status") or {}
    return FiringAlert(
        fingerprint=clean(str(found["fingerprint"])),
        labels=texts(found["labels"]),
        annotations=texts(found.get("annotations") or {}),
        starts_at=moment(found["startsAt"]),
        silenced_by=_ids(status.get("silencedBy")),
        inhibited_by=_ids(status.get("inhibitedBy")),
    )


def _ids(found: Any) -> tuple[str, ...]:
    return tuple(clean(str(one)) for one in found or ())


def silence(found: Any) -> Silence:
    return Silence(
        id=clean(str(found["id"])),
        matchers=tuple(_matcher(one) for one in found["matchers"]),
        starts_at=moment(found["startsAt"]),
        ends_at=moment(found["endsAt"]),
        by=clean(str(found.get("createdBy") or "")),
        comment=clean(str(found.get("comment") or "")),
        state=_STATES[found["status"]["state"]],
        labels=texts(found.get("annotations") or {}),
    )


def _matcher(found: Any) -> Matcher:
    return Matcher(
        clean(str(found["name"])),
        clean(str(found["value"])),
        is_regex=found.get("isRegex") is True,
        is_equal=found.get("isEqual", True) is not False,
    )


def posted(silence: Silence) -> Mapping[str, Any]:
    """Return the body that makes it, or changes the one that has its id."""
    matchers = [
        {"name": one.name, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal}
        for one in silence.matchers
    ]
    return {
        **({"id": silence.id} if silence.id else {}),
        "matchers": matchers,
        "startsAt": written(silence.starts_at),
        "endsAt": written(silence.ends_at),
        "createdBy": silence.by,
        "comment": silence.comment,
    }
