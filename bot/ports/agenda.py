"""What is to be asked later: ends of pins and of borrowed capacity, and every other term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model.canonical import JSON
from bot.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Appointment:
    """A request that will be asked at its time, in the person's name, through the same policy as any other."""

    id: str
    """Chosen by whoever makes it; the request it leads to carries it, so that it is asked once."""
    at: datetime
    command: str
    request: Mapping[str, JSON]
    principal: Principal


class Agenda(Protocol):
    """Appointments that survive restarts. Any replica may keep one."""

    async def add(self, appointment: Appointment) -> None:
        """Note it; one that is there already under that id is replaced."""

    async def get(self, id: str) -> Appointment | None:  # noqa: A002  # what it is called everywhere
        """Return it, or None where it was never made, was taken back or has been kept."""

    async def remove(self, id: str) -> bool:  # noqa: A002  # as above
        """Take it back; return whether it was there."""
