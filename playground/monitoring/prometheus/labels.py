"""Labels of series: sorted pairs, so that they can be keys, and what asks for some of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

Labels = tuple[tuple[str, str], ...]
"""Sorted by name; a label without a value is no label."""
NAME = "__name__"
EMPTY: Labels = ()
Word = Callable[[str], bool]
"""Says whether a label's value fits."""


def labelled(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    found = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in found if value))


def value_of(labels: Labels, name: str) -> str:
    for found, value in labels:
        if found == name:
            return value
    return ""


def only(labels: Labels, names: Collection[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] in names)


def without(labels: Labels, names: Collection[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in names)


@lru_cache(maxsize=100_000)
def unnamed(labels: Labels) -> Labels:
    """Drop the metric's name: what has been computed is not that metric any more."""
    return tuple(pair for pair in labels if pair[0] != NAME)


def written(labels: Labels) -> str:
    """Write them as Prometheus does: `up{job="api"}`."""
    inner = ", ".join(f"{name}={quoted(value)}" for name, value in labels if name != NAME)
    name = value_of(labels, NAME)
    return f"{name}{{{inner}}}" if inner or not name else name


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. A label that is not there has the empty value."""

    name: str
    operator: str
    """`=`, `!=`, `=~` or `!~`."""
    value: str

    def word(self) -> Word:
        """Return what decides on a value. Raise `re.error` for an expression that we cannot read."""
        wanted = self.value
        if self.operator == "=":
            return lambda value: value == wanted
        if self.operator == "!=":
            return lambda value: value != wanted
        fits = re.compile(wanted, re.ASCII).fullmatch
        if self.operator == "=~":
            return lambda value: fits(value) is not None
        return lambda value: fits(value) is None
