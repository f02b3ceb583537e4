"""Reads what a server has answered: whatever is not of the expected shape is as good as missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.health.facts import Condition

_MAPPING = (dict, Mapping)
"""The plain dictionary first: an abstract class takes ten times as long to ask, and each change of a pod asks often."""


def map_at(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the map at a path; an empty one where there is none."""
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, _MAPPING) else None
    return found if isinstance(found, _MAPPING) else {}


def maps_in(value: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return the maps in a list."""
    found = value.get(key)
    return [one for one in found if isinstance(one, _MAPPING)] if isinstance(found, list | tuple) else []


def text_of(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def number_of(value: Mapping[str, Any], key: str, default: int = 0) -> int:
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def conditions_of(status: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(text_of(one, "type"), text_of(one, "status"), text_of(one, "reason"), text_of(one, "message"))
        for one in maps_in(status, "conditions")
    )
