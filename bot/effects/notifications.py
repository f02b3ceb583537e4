"""What somebody wants to hear of, written down."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import Conflict, NotFound
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.notifications import PersonalWishes, TeamWishes
from bot.ports import NotificationBook, Ports


class SetNotifications(Effect):
    """Replaces the wishes of a group or a person. `before` is what stood there when this was planned; None: nothing."""

    kind: ClassVar[str] = "notifications.set"

    subject: str
    """Full reference of a group or a user."""
    called: str
    """What they are called: `team-orders`."""
    team: TeamWishes | None = None
    person: PersonalWishes | None = None
    team_before: TeamWishes | None = None
    person_before: PersonalWishes | None = None

    def describe(self) -> str:
        return f"Write down what {self.called} wants to hear of"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        book = _book(ports)
        now = await book.kept(self.subject)
        if now == self._wanted:
            return Outcome(seen="it is written down")  # by an earlier attempt, or by somebody who wished the same
        if now != self._before:
            raise Conflict("Somebody has changed this meanwhile.", hint="Open the form again: it shows what holds now.")
        await book.keep(self.subject, self._wanted)
        return Outcome(seen="it is written down")

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        book = _book(ports)
        if await book.kept(self.subject) == self._wanted and self._wanted != self._before:
            await book.keep(self.subject, self._before)
        return Undone(how=Undo.UNDONE, seen="what was written down before holds")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        there = self._wanted != self._before and await _book(ports).kept(self.subject) == self._wanted
        return Proof(
            absent=not there, seen=f"the wishes of {self.called} are{'' if there else ' not'} as this step made them"
        )

    @property
    def _wanted(self) -> TeamWishes | PersonalWishes | None:
        return self.team or self.person

    @property
    def _before(self) -> TeamWishes | PersonalWishes | None:
        return self.team_before or self.person_before


def _book(ports: Ports) -> NotificationBook:
    if ports.notification_book is None:
        raise NotFound("This installation keeps no wishes about notifications.")
    return ports.notification_book
