"""Plays the day, tells each step with its time, and stops where a promise is broken."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp

from bot.errors import PlatformError
from bot.rehearsal.day import STEPS, Day, Step
from bot.rehearsal.town import Town

LONGEST_CALL_S = 150.0


async def rehearse(
    page: str,
    *,
    name: str = "",
    as_json: bool = False,
    steps: Sequence[Step] = STEPS,
    say: Callable[[str], None] = print,
    seconds: Callable[[], float] = time.monotonic,
    after: Callable[[int, Day], Awaitable[None]] | None = None,
) -> int:
    """Play every step against the playground behind `page`; return 0 when all promises were kept, else 1.

    `name` is what the new service and the preview are called: one that is free. `after` is called with each step's
    number once its promises were kept. Raise `NotFound` without a playground.
    """
    timeout = aiohttp.ClientTimeout(total=LONGEST_CALL_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        town = await Town.at(http, page)
        day = Day(town, name or await _free_name(town))
        begun = seconds()
        for number, step in enumerate(steps, 1):
            since = seconds()
            broken = await _played(step, day)
            told = _Told(number, step, seconds() - since, tuple(day.notes), broken)
            for line in [told.json()] if as_json else told.lines():
                say(line)
            if broken is not None:
                return 1
            if after is not None:
                await after(number, day)
        if not as_json:
            say(f"Every promise was kept: {len(steps)} steps in {seconds() - begun:.1f} s.")
        return 0


async def _played(step: Step, day: Day) -> PlatformError | None:
    day.notes.clear()
    try:
        await step.act(day)
    except PlatformError as error:
        return error
    except (aiohttp.ClientError, TimeoutError) as error:
        return PlatformError(f"The playground did not answer: {type(error).__name__}.")
    return None


@dataclass(frozen=True)
class _Told:
    number: int
    step: Step
    took_s: float
    notes: tuple[str, ...]
    broken: PlatformError | None

    def json(self) -> str:
        kept = self.broken is None
        told = {"step": self.number, "title": self.step.title, "kept": kept, "seconds": round(self.took_s, 2)}
        return json.dumps(told | ({"notes": list(self.notes)} if kept else {"broken": str(self.broken)}))

    def lines(self) -> list[str]:
        mark = "✓" if self.broken is None else "✗"
        lines = [f"{mark} {self.number:2}. {self.step.title:36} {self.took_s:6.1f} s"]
        lines += [f"      {note}" for note in self.notes]
        return [*lines, f"      Broken: {self.broken}"] if self.broken is not None else lines


async def _free_name(town: Town) -> str:
    """Return a name that no repository has yet, so that the same playground can see many days."""
    number = 1
    while (await town.github("GET", f"/repos/acme/parcels-{number}"))[0] != 404:
        number += 1
    return f"parcels-{number}"
