"""What a pull request is told while its preview's operation waits, is stuck, or has come to nothing.

An operation's own steps write its comment. Between and after them it may wait for an approval, or not move: that stands
below the text as a note, and goes with the next text. Slack's card says the same; the note is for those who look here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.catalog.index import Index
from bot.effects.comment_text import LONGEST_LINE
from bot.effects.markdown import code, line
from bot.effects.pull_request_comment import Step, composed, find_comment, turn_of, with_note
from bot.errors import PlatformError, UpstreamUnavailable, UsageError
from bot.model.operation import Asked, OperationView, Reason, State
from bot.model.principal import Door
from bot.ports import Forge
from bot.ports.turns import Turns
from bot.previews.naming import of_pull_request
from bot.previews.sources import named_pull_request
from bot.releases.services import service_of_repository

log = logging.getLogger(__name__)

UP = "preview.up"
LOOKS_AGAIN_S = 0.2
"""A change is announced within its transaction: until that has ended the old state is seen."""
MOST_LOOKS = 100
AWAY_S = 10.0
"""After so long a forge that did not answer is tried again."""
MOST_TRIES = 5
MOST_FOLLOWED = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """The comment that speaks of a preview."""

    repository: str
    number: int
    preview: str
    asked_here: bool = True
    """Whether it was asked for by what happens in the forge: then a note stands there even without a comment."""


class PullRequestNotes:
    """Keeps the notes current, one after the other. What is not told when this process ends stays untold, until the
    operation changes again."""

    def __init__(
        self,
        view: Callable[[str], Awaitable[OperationView]],
        forge: Forge,
        catalog: Callable[[], Index],
        turns: Turns,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._view = view
        self._forge = forge
        self._catalog = catalog
        self._turns = turns
        self._sleep = sleep
        self._followed: dict[str, Place] = {}
        """Operations that were asked for below a pull request, and do not name it."""
        self._told: dict[str, str] = {}
        self._waiting: asyncio.Queue[tuple[str, Place, int]] = asyncio.Queue()

    def follow(self, operation: str, place: Place) -> None:
        """Tell that pull request of an operation that was asked for there."""
        self._followed[operation] = place
        while len(self._followed) > MOST_FOLLOWED:
            del self._followed[next(iter(self._followed))]

    def changed(self, asked: Asked, revision: int) -> None:
        """An operation has changed. Returns at once: this is called within the transaction of the change."""
        place = self._followed.get(asked.operation) or self._place(asked)
        if place is not None:
            self._waiting.put_nowait((asked.operation, place, revision))

    async def run(self) -> None:
        """Tell what has changed, for ever."""
        while True:
            operation, place, revision = await self._waiting.get()
            try:
                await self.tell(operation, place, revision)
            except PlatformError as error:
                log.warning("pull_request_not_told", extra={"operation": operation, "problem": error.message})
            except Exception:
                log.exception("pull_request_notes_failed")  # the next one is told all the same

    async def tell(self, operation: str, place: Place, revision: int) -> None:
        """Write the note that fits the operation as it is now, at least at that revision."""
        view = await self._seen(operation, revision)
        note = note_of(view)
        if note is None or self._told.get(operation, "") == note:
            return
        for left in reversed(range(MOST_TRIES)):
            try:
                async with self._turns(turn_of(place.repository, place.number, place.preview)):
                    await self._write(operation, place, note)
                break
            except UpstreamUnavailable:
                if not left:
                    raise
            await self._sleep(AWAY_S)
        self._told[operation] = note
        if view.state.final:
            self._told.pop(operation, None)
            self._followed.pop(operation, None)

    async def _seen(self, operation: str, revision: int) -> OperationView:
        view = await self._view(operation)
        for _ in range(MOST_LOOKS):
            if view.revision >= revision:
                break
            await self._sleep(LOOKS_AGAIN_S)
            view = await self._view(operation)
        return view

    async def _write(self, operation: str, place: Place, note: str) -> None:
        found = await find_comment(self._forge, place.repository, place.number, place.preview)
        if found is not None:
            body = with_note(found.body, note)
            if body != found.body:
                await self._forge.update_comment(place.repository, found.id, body)
        elif note and place.asked_here:
            bare = composed(place.preview, f"### Preview {code(place.preview)}", Step(operation, "note", None))
            await self._forge.create_comment(place.repository, place.number, with_note(bare, note))

    def _place(self, asked: Asked) -> Place | None:
        """Return the pull request that a preview is asked for."""
        named = asked.request.get("pull_request")
        if asked.command != UP or not isinstance(named, str) or not named:
            return None
        try:
            repository, number = named_pull_request(named)
        except UsageError:
            return None
        service = service_of_repository(self._catalog(), repository)
        if service is None:
            return None
        chosen = asked.request.get("name")
        name = chosen if isinstance(chosen, str) and chosen else of_pull_request(service.repository, number)
        return Place(service.repository, number, name, asked_here=asked.door is Door.FORGE)


def note_of(view: OperationView) -> str | None:
    """Return what is to be said now; empty: nothing, None: leave what is said."""
    what = "" if view.command == UP else f"{view.plan.summary if view.plan else view.command}: "
    match view.state:
        case State.AWAITING_APPROVAL if view.need is not None:
            whom = [f"{one.rpartition('/')[2]}" for one in sorted(view.need.approvers)]
            return f"{what}It waits for the approval of {_either(whom)}. The card is in Slack."
        case State.RUNNING:
            stalled = view.stalled
            return f"{what}It is stuck. {line(stalled.progress, LONGEST_LINE)}" if stalled is not None else ""
        case State.FAILED | State.UNDONE | State.REJECTED | State.EXPIRED:
            if view.reason is Reason.ASKED_TO_UNDO:
                return ""
            return f"{what}It could not be done. {line(view.problem, LONGEST_LINE)}"
        case State.SUCCEEDED:
            return ""
        case _:
            return None


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "somebody"
