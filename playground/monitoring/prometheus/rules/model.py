"""Rules and groups of them, as PrometheusRule objects and files have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground.monitoring.prometheus.answers import DURATION, UNITS_MS
from playground.monitoring.prometheus.labels import Labels, labelled
from playground.monitoring.prometheus.promql.compiling import parsed

INTERVAL_MS = 15_000
"""How often a group is evaluated that does not say."""
RECORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    expr: str
    records: bool
    """Its result becomes a series; otherwise it is an alert."""
    labels: Labels = ()
    annotations: Labels = ()
    hold: int = 0
    """Milliseconds that it must hold before it fires."""
    keep: int = 0
    """Milliseconds that it goes on firing afterwards."""


@dataclass(frozen=True, slots=True)
class Group:
    file: str
    """Where it is from."""
    name: str
    rules: tuple[Rule, ...]
    interval: int = INTERVAL_MS


def milliseconds(text: str) -> int:
    """Read `1h30m`. Raise `ValueError` for anything else."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a valid duration string: {text!r}")
    units = ("y", "w", "d", "h", "m", "s", "ms")
    return sum(int(part) * UNITS_MS[unit] for part, unit in zip(match.groups(), units, strict=True) if part)


def groups_of(file: str, spec: Mapping[str, Any]) -> Iterator[Group]:
    """Read what stands under `groups`. Raise `ValueError` or `BadQuery` for what Prometheus would not load."""
    for told in spec.get("groups") or ():
        rules = tuple(_rule(rule, told.get("labels") or {}) for rule in told.get("rules") or ())
        interval = milliseconds(str(told["interval"])) if told.get("interval") else INTERVAL_MS
        yield Group(file, str(told["name"]), rules, interval or INTERVAL_MS)


def _rule(told: Mapping[str, Any], common: Mapping[str, Any]) -> Rule:
    records = bool(told.get("record"))
    if records == bool(told.get("alert")):
        raise ValueError("a rule has either `record` or `alert`")
    name, expr = str(told.get("record") or told["alert"]), str(told["expr"])
    if records and not RECORD.fullmatch(name):
        raise ValueError(f"invalid recording rule name: {name}")
    parsed(expr)
    return Rule(
        name=name,
        expr=expr,
        records=records,
        labels=_texts({**common, **(told.get("labels") or {})}),
        annotations=_texts(told.get("annotations") or {}),
        hold=milliseconds(str(told.get("for") or "0s")),
        keep=milliseconds(str(told.get("keep_firing_for") or "0s")),
    )


def _texts(told: Mapping[str, Any]) -> Labels:
    return labelled({str(name): str(value) for name, value in told.items()})
