"""Prometheus' HTTP API: how its parameters are read, and what its answers and errors look like."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.monitoring.prometheus.labels import Labels
from playground.monitoring.prometheus.promql.numbers import told

POINTS = 11_000
"""The most points of one series in one answer."""
STATUSES = {"bad_data": 400, "execution": 422, "not_found": 404, "internal": 500, "unavailable": 503, "timeout": 503}
ERRORS = {400: "bad_data", 404: "not_found", 422: "execution", 500: "internal", 503: "unavailable"}
UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?",
)


class Refusal(Exception):
    """What the API answers instead. The text is the one of Prometheus."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def bad_parameter(name: str, text: str) -> Refusal:
    return Refusal("bad_data", f'invalid parameter "{name}": {text}')


def moment(given: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    """Read a time: seconds since 1970, or RFC 3339. Return milliseconds."""
    text = given.get(name, "")
    if not text and otherwise is not None:
        return otherwise
    try:
        return _milliseconds(float(text))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or len(text) < len("2026-01-01T00:00:00Z"):
        raise bad_parameter(name, f'cannot parse "{text}" to a valid timestamp')
    return round(found.timestamp() * 1000)


def _milliseconds(seconds: float) -> int:
    if math.isnan(seconds) or abs(seconds) > 2**53:
        raise ValueError("no time")
    return round(seconds * 1000)


def duration(given: Mapping[str, str], name: str) -> int:
    """Read seconds or `1h30m`. Return milliseconds."""
    text = given.get(name, "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and abs(seconds) < 2**53:
        return round(seconds * 1000)
    match = DURATION.fullmatch(text) if text and math.isnan(seconds) else None
    if match is None:
        raise bad_parameter(name, f'cannot parse "{text}" to a valid duration')
    units = ("y", "w", "d", "h", "m", "s", "ms")
    return sum(int(part) * UNITS_MS[unit] for part, unit in zip(match.groups(), units, strict=True) if part)


def steps(given: Mapping[str, str]) -> range:
    """Read start, end and step of a range query."""
    begin, end = moment(given, "start"), moment(given, "end")
    if end < begin:
        raise bad_parameter("end", "end timestamp must not be before start time")
    step = duration(given, "step")
    if step <= 0:
        text = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise bad_parameter("step", text)
    if (end - begin) / step > POINTS:
        text = "exceeded maximum resolution of 11,000 points per timeseries."
        raise Refusal("bad_data", f"{text} Try decreasing the query resolution (?step=XX)")
    return range(begin, end + 1, step)


def seconds(time: int) -> float | int:
    return time // 1000 if time % 1000 == 0 else time / 1000


def point(time: int, value: float) -> list[Any]:
    return [seconds(time), told(value)]


def named(labels: Labels) -> dict[str, str]:
    return dict(labels)


def stamp(time: int | None) -> str:
    """Write a time as RFC 3339; never is the year 1."""
    if time is None:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def success(data: object, warnings: Sequence[str] = ()) -> web.Response:
    body: dict[str, Any] = {"status": "success", "data": data}
    if warnings:
        body["warnings"] = list(warnings)
    return web.Response(text=json.dumps(body, separators=(",", ":")), content_type="application/json")


def failure(kind: str, text: str, status: int | None = None) -> web.Response:
    body = {"status": "error", "errorType": kind, "error": text}
    return web.json_response(body, status=status or STATUSES.get(kind, 500))
