"""What people decide about an alert: written into our book, and into Alertmanager where it is to be quiet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import AwareDatetime, BaseModel, Field

from bot.effects.marks import known
from bot.errors import Conflict, NotFound
from bot.model.alerts import AlertGroup, Quieted
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import AlertBook, Alerts, Matcher, Ports, Silence


class ChangeAlert(Effect):
    """Sets what people decide about a group, and tells it in the group's thread.

    `before` is what stood there when this was planned: where somebody else has decided meanwhile, theirs holds.
    """

    kind: ClassVar[str] = "alert.change"

    group: str
    changes: Mapping[str, JSON]
    before: Mapping[str, JSON]
    line: Text
    """For the timeline, as mrkdwn that is escaped already."""
    what: str
    """In the imperative, plain text: `Write down that Sample Author is on it`."""

    def describe(self) -> str:
        return self.what

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        book = _book(ports)
        now = await self._now(book)
        if now == self._wanted:
            return Outcome(seen=self._seen)
        if now != dict(self.before):
            raise Conflict("Somebody has decided about this alert meanwhile.", hint="Look at its card as it is now.")
        await book.change(self.group, _values(self._wanted), known(self.line), key=f"{run.operation}:{self.id}")
        return Outcome(seen=self._seen)

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        book = _book(ports)
        now = await self._now(book)
        if now == dict(self.before) or now != self._wanted:
            return Undone(how=Undo.UNDONE, seen="what was decided before holds")
        key = f"{run.operation}:{self.id}:undo"
        await book.change(self.group, _values(self.before), "Taken back.", key=key)
        return Undone(how=Undo.UNDONE, seen="what was decided before holds again")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        mine = await self._now(_book(ports)) == self._wanted
        return Proof(absent=not mine, seen=f"{self.group}: {'still' if mine else 'not'} as this step left it")

    @property
    def _wanted(self) -> dict[str, JSON]:
        return dict(self.changes)

    @property
    def _seen(self) -> str:
        return "it stands on the alert's card"

    async def _now(self, book: AlertBook) -> dict[str, JSON]:
        group = await book.group(self.group)
        if group is None:
            raise NotFound("There is no such alert any more.")
        return decided(group, self.changes)


def decided(group: AlertGroup, names: Mapping[str, Any]) -> dict[str, JSON]:
    """Return these fields of a group as an effect names them."""
    told = group.model_dump(mode="json")
    return {name: told[name] for name in names}


def _values(changes: Mapping[str, JSON]) -> dict[str, Any]:
    """Return the same as the book takes them."""
    found: dict[str, Any] = dict(changes)
    if found.get("quieted") is not None:
        found["quieted"] = Quieted.model_validate_json(Quieted.model_validate(found["quieted"]).model_dump_json())
    if found.get("acknowledged_at") is not None:
        found["acknowledged_at"] = datetime.fromisoformat(str(found["acknowledged_at"]))
    return found


class MatcherBody(BaseModel, frozen=True, extra="forbid"):
    """One label that a silence is about."""

    name: str
    value: str


class SilenceAlert(Effect):
    """A silence in Alertmanager, in the person's name. The operation's id in its comment tells that it is ours."""

    kind: ClassVar[str] = "alert.silence"

    matchers: tuple[MatcherBody, ...] = Field(min_length=1)
    until: AwareDatetime
    by: str
    """Display name."""
    reason: str

    def describe(self) -> str:
        return f"Silence it in Alertmanager until {self.until:%-d %B, %H:%M} UTC: {self.reason}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        alerts = _alerts(ports)
        there = await _standing(alerts, run.operation)
        silence = there.id if there else await alerts.silence(self._made(run))
        seen = f"silenced in Alertmanager until {self.until:%-d %B, %H:%M} UTC"
        return Outcome(seen=seen, outputs={"silence": silence}, made={"silence": silence})

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        alerts = _alerts(ports)
        there = await _standing(alerts, run.operation)
        if there is not None:
            await alerts.unsilence(there.id)
        return Undone(how=Undo.UNDONE, seen="the silence has ended")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        there = await _standing(_alerts(ports), run.operation)
        return Proof(absent=there is None, seen=f"silence of this operation: {there.id if there else 'none stands'}")

    def _made(self, run: Run) -> Silence:
        return Silence(
            matchers=tuple(Matcher(one.name, one.value) for one in self.matchers),
            starts_at=run.now,
            ends_at=self.until,
            by=self.by,
            comment=f"{self.reason} ({mark_of(run.operation)})",
        )


class EndSilence(Effect):
    """The silence that was made from a card ends. Nothing takes that back: whoever wants quiet again asks for it."""

    kind: ClassVar[str] = "alert.end_silence"
    undoable: ClassVar[bool] = False

    silence: str
    """Alertmanager's id."""

    def describe(self) -> str:
        return "End its silence in Alertmanager"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        stood = await _alerts(ports).unsilence(self.silence)
        return Outcome(seen="the silence has ended" if stood else "the silence had ended before", changed=stood)


def mark_of(operation: str) -> str:
    return f"by Causeway, {operation}"


async def _standing(alerts: Alerts, operation: str) -> Silence | None:
    mark = f"({mark_of(operation)})"  # at the end, behind all that a person wrote
    mine = (one for one in await alerts.silences() if one.state != "expired" and one.comment.endswith(mark))
    return next(mine, None)


def _alerts(ports: Ports) -> Alerts:
    if ports.alerts is None:
        raise NotFound("This installation has no Alertmanager.", hint="Set CAUSEWAY_ALERTMANAGER_URL.")
    return ports.alerts


def _book(ports: Ports) -> AlertBook:
    if ports.alert_book is None:
        raise NotFound("This installation keeps no book of alerts.")
    return ports.alert_book
