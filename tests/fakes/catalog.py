"""A catalog registry in memory, or in one JSON file so that several processes share it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.faults import Faults, call


class FakeCatalog:
    """Implements `bot.ports.CatalogRegistry`: every location holds one component named after its repository."""

    def __init__(self, file: Path | None = None) -> None:
        self.faults = Faults()
        self._file = file
        self._locations: dict[str, str] = {}

    @property
    def locations(self) -> dict[str, str]:
        """Location → operation that registered it."""
        if self._file and self._file.exists():
            self._locations = json.loads(self._file.read_text())
        return self._locations

    @call
    async def registered(self, location: str) -> str | None:
        return self.locations.get(location)

    @call
    async def register(self, location: str, *, operation: str) -> tuple[str, ...]:
        self._save({location: operation, **self.locations})
        return (f"component:default/{location.split('/')[4] if location.count('/') > 4 else 'unknown'}",)

    @call
    async def unregister(self, location: str, *, operation: str) -> bool:
        ours = self.locations.get(location) == operation
        self._save({at: by for at, by in self.locations.items() if not (ours and at == location)})
        return ours

    def _save(self, locations: dict[str, str]) -> None:
        self._locations = locations
        if self._file:
            beside = self._file.with_suffix(".new")
            beside.write_text(json.dumps(locations))
            beside.replace(self._file)
