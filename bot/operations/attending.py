"""Attends an effect that waits: writes down what it reports, and ends it when a person decides so."""

from __future__ import annotations

import asyncio

from bot.model.effect import Effect, Outcome
from bot.operations.held import Held
from bot.operations.record import Record
from bot.operations.store import Watch

LOOK_S = 3600.0
"""Longest pause between two looks; in truth every report, decision and end wakes us."""


class Ended(Exception):
    """Somebody asked for undo while the effect was waiting; it was cancelled."""


async def attended(held: Held, index: int, effect: Effect, attempt: int) -> Outcome:
    """Apply the effect and return its outcome, or the one of a wait that a person ended with `keep`.

    Raise `Ended` when somebody asked for undo. This is the only writer of the operation meanwhile: what the effect
    reports passes through here, so that cancelling the effect never tears a write apart.
    """
    with held.means.store.changes.watch(held.record.id) as watch:
        notes = _Notes(watch)
        run = held.run(effect, attempt).model_copy(update={"report": notes})
        work = asyncio.ensure_future(effect.apply(held.means.ports, run))
        work.add_done_callback(lambda _: watch.wake())
        try:
            while not work.done():
                _take_up(held, await watch.next(LOOK_S))
                if held.record.undo_by is not None:
                    raise Ended
                if held.record.keep_by is not None and effect.keepable:
                    return effect.kept(held.record.steps[index].progress, held.record.keep_by.display_name)
                await notes.write(held, index, effect)
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


class _Notes:
    """Satisfies `bot.model.effect.Reporter`: keeps the newest report until it is written."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._newest: tuple[str, bool] | None = None
        watch.wake()  # a decision that was stored before we began is honoured at once

    async def __call__(self, text: str, *, stalled: bool = False) -> None:
        self._newest = (text.replace("\x00", "�"), stalled)
        self._watch.wake()

    async def write(self, held: Held, index: int, effect: Effect) -> None:
        if self._newest is None:
            return
        (text, stalled), self._newest = self._newest, None
        step = held.record.steps[index]
        if (step.progress, step.stalled) != (text, stalled):
            entries = [held.entry("effect.stalled", effect=effect.id, problem=text)] if stalled else []
            await held.step(index, *entries, progress=text, stalled=stalled, keepable=effect.keepable, problem="")


def _take_up(held: Held, changed: Record | None) -> None:
    """Take over what people have decided since our last write."""
    if changed is not None and changed.revision > held.record.revision:
        names = ("undo_by", "keep_by", "patience", "buttons", "revision")
        held.record = held.record.model_copy(update={name: getattr(changed, name) for name in names})
