"""Set a term: a request that is asked by itself when its time has come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from bot.effects.marks import known
from bot.errors import NotFound
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Late
from bot.model.principal import Principal
from bot.ports import Agenda, Appointment, Ports


class MakeAppointment(Effect):
    """One appointment under a name of its own: a later one for the same thing replaces it.

    Undo strikes out the appointment that this step made, not one that was made since.
    """

    kind: ClassVar[str] = "agenda.make_appointment"

    name: str
    """`unpin:orders-api/staging`."""
    at: datetime | Late
    """Late where an earlier step begins what ends then: nobody knows before how long an approval takes."""
    command: str
    request: Mapping[str, JSON]

    def describe(self) -> str:
        when = f"on {self.at:%d %B %Y at %H:%M} UTC" if isinstance(self.at, datetime) else "when its time is over"
        return f"Remember to ask `/{self.command.replace('.', ' ')}` {when}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        agenda, at = _agenda(ports), self._known()
        there = await agenda.get(self.name)
        wanted = Appointment(self.name, at, self.command, self.request, run.principal)
        if there != wanted:
            await agenda.add(wanted)
        return Outcome(seen=f"remembered for {at:%d %B %Y, %H:%M} UTC", made={"at": at.isoformat()})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        agenda = _agenda(ports)
        if not await self._is_there(agenda):
            return Undone(how=Undo.UNDONE, seen="nothing of this step is on the agenda")
        await agenda.remove(self.name)
        return Undone(how=Undo.UNDONE, seen=f"{self.name} is struck out")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        there = await self._is_there(_agenda(ports))
        return Proof(absent=not there, seen=f"{self.name} {'is still' if there else 'is not'} on the agenda")

    async def _is_there(self, agenda: Agenda) -> bool:
        found = await agenda.get(self.name)
        return found is not None and (found.at, found.command) == (self.at, self.command)

    def _known(self) -> datetime:
        return self.at if isinstance(self.at, datetime) else datetime.fromisoformat(known(self.at))


class CancelAppointment(Effect):
    """Strike out an appointment that was read while planning; undo puts it back."""

    kind: ClassVar[str] = "agenda.cancel_appointment"

    name: str
    at: datetime
    command: str
    request: Mapping[str, JSON]
    principal: Principal

    @classmethod
    def of(cls, id: str, appointment: Appointment) -> Self:  # noqa: A002  # every effect has one
        return cls(
            id=id,
            name=appointment.id,
            at=appointment.at,
            command=appointment.command,
            request=appointment.request,
            principal=appointment.principal,
        )

    def describe(self) -> str:
        return f"Forget to ask `/{self.command.replace('.', ' ')}` on {self.at:%d %B %Y at %H:%M} UTC"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        agenda = _agenda(ports)
        if await agenda.get(self.name) == self._appointment():
            await agenda.remove(self.name)
        return Outcome(seen=f"{self.name} is struck out")

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        agenda = _agenda(ports)
        if await agenda.get(self.name) is None:
            await agenda.add(self._appointment())
        return Undone(how=Undo.UNDONE, seen=f"{self.name} is on the agenda again")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        there = await _agenda(ports).get(self.name) is not None
        return Proof(absent=there, seen=f"{self.name} {'is on' if there else 'is missing from'} the agenda")

    def _appointment(self) -> Appointment:
        return Appointment(self.name, self.at, self.command, self.request, self.principal)


def _agenda(ports: Ports) -> Agenda:
    if ports.agenda is None:
        raise NotFound("This installation keeps no agenda, so nothing can end by itself.", hint="Leave the term out.")
    return ports.agenda
