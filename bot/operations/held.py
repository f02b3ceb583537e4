"""An operation whose lease this replica holds, and what its run needs for every step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.errors import UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, EffectCatalog, Run
from bot.model.late import ASKED, of_asking
from bot.model.operation import StepState
from bot.model.plan import Plan
from bot.operations.contracts import Planner, Settings
from bot.operations.ledger import Entry
from bot.operations.record import Record
from bot.operations.store import Store, UndoAsked
from bot.ports import Ports

T = TypeVar("T")

SYSTEM = "system"
"""The actor of what nobody asked for at that moment."""


@dataclass(frozen=True, slots=True)
class Means:
    """What runs need and share."""

    store: Store
    effects: EffectCatalog
    ports: Ports
    planner: Planner
    settings: Settings


class Held:
    """The operation as this run last wrote it. Every write is fenced and raises `LeaseLost` once that is lost."""

    def __init__(self, means: Means, record: Record) -> None:
        self.means = means
        self.record = record

    @property
    def plan(self) -> Plan:
        assert self.record.plan is not None  # noqa: S101  # the stages that use it come after planning
        return self.record.plan

    async def save(
        self,
        *entries: Entry,
        let_go: bool = False,
        unless_undo: bool = False,
        in_turn: bool = False,
        **changes: Any,
    ) -> bool:
        """Write `changes` and `entries`. With `let_go` no run is wanted any more.

        With `unless_undo` return False, and write nothing, when somebody has asked for undo meanwhile. With `in_turn`
        raise `LaneBusy`, and write nothing, when another operation of the lane has to end first.
        """
        try:
            self.record = await self.means.store.save(
                self.record, entries, let_go=let_go, unless_undo=unless_undo, in_turn=in_turn, **changes
            )
        except UndoAsked as asked:
            self.record = asked.record
            return False
        return True

    def entry(self, kind: str, /, **body: JSON) -> Entry:
        return entry(self.means.store, self.record, kind, SYSTEM, body)

    def effect(self, index: int) -> Effect:
        """Return the effect as it was planned. Raise `PlatformError` when this release does not know it."""
        return self.means.effects.load(self.plan.steps[index].effect)

    def bound(self, effect: Effect) -> Effect:
        """Return `effect` with its late values. Raise `Conflict` when an output that it needs is not there."""
        asked = self.record.asked
        outputs: dict[str, Mapping[str, JSON]] = {
            planned.id: step.outcome.outputs
            for planned, step in zip(self.plan.steps, self.record.steps, strict=True)
            if step.outcome is not None
        }
        return effect.bound({**outputs, ASKED: of_asking(asked.operation, asked.now)})

    def run(self, effect: Effect, attempt: int) -> Run:
        asked = self.record.asked
        now = self.means.store.clock()
        return Run(operation=asked.operation, effect=effect.id, principal=asked.principal, now=now, attempt=attempt)

    async def step(self, index: int, *entries: Entry, **changes: Any) -> None:
        """Change one step and nothing else."""
        changed = self.record.steps[index].model_copy(update=changes)
        await self.save(*entries, steps=self.record.with_step(index, changed))

    async def patiently(
        self,
        act: Callable[[int], Awaitable[T]],
        waiting: Callable[[str], Awaitable[None]] | None = None,
        *,
        for_ever: bool = False,
    ) -> T:
        """Call `act(attempt)` until it works, at most as often as configured, while the other side does not answer.

        `waiting` is told the sentence for the card before each wait. A person's wish to undo ends the patience.
        """
        settings = self.means.settings
        attempt = 1
        while True:
            try:
                return await act(attempt)
            except UpstreamUnavailable as error:
                if attempt >= settings.effect_tries and not for_ever:
                    raise
                wait_s = _wait(settings, attempt, error.retry_after_s)
                if waiting is not None:
                    often = "" if for_ever else f" ({attempt} of {settings.effect_tries})"
                    message = f"{error.message} Trying again in {wait_s:.0f} s{often}."
                    await waiting(message.replace("\x00", "�"))
                    if self.record.undo_by is not None and self.running:
                        raise
                await settings.sleep(wait_s)
            attempt += 1

    @property
    def running(self) -> bool:
        """Whether an effect is being applied (and not undone)."""
        return any(step.state is StepState.RUNNING for step in self.record.steps)


def entry(store: Store, of: Record, kind: str, actor: str, body: dict[str, JSON]) -> Entry:
    return Entry(at=store.clock(), actor=actor, door=of.asked.door.value, operation=of.id, kind=kind, body=body)


def _wait(settings: Settings, attempt: int, asked_s: float | None) -> float:
    own = min(settings.retry_first_s * 2.0 ** min(attempt - 1, 30), settings.retry_most_s)
    return max(own, min(asked_s or 0.0, settings.retry_after_most_s))
