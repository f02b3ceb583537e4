"""Sync windows of a project: when an application may be synced, and when only by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from playground.kubernetes.controllers.objects import Object, name_of, spec_of
from playground.schedule import parse

UNITS = {"h": "hours", "m": "minutes", "s": "seconds"}


def matching(project: Object, application: Object) -> list[Object]:
    """Return the windows that an application falls under: by its name, its namespace or its cluster."""
    destination = spec_of(application)["destination"]
    names = {
        "applications": [name_of(application)],
        "namespaces": [destination.get("namespace", "")],
        "clusters": [value for key in ("name", "server") if (value := destination.get(key))],
    }
    found = []
    for window in spec_of(project).get("syncWindows") or []:
        hits = [
            any(fnmatchcase(name, pattern) for pattern in window[kind] for name in values)
            for kind, values in names.items()
            if window.get(kind)
        ]
        if hits and (all(hits) if window.get("andOperator") else any(hits)):
            found.append(window)
    return found


def active(windows: Sequence[Object], now: datetime) -> list[Object]:
    return [window for window in windows if is_active(window, now)]


def is_active(window: Object, now: datetime) -> bool:
    """Raise `ValueError` for a schedule or a duration that cannot be read."""
    local = now.astimezone(_zone(window.get("timeZone", "UTC")))
    start = parse(window["schedule"]).last(local)
    return start is not None and local < start + go_duration(window["duration"])


def may_sync(windows: Sequence[Object], now: datetime, *, by_hand: bool) -> bool:
    """Tell whether the windows let a sync begin now. A closed deny wins; then open allows; then closed allows."""
    if not windows:
        return True
    here = active(windows, now)
    denies = [window for window in here if window["kind"] == "deny"]
    if denies:
        return by_hand and all(window.get("manualSync") for window in denies)
    if any(window["kind"] == "allow" for window in here):
        return True
    closed = [window for window in windows if window["kind"] == "allow"]
    return not closed or (by_hand and all(window.get("manualSync") for window in closed))


def go_duration(text: str) -> timedelta:
    """Read `1h30m`, `45s` or, as Argo CD allows, a bare number of seconds. Raise `ValueError` for anything else."""
    if text.isdecimal():
        return timedelta(seconds=int(text))
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'time: invalid duration "{text}"')
    return sum((timedelta(**{UNITS[unit]: float(number)}) for number, unit in parts), timedelta())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
