"""Bodies of answers: read in parts, never beyond a limit, and then as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bot.errors import TooMuch
from integrations.reading.errors import no_result


class Body:
    """Collects the parts of one answer. What is larger than its limits is given up before it is here."""

    def __init__(self, system: str, *, most_bytes: int, mark: bytes = b"", most_marks: int = 0) -> None:
        """With a `mark` it is counted as well how often that stands in the body, such as once in each series."""
        self._system = system
        self._most_bytes = most_bytes
        self._mark = mark
        self._most_marks = most_marks
        self._parts: list[bytes] = []
        self._size = 0
        self._marks = 0
        self._end = b""

    def add(self, part: bytes) -> None:
        """Raise `TooMuch` where it grows beyond its limits."""
        self._size += len(part)
        if self._size > self._most_bytes:
            raise too_much(self._system, f"{self._most_bytes // 1024} KiB")
        if self._mark:
            seen = self._end + part
            self._marks += seen.count(self._mark)
            self._end = seen[-(len(self._mark) - 1) :]
            if self._marks > self._most_marks:
                raise too_much(self._system, f"{self._most_marks} series")
        self._parts.append(part)

    def whole(self, parts: Iterable[bytes] = ()) -> bytes:
        for part in parts:
            self.add(part)
        return b"".join(self._parts)


def too_much(system: str, limit: str) -> TooMuch:
    return TooMuch(f"{system} has more to answer than we read ({limit}).", hint="Ask for less, or of a shorter time.")


def document(system: str, body: bytes) -> Any:
    """Return the JSON. Raise `UpstreamUnavailable` for what is none: HTML, a part of it, nothing."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise no_result(system) from None
