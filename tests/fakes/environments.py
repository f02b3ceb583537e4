"""A book in memory, or in one JSON file so that several processes share it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.ports import EnvironmentRecord
from tests.fakes.faults import Faults, call

TIMES = ("created_at", "expires_at", "ended_at")


class FakeEnvironments:
    """Implements `bot.ports.Environments`."""

    def __init__(self, file: Path | None = None) -> None:
        self.faults = Faults()
        self._file = file
        self._rows: dict[str, dict[str, Any]] = {}

    @property
    def lines(self) -> Mapping[str, Mapping[str, Any]]:
        """Every line, whether it has ended or not."""
        return dict(self._load())

    @property
    def open(self) -> Mapping[str, Mapping[str, Any]]:
        """The lines that stand, without what names operation and time."""
        return {
            row["name"]: {key: part for key, part in row.items() if key not in ("operation", "created_at")}
            for row in self._load().values()
            if row["ended_at"] is None
        }

    def put(self, record: EnvironmentRecord) -> None:
        rows = self._load()
        row = asdict(record)
        row |= {name: row[name].isoformat() if row[name] else None for name in TIMES}
        rows[_key(record.kind, record.cluster, record.name, record.operation)] = row
        self._save(rows)

    @call
    async def enter(self, record: EnvironmentRecord) -> None:
        self.put(record)

    @call
    async def get(self, kind: str, cluster: str, name: str) -> EnvironmentRecord | None:
        found = [one for one in self._records() if (one.kind, one.cluster, one.name) == (kind, cluster, name)]
        standing = [one for one in found if one.ended_at is None]
        ended = sorted((one for one in found if one.ended_at), key=lambda one: str(one.ended_at))
        return next(reversed(standing or ended), None)

    @call
    async def end(self, kind: str, cluster: str, name: str, operation: str, at: datetime) -> None:
        for one in self._records():
            if (one.kind, one.cluster, one.name, one.operation) == (kind, cluster, name, operation):
                self.put(replace(one, ended_at=one.ended_at or at))

    @call
    async def standing(self, kind: str = "") -> Sequence[EnvironmentRecord]:
        found = [one for one in self._records() if one.ended_at is None and kind in ("", one.kind)]
        return sorted(found, key=lambda one: (one.created_at, one.name))

    def _records(self) -> list[EnvironmentRecord]:
        return [
            EnvironmentRecord(
                **{**row, **{name: datetime.fromisoformat(row[name]) if row[name] else None for name in TIMES}}
            )
            for row in self._load().values()
        ]

    def _load(self) -> dict[str, dict[str, Any]]:
        if self._file is None:
            return self._rows
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _save(self, rows: dict[str, dict[str, Any]]) -> None:
        self._rows = rows
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(rows))
            new.rename(self._file)


def _key(*parts: str) -> str:
    return "/".join(parts)
