"""Sync windows: what Argo CD says of them, and the same from an AppProject resource, at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from bot.ports import Application, SyncWindows
from integrations.argocd.cron import last_start

Document = Mapping[str, Any]
LONGEST = timedelta(days=31)
"""A window is looked for so far back."""


@dataclass(frozen=True, slots=True)
class Window:
    kind: str
    """`allow` or `deny`."""
    schedule: str
    duration: str
    by_hand: bool
    zone: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.schedule} for {self.duration}"

    def is_open(self, now: datetime) -> bool:
        """Return whether it covers `now`. One that cannot be read covers nothing, as Argo CD refuses it anyway."""
        lasts = _duration(self.duration)
        try:
            local = now.astimezone(ZoneInfo(self.zone or "UTC"))
            began = last_start(self.schedule, local, within=min(lasts, LONGEST))
        except (ValueError, OSError, KeyError):
            return False
        return began is not None and local - began < lasts


def of_answer(document: Document) -> SyncWindows:
    """Read the answer of `/syncwindows`. It tells no time zones, but which windows are open."""
    assigned = [_window(one) for one in document.get("assignedWindows") or ()]
    active = [_window(one) for one in document.get("activeWindows") or ()]
    found = decided(assigned, active)
    return SyncWindows(found.may_sync, document.get("canSync") is True, found.told)


def of_project(project: Document, application: Application, now: datetime) -> SyncWindows:
    """Judge an AppProject's windows as Argo CD does."""
    declared = (project.get("spec") or {}).get("syncWindows") or ()
    assigned = [_window(one) for one in declared if _concerns(one, application)]
    return decided(assigned, [one for one in assigned if one.is_open(now)])


def decided(assigned: Sequence[Window], active: Sequence[Window]) -> SyncWindows:
    """An open deny wins; then an open allow; then an allow that is closed. With `manualSync` a person may."""
    denies = [one for one in active if one.kind == "deny"]
    if denies:
        return SyncWindows(may_sync=False, may_sync_by_hand=all(one.by_hand for one in denies), told=str(denies[0]))
    allows = [one for one in active if one.kind == "allow"]
    if allows:
        return SyncWindows(may_sync=True, may_sync_by_hand=True, told=str(allows[0]))
    closed = [one for one in assigned if one.kind == "allow"]
    if closed:
        by_hand = all(one.by_hand for one in closed)
        return SyncWindows(may_sync=False, may_sync_by_hand=by_hand, told=str(closed[0]))
    return SyncWindows(may_sync=True, may_sync_by_hand=True)


def in_words(windows: SyncWindows) -> str:
    """Say what keeps a sync from happening: `the sync window deny 0 18 * * 5 for 60h is open`."""
    if not windows.told:
        return "a sync window is closed"
    kind = windows.told.partition(" ")[0]
    return f"the sync window `{windows.told}` {'is open' if kind == 'deny' else 'is not open now'}"


def _window(document: Document) -> Window:
    return Window(
        kind=str(document.get("kind") or ""),
        schedule=str(document.get("schedule") or ""),
        duration=str(document.get("duration") or ""),
        by_hand=document.get("manualSync") is True,
        zone=str(document.get("timeZone") or ""),
    )


def _concerns(window: Document, application: Application) -> bool:
    """Return whether it names the application, its namespace or its cluster; all that it names with `andOperator`."""
    named = (
        ("applications", application.name),
        ("namespaces", application.namespace),
        ("clusters", application.server),
    )
    hits = [_any_fits(window[key], name) for key, name in named if window.get(key)]
    return bool(hits) and (all(hits) if window.get("andOperator") is True else any(hits))


def _any_fits(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def _duration(text: str) -> timedelta:
    """Read Go's way to write one: `1h30m`, `60h`; no time for what is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    if "".join(number + unit for number, unit in parts) != text:
        return timedelta()
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def utc_now() -> datetime:
    return datetime.now(UTC)
