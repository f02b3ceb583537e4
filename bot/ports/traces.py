"""What one request did on its way (Tempo)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TraceFound:
    """A trace as a search tells of it."""

    id: str
    service: str
    """Of the first span."""
    name: str
    begin: datetime
    duration_s: float


@dataclass(frozen=True, slots=True)
class Span:
    id: str
    parent: str
    """Empty for the first one."""
    service: str
    name: str
    begin: datetime
    duration_s: float
    failed: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    id: str
    spans: tuple[Span, ...]
    """In order of their begin."""


class Traces(Protocol):
    """Raises what `Metrics` raises."""

    async def search(self, query: str, begin: datetime, end: datetime, *, limit: int) -> tuple[TraceFound, ...]:
        """Return traces that a TraceQL query fits, slowest first."""

    async def trace(self, id: str) -> Trace:  # noqa: A002  # what it is called everywhere
        """Raise `NotFound` for one that is not kept (any more)."""
