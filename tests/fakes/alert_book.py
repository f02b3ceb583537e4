"""Groups of alerts that a test puts into the book."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import NotFound
from bot.model.alerts import AlertGroup
from tests.fakes.faults import Faults, call

DECIDED = frozenset(
    {
        *("acknowledged_by", "acknowledged_at", "assigned_to", "escalated_to", "quieted"),
        *("owner", "channel", "incident_channel"),
    }
)
"""What people decide about a group."""


class FakeAlertBook:
    """Implements `bot.ports.AlertBook`, in memory, or in one JSON file so that several processes share it."""

    def __init__(self, file: Path | None = None) -> None:
        self.faults = Faults()
        self._file = file
        self._memory: dict[str, Any] = {"groups": {}, "lines": {}}

    def put(self, *groups: AlertGroup) -> None:
        book = self._load()
        book["groups"] |= {group.id: group.model_dump(mode="json") for group in groups}
        self._save(book)

    def timeline(self, id: str) -> tuple[str, ...]:  # noqa: A002  # what it is called everywhere
        return tuple(self._load()["lines"].get(id, {}).values())

    def decided(self, id: str) -> Mapping[str, Any]:  # noqa: A002  # the same
        """Return what people have decided about a group, without what it is now."""
        return {name: value for name, value in self._load()["groups"].get(id, {}).items() if name in DECIDED}

    @call
    async def group(self, id: str) -> AlertGroup | None:  # noqa: A002  # the same
        return self._find(id)

    @call
    async def firing(self, *, service: str | None = None, environment: str | None = None) -> tuple[AlertGroup, ...]:
        return tuple(
            one
            for one in self._groups()
            if one.is_open and service in (None, one.service) and environment in (None, one.environment)
        )

    @call
    async def between(self, begin: datetime, end: datetime, *, service: str) -> tuple[AlertGroup, ...]:
        return tuple(
            one
            for one in self._groups()
            if one.service == service and one.started_at <= end and (one.ended_at is None or one.ended_at >= begin)
        )

    @call
    async def change(
        self,
        id: str,  # noqa: A002  # the port's word
        changes: Mapping[str, Any],
        line: str,
        *,
        key: str,
    ) -> AlertGroup:
        if odd := sorted(set(changes) - DECIDED):
            raise ValueError(f"nobody decides {', '.join(odd)}")
        group = self._find(id)
        if group is None:
            raise NotFound(f"There is no alert group `{id}`.")
        book = self._load()
        lines = book["lines"].setdefault(id, {})
        if key in lines:
            return group
        changed = AlertGroup.model_validate({**dict(group), **changes, "revision": group.revision + 1})
        lines[key] = line
        book["groups"][id] = changed.model_dump(mode="json")
        self._save(book)
        return changed

    def _find(self, id: str) -> AlertGroup | None:  # noqa: A002  # the same
        return next((one for one in self._groups() if one.id == id), None)

    def _groups(self) -> list[AlertGroup]:
        """Return them with the newest first."""
        groups = [AlertGroup.model_validate_json(json.dumps(row)) for row in self._load()["groups"].values()]
        return sorted(groups, key=lambda one: one.started_at, reverse=True)

    def _load(self) -> dict[str, Any]:
        if self._file is None:
            return self._memory
        return json.loads(self._file.read_text()) if self._file.exists() else {"groups": {}, "lines": {}}

    def _save(self, book: dict[str, Any]) -> None:
        self._memory = book
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(book))
            new.rename(self._file)
