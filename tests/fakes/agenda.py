"""An agenda in memory, or in one JSON file so that several processes share it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.model.principal import Principal
from bot.ports import Appointment
from tests.fakes.faults import Faults, call


class FakeAgenda:
    """Implements `bot.ports.Agenda`."""

    def __init__(self, file: Path | None = None) -> None:
        self.faults = Faults()
        self._file = file
        self._rows: dict[str, dict[str, Any]] = {}

    @property
    def appointments(self) -> Mapping[str, Mapping[str, Any]]:
        """Name → what will be asked, and when."""
        return dict(self._load())

    def put(self, appointment: Appointment) -> None:
        rows = self._load()
        rows[appointment.id] = {
            "at": appointment.at.isoformat(),
            "command": appointment.command,
            "request": dict(appointment.request),
            "principal": appointment.principal.model_dump(mode="json"),
        }
        self._save(rows)

    @call
    async def add(self, appointment: Appointment) -> None:
        self.put(appointment)

    @call
    async def get(self, id: str) -> Appointment | None:  # noqa: A002  # the port's word
        row = self._load().get(id)
        if row is None:
            return None
        principal = Principal.model_validate(row["principal"])
        return Appointment(id, datetime.fromisoformat(row["at"]), row["command"], row["request"], principal)

    @call
    async def remove(self, id: str) -> bool:  # noqa: A002  # the port's word
        rows = self._load()
        found = rows.pop(id, None)
        self._save(rows)
        return found is not None

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
