"""Rooms and words in memory, or in one JSON file so that several processes share them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from typing import Any

from bot.errors import Conflict, NotFound
from bot.ports import Room
from tests.fakes.faults import Faults, call


class FakeConversations:
    """Implements `bot.ports.Conversations`. Everybody is known here but those in `strangers`."""

    def __init__(self, file: Path | None = None, *, strangers: Collection[str] = ()) -> None:
        self.faults = Faults()
        self.strangers = frozenset(strangers)
        self._file = file
        self._memory: dict[str, Any] = {"rooms": {}, "said": {}}

    @property
    def open(self) -> Mapping[str, Mapping[str, Any]]:
        """The rooms that are not closed, by name."""
        return {name: room for name, room in self._load()["rooms"].items() if not room["is_closed"]}

    @property
    def said(self) -> Mapping[str, tuple[str, str]]:
        """By key: to which room or whom, and what."""
        return {key: (where, text) for key, (where, text) in self._load()["said"].items()}

    def put(self, name: str, *, is_ours: bool = False, is_closed: bool = False, topic: str = "") -> None:
        world = self._load()
        told = {"id": f"C-{name}", "topic": topic, "is_ours": is_ours, "is_closed": is_closed, "people": []}
        world["rooms"][name] = told
        self._save(world)

    @call
    async def room(self, name: str) -> Room | None:
        found = self._load()["rooms"].get(name)
        if found is None:
            return None
        return Room(found["id"], name, found["topic"], is_ours=found["is_ours"], is_closed=found["is_closed"])

    @call
    async def create_room(self, name: str) -> Room:
        if name in self._load()["rooms"]:
            raise Conflict(f"There is a channel called #{name} already.")
        self.put(name, is_ours=True)
        return Room(f"C-{name}", name, is_ours=True)

    @call
    async def set_topic(self, room: str, topic: str) -> None:
        """Keep it as Slack tells it afterwards: on one line, its entities escaped."""
        self._change(room, topic=" ".join(escape(topic, quote=False).split()))

    @call
    async def add_people(self, room: str, people: Collection[str]) -> tuple[str, ...]:
        there = [*self._found(room)["people"]]
        self._change(room, people=sorted({*there, *(one for one in people if one not in self.strangers)}))
        return tuple(one for one in people if one in self.strangers)

    @call
    async def archive_room(self, room: str) -> None:
        self._change(room, is_closed=True)

    @call
    async def post(self, room: str, text: str, *, key: str) -> None:
        self._say(room, text, key)

    @call
    async def tell(self, person: str, text: str, *, key: str) -> bool:
        if person in self.strangers:
            return False
        self._say(person, text, key)
        return True

    @call
    async def address_of(self, card: str) -> str:
        return f"https://slack.example/{card}"

    def _say(self, where: str, text: str, key: str) -> None:
        world = self._load()
        world["said"].setdefault(key, [where, text])
        self._save(world)

    def _found(self, room: str) -> dict[str, Any]:
        for found in self._load()["rooms"].values():
            if found["id"] == room:
                return dict(found)
        raise NotFound(f"There is no room {room}.")

    def _change(self, room: str, **fields: Any) -> None:
        self._found(room)
        world = self._load()
        for name, found in world["rooms"].items():
            if found["id"] == room:
                world["rooms"][name] = {**found, **fields}
        self._save(world)

    def _load(self) -> dict[str, Any]:
        if self._file is None or not self._file.exists():
            return json.loads(json.dumps(self._memory)) if self._file is None else {"rooms": {}, "said": {}}
        world: dict[str, Any] = json.loads(self._file.read_text())
        return world

    def _save(self, world: dict[str, Any]) -> None:
        self._memory = world
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(world))
            new.rename(self._file)
