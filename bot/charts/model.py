"""What a chart shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Point = tuple[float, float]
"""`(seconds since 1970, value)`."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line."""

    name: str
    """Stands at the end of the line, such as `p99` or `orders-api`."""
    points: tuple[Point, ...]
    """Oldest first. A value that is no number, and a pause much longer than the usual one, is a gap."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, such as a deploy."""

    at: datetime
    label: str
    """Short: `v1.4.2`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One signal over one time, with its objective and what happened meanwhile. All times are aware."""

    title: str
    """Plain text: `orders-api in production: latency (p99)`."""
    unit: str
    """What the values are in: `s`, `ms`, `ratio` (0 to 1, shown as %), `%`, `req/s`, `bytes`, `cores`; another word is
    written after the number; empty for plain numbers."""
    series: tuple[Series, ...]
    objective: float | None
    """In the same unit."""
    marks: tuple[Mark, ...]
    begin: datetime
    end: datetime
    worse: Literal["above", "below"] = "above"
    """On which side of the objective a value breaks it."""
