"""Failures on request: what `/sim/faults` orders for calls that match a route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEYS = frozenset(
    {"route", "times", "skip", "status", "message", "limit", "retry_after", "delay_ms", "drop", "truncate"}
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """The next `times` matching calls after the first `skip` ones fail as said.

    `status`: answered without doing the work. `limit`: `primary` or `secondary`, GitHub's two rate limits.
    `delay_ms`: answered later. `drop`: connection cut `before` the work, or `after` it. `truncate`: half of the answer.
    """

    route: str
    times: int = 1
    skip: int = 0
    status: int = 0
    message: str = ""
    limit: str = ""
    retry_after: int = 0
    delay_ms: int = 0
    drop: str = ""
    truncate: bool = False

    def __post_init__(self) -> None:
        if self.drop not in {"", "before", "after"}:
            raise ValueError("`drop` is `before` or `after`")
        if self.limit not in {"", "primary", "secondary"}:
            raise ValueError("`limit` is `primary` or `secondary`")
        if self.status and not 400 <= self.status < 600:
            raise ValueError("`status` is an error status, 400 to 599")

    def matches(self, method: str, path: str) -> bool:
        """A route is `METHOD /path/{anything}` (the whole path) or a piece of a path."""
        wanted, _, pattern = self.route.rpartition(" ")
        pattern = pattern.removeprefix("/api/v3")  # as `/sim/log` shows it; calls are matched without the base
        if wanted and wanted.upper() != method:
            return False
        expression = "".join(
            "[^/]+" if part.startswith("{") else ".*" if part == "*" else re.escape(part)
            for part in re.split(r"(\{[^}]*\}|\*)", pattern)
        )
        whole = bool(wanted) and pattern.startswith("/")
        return bool(re.fullmatch(expression, path) if whole else re.search(expression, path))


class Faults:
    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, given: Mapping[str, Any]) -> Fault:
        """Raise `ValueError` when the order cannot be understood."""
        unknown = set(given) - KEYS
        if unknown or not isinstance(given.get("route"), str):
            raise ValueError(f"a fault needs `route` and knows {', '.join(sorted(KEYS))}")
        fault = Fault(**{name: value for name, value in given.items() if value is not None})
        self._ordered.append(fault)
        return fault

    def clear(self) -> None:
        self._ordered.clear()

    @property
    def ordered(self) -> list[Fault]:
        return list(self._ordered)

    def next_for(self, method: str, path: str) -> Fault | None:
        """Return the fault that this call meets, and count it."""
        for fault in self._ordered:
            if not fault.matches(method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._ordered.remove(fault)
            return fault
        return None
