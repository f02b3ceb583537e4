"""Rooms that are opened for something, and what is said there or to one person."""

from __future__ import annotations

from typing import ClassVar

from bot.effects.marks import known
from bot.errors import Conflict, NotFound
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.model.notifications import Personal
from bot.ports import Conversations, Ports, Room

MOST_NAMES = 5
"""How many names are tried: a closed room keeps its own."""


class OpenRoom(Effect):
    """A room with a topic. The operation's id in the topic tells that it is ours.

    Undo closes it: what was said stays readable.
    """

    kind: ClassVar[str] = "room.open"

    name: str
    topic: str

    def describe(self) -> str:
        return f"Open the channel #{self.name}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        conversations = talking(ports)
        # Slack knows a name at once and finds a room slowly: it is looked for where it may have been made before.
        room = await self._mine(conversations, run) if run.attempt > 1 else None
        room = room or await self._made(conversations, run)
        topic = self._topic(run)
        if room.topic != topic:
            await conversations.set_topic(room.id, topic)
        seen = f"#{room.name} is open"
        return Outcome(seen=seen, outputs={"room": room.id, "name": room.name}, made={"room": room.id})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        conversations = talking(ports)
        room = await self._mine(conversations, run)
        if room is None:
            return Undone(how=Undo.UNDONE, seen="no channel of this operation is open")
        await conversations.archive_room(room.id)
        return Undone(how=Undo.UNDONE, seen=f"#{room.name} is archived")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        room = await self._mine(talking(ports), run)
        return Proof(absent=room is None, seen=f"channel of this operation: {room.name if room else 'none is open'}")

    async def _mine(self, conversations: Conversations, run: Run) -> Room | None:
        """Return the open room that this operation has made. One of ours without a topic is as far as we came."""
        for name in self._names():
            room = await conversations.room(name)
            if room is None:
                return None
            if self._is_mine(room, run):
                return room
        return None

    def _is_mine(self, room: Room, run: Run) -> bool:
        """By the end of its topic: Slack tells the rest in its own way, with `&amp;` for `&`."""
        return room.is_ours and not room.is_closed and (not room.topic or room.topic.endswith(_mark_of(run)))

    async def _made(self, conversations: Conversations, run: Run) -> Room:
        for name in self._names():
            try:
                return await conversations.create_room(name)
            except Conflict:
                room = await conversations.room(name)
                if room is not None and self._is_mine(room, run):
                    return room
        raise Conflict(f"There are channels called #{self.name} already.", hint="Use one of them.")

    def _names(self) -> tuple[str, ...]:
        return (self.name, *(f"{self.name}-{number}" for number in range(2, MOST_NAMES + 1)))

    def _topic(self, run: Run) -> str:
        return f"{' '.join(self.topic.split())} · {_mark_of(run)}"


class AddPeople(Effect):
    """People come into a room. Who has been in it may leave by themselves."""

    kind: ClassVar[str] = "room.people"
    undoable: ClassVar[bool] = False

    room: Text
    people: tuple[str, ...]
    """Full references."""

    def describe(self) -> str:
        return f"Have {', '.join(one.rpartition('/')[2] for one in self.people)} in it"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        missing = await talking(ports).add_people(known(self.room), self.people)
        here = [one.rpartition("/")[2] for one in self.people if one not in missing]
        seen = f"in it: {', '.join(here) or 'nobody yet'}"
        if missing:
            seen += f"; not known in Slack: {', '.join(one.rpartition('/')[2] for one in missing)}"
        return Outcome(seen=seen)


class SayInRoom(Effect):
    """The first words in a room."""

    kind: ClassVar[str] = "room.say"
    undoable: ClassVar[bool] = False

    room: Text
    text: str
    """mrkdwn, escaped."""
    card: str = ""
    """Id of a card whose address is put below it."""

    def describe(self) -> str:
        return "Say in the channel what it is about"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        conversations = talking(ports)
        address = await conversations.address_of(self.card) if self.card else ""
        text = f"{self.text}\n<{address}|The alert's card>" if address else self.text
        await conversations.post(known(self.room), text, key=f"{run.operation}:{self.id}")
        return Outcome(seen="said in the channel what it is about")


class TellPeople(Effect):
    """A word to people, each directly."""

    kind: ClassVar[str] = "person.tell"
    undoable: ClassVar[bool] = False

    people: tuple[str, ...]
    """Full references."""
    text: str
    """mrkdwn, escaped."""
    card: str = ""
    news: Personal | None = None
    """What it is to them: those who have said that they do not want that are not told. None: it is told in any case."""

    def describe(self) -> str:
        return f"Tell {', '.join(one.rpartition('/')[2] for one in self.people)} directly"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        conversations = talking(ports)
        address = await conversations.address_of(self.card) if self.card else ""
        text = f"{self.text}\n<{address}|The alert's card>" if address else self.text
        told: list[str] = []
        missed: list[str] = []
        wanting = [person for person in self.people if await self._is_wanted(ports, person)]
        if not wanting:
            return Outcome(seen="they have chosen not to be told of this directly")
        for person in wanting:
            known_there = await conversations.tell(person, text, key=f"{run.operation}:{self.id}:{person}")
            (told if known_there else missed).append(person.rpartition("/")[2])
        if not told:
            raise NotFound(
                f"Nobody of {', '.join(missed)} is known in Slack, so nobody was told.",
                hint="Tell them another way, or assign the alert to somebody else.",
            )
        missing = f"; not known in Slack: {', '.join(missed)}" if missed else ""
        return Outcome(seen=f"told {', '.join(told)}{missing}")

    async def _is_wanted(self, ports: Ports, person: str) -> bool:
        if self.news is None or ports.notification_book is None:
            return True
        return self.news in (await ports.notification_book.person(person)).told


def _mark_of(run: Run) -> str:
    return f"Causeway {run.operation}"


def talking(ports: Ports) -> Conversations:
    if ports.conversations is None:
        raise NotFound("This installation does not speak Slack.", hint="Set CAUSEWAY_SLACK_BOT_TOKEN.")
    return ports.conversations
