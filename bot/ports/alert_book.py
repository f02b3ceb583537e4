"""The groups of alerts that we know: what fires for whom, who is on it, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from bot.model.alerts import AlertGroup


class AlertBook(Protocol):
    """Rows of ours, shared by all replicas."""

    async def group(self, id: str) -> AlertGroup | None:  # noqa: A002  # what it is called everywhere
        """Return it, of whatever state, or None for an id that was never given."""

    async def firing(self, *, service: str | None = None, environment: str | None = None) -> tuple[AlertGroup, ...]:
        """Return those that fire now, newest first; of one service and environment where these are named."""

    async def between(self, begin: datetime, end: datetime, *, service: str) -> tuple[AlertGroup, ...]:
        """Return those of a service that fired at some time in between."""

    async def change(
        self,
        id: str,  # noqa: A002  # as above
        changes: Mapping[str, Any],
        line: str,
        *,
        key: str,
    ) -> AlertGroup:
        """Set fields that people decide (`acknowledged_by`, `assigned_to`, `quieted`, `owner`, `channel`,
        `incident_channel`, …) and add a line to the timeline; the card is drawn anew. The same `key` twice changes
        once.

        Raise `NotFound` for an unknown group, `ValueError` for a field that is not theirs to decide.
        """
