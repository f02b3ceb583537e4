"""An Alertmanager in memory: groups that a test sets, silences that are kept as the real one keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.clock import machine_clock
from bot.errors import NotFound
from bot.ports import Clock, FiringGroup, Matcher, Silence
from tests.fakes.faults import Faults, call

TIMES = ("starts_at", "ends_at")


class FakeAlerts:
    """Implements `bot.ports.Alerts`; silences live in memory, or in one JSON file so that several processes share them.

    A silence does not change what `groups` says: a test sets `silenced_by` itself.
    """

    def __init__(self, file: Path | None = None, *, clock: Clock = machine_clock) -> None:
        self.faults = Faults()
        self.firing: tuple[FiringGroup, ...] = ()
        self._file = file
        self._clock = clock
        self._rows: list[dict[str, Any]] = []

    def fire(self, *groups: FiringGroup) -> None:
        """Let exactly these fire from now on."""
        self.firing = groups

    @property
    def standing(self) -> tuple[Silence, ...]:
        """The silences that have not ended."""
        return tuple(one for one in self._silences() if one.state != "expired")

    @call
    async def groups(self) -> tuple[FiringGroup, ...]:
        return self.firing

    @call
    async def silence(self, silence: Silence) -> str:
        """Make it. One that changes what it is about ends the old one and gets a new id, as in Alertmanager."""
        kept = list(self._silences())
        old = next((one for one in kept if one.id == silence.id), None)
        if silence.id and old is None:
            raise NotFound(f"Alertmanager has no silence `{silence.id}`.")
        if old is not None and _may_change(old, silence):
            self._keep(silence if one.id == old.id else one for one in kept)
            return old.id
        made = replace(silence, id=f"silence-{len(kept) + 1}")
        self._keep([*(self._ended(one) if one is old else one for one in kept), made])
        return made.id

    @call
    async def silences(self) -> tuple[Silence, ...]:
        return tuple(self._silences())

    @call
    async def unsilence(self, id: str) -> bool:  # noqa: A002  # what it is called everywhere
        kept = list(self._silences())
        stood = any(one.id == id and one.state != "expired" for one in kept)
        self._keep(self._ended(one) if stood and one.id == id else one for one in kept)
        return stood

    def _ended(self, silence: Silence) -> Silence:
        return replace(silence, ends_at=min(silence.ends_at, max(self._clock(), silence.starts_at)))

    def _silences(self) -> Iterable[Silence]:
        now = self._clock()
        for row in json.loads(self._file.read_text()) if self._file and self._file.exists() else self._rows:
            silence = _read(row)
            if silence.ends_at <= now:
                yield replace(silence, state="expired")
            else:
                yield replace(silence, state="active" if silence.starts_at <= now else "pending")

    def _keep(self, silences: Iterable[Silence]) -> None:
        self._rows = [_written(one) for one in silences]
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(self._rows))
            new.rename(self._file)


def _may_change(old: Silence, new: Silence) -> bool:
    begins_alike = old.state == "pending" or old.starts_at == new.starts_at
    return old.state != "expired" and begins_alike and set(old.matchers) == set(new.matchers)


def _written(silence: Silence) -> dict[str, Any]:
    return asdict(silence) | {name: getattr(silence, name).isoformat() for name in TIMES}


def _read(row: dict[str, Any]) -> Silence:
    times = {name: datetime.fromisoformat(row[name]) for name in TIMES}
    matchers = tuple(Matcher(**one) for one in row["matchers"])
    return Silence(**{**row, **times, "matchers": matchers})
