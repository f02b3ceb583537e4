"""Failures on request: what `/sim/faults` orders for calls that match a route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.kubernetes.status import ApiError

KEYS = frozenset(
    {"route", "times", "skip", "status", "message", "retry_after", "delay_ms", "drop", "truncate", "events"}
)
REASONS = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden"),
    404: ("NotFound", "the server could not find the requested resource"),
    409: ("Conflict", "the server reported a conflict"),
    410: ("Expired", "too old resource version"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "an error on the server has prevented the request from succeeding"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "the server was unable to return a response in the time allotted"),
}


@dataclass(slots=True)
class Fault:
    """The next `times` matching calls after the first `skip` ones fail as said.

    `status`: answered without doing the work. `delay_ms`: answered later. `drop`: connection cut `before` the work, or
    `after` it. `truncate`: half of the answer. `events`: a watch is cut after so many events.
    """

    route: str
    times: int = 1
    skip: int = 0
    status: int = 0
    message: str = ""
    retry_after: int = 0
    delay_ms: int = 0
    drop: str = ""
    truncate: bool = False
    events: int | None = None

    def __post_init__(self) -> None:
        if self.drop not in {"", "before", "after"}:
            raise ValueError("`drop` is `before` or `after`")
        if self.status and not 400 <= self.status < 600:
            raise ValueError("`status` is an error status, 400 to 599")
        if self.events is not None and self.events < 0:
            raise ValueError("`events` is how many events a watch tells before it is cut")

    def matches(self, method: str, path: str) -> bool:
        """A route is `METHOD /path/{anything}` (the whole path) or a piece of a path; `WATCH` is a GET that watches."""
        wanted, _, pattern = self.route.rpartition(" ")
        if wanted and wanted.upper() != method and not (wanted.upper() == "GET" and method == "WATCH"):
            return False
        if self.events is not None and method != "WATCH":
            return False
        return route_matches(pattern, path, whole=bool(wanted) and pattern.startswith("/"))

    def refusal(self) -> ApiError | None:
        """Return the answer that takes the place of the work, if there is one."""
        if not self.status:
            return None
        reason, text = REASONS.get(self.status, ("", "the server said no"))
        details = {"retryAfterSeconds": self.retry_after} if self.retry_after else {}
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return ApiError(self.status, reason, self.message or text, details, headers)


def route_matches(pattern: str, path: str, *, whole: bool) -> bool:
    expression = "".join(
        "[^/]+" if part.startswith("{") else ".*" if part == "*" else re.escape(part)
        for part in re.split(r"(\{[^}]*\}|\*)", pattern)
    )
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
