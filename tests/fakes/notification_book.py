"""Wishes in memory, or in one JSON file so that several processes share them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bot.model.notifications import PersonalWishes, TeamWishes
from tests.fakes.faults import Faults, call

Wishes = TeamWishes | PersonalWishes


class FakeNotificationBook:
    """Implements `bot.ports.NotificationBook`."""

    def __init__(self, file: Path | None = None) -> None:
        self.faults = Faults()
        self._file = file
        self._texts: dict[str, str] = {}

    @property
    def written(self) -> Mapping[str, str]:
        """What is written down, as JSON by subject."""
        return dict(self._load())

    def put(self, subject: str, wishes: Wishes) -> None:
        self._save(self._load() | {subject: wishes.model_dump_json()})

    @call
    async def team(self, group: str) -> TeamWishes:
        found = self.remembered(group)
        return found if isinstance(found, TeamWishes) else TeamWishes()

    @call
    async def person(self, user: str) -> PersonalWishes:
        found = self.remembered(user)
        return found if isinstance(found, PersonalWishes) else PersonalWishes()

    @call
    async def kept(self, subject: str) -> Wishes | None:
        return self.remembered(subject)

    @call
    async def keep(self, subject: str, wishes: Wishes | None) -> None:
        rest = {key: text for key, text in self._load().items() if key != subject}
        self._save(rest if wishes is None else rest | {subject: wishes.model_dump_json()})

    def remembered(self, subject: str) -> Wishes | None:
        text = self._load().get(subject)
        if text is None:
            return None
        model = PersonalWishes if subject.startswith("user:") else TeamWishes
        return model.model_validate_json(text)

    def _load(self) -> dict[str, str]:
        if self._file is None:
            return self._texts
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _save(self, texts: dict[str, str]) -> None:
        self._texts = texts
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(texts))
            new.rename(self._file)
