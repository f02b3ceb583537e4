"""Lines that services wrote (Loki)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.ports.metrics import Measured


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    text: str
    """As it was written: redact it before anybody reads it."""
    labels: Mapping[str, str]
    """Of its stream."""


class Logs(Protocol):
    """Raises what `Metrics` raises."""

    async def lines(self, query: str, begin: datetime, end: datetime, *, limit: int) -> tuple[LogLine, ...]:
        """Return the newest `limit` lines of that time, newest first."""

    async def counted(self, query: str, begin: datetime, end: datetime, step: timedelta) -> Measured:
        """Evaluate a query that counts lines, at each step."""
