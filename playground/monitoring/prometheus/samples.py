"""Series as they are scraped: a value for each tick of a target's own grid of time.

Times are whole milliseconds since 1970, as in Prometheus.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from playground.monitoring.prometheus.labels import Labels

LOOKBACK_MS = 300_000
"""How long a sample counts when none has come after it."""
Samples = tuple[Sequence[int], Sequence[float]]
"""Times, oldest first, and the value at each."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What rate and increase need of a window: no more than its ends, however many samples lie between."""

    first: int
    first_value: float
    last: int
    last_value: float
    count: int
    lost: float
    """What the counter had before each reset within the window."""


class Series(Protocol):
    @property
    def labels(self) -> Labels: ...

    def at(self, moment: int) -> tuple[int, float] | None:
        """Return the sample that counts at a moment."""

    def window(self, begin: int, end: int) -> Samples:
        """Return every sample from `begin` to `end`, both included."""

    def edges(self, begin: int, end: int) -> Edges | None:
        """Return the ends of a window; None where it holds no sample."""

    def count(self, begin: int, end: int) -> int:
        """Return how many samples a window holds."""


@dataclass(slots=True)
class Span:
    """One run of what is measured. A counter begins at nothing with it."""

    begin: int
    end: int | None = None
    """The first moment at which it runs no more; None while it runs."""


@dataclass(frozen=True, slots=True)
class Grid:
    """When one target is scraped."""

    interval: int
    offset: int

    def first(self, begin: int) -> int:
        """Return the number of the first tick at or after `begin`."""
        return -((self.offset - begin) // self.interval)

    def last(self, end: int) -> int:
        """Return the number of the last tick at or before `end`."""
        return (end - self.offset) // self.interval

    def time(self, tick: int) -> int:
        return tick * self.interval + self.offset


class Formula:
    """A series whose value at any tick is computed, so that what is past never changes and nothing is kept."""

    __slots__ = ("_horizon", "_spans", "_turns", "_value", "grid", "labels", "stale_marks")

    def __init__(
        self,
        labels: Labels,
        grid: Grid,
        spans: Sequence[Span],
        value: Callable[[int, int], float],
        horizon: Callable[[], int],
        *,
        turns: Sequence[int] = (),
        stale_marks: bool = True,
    ) -> None:
        """`value` takes the moment and the begin of the run that it belongs to; it may fall within a run only at one of
        `turns`. `horizon` is now: what is to come has not been scraped. Without `stale_marks` a series that ended is
        still seen for the time of the lookback."""
        self.labels = labels
        self.grid = grid
        self.stale_marks = stale_marks
        self._spans = spans
        self._value = value
        self._horizon = horizon
        self._turns = turns

    def at(self, moment: int) -> tuple[int, float] | None:
        now = self._horizon()
        tick = self.grid.last(min(moment, now))
        for span in reversed(self._spans):
            low, high = self._ticks(span, now)
            if low > tick:
                continue
            if high < tick and self.stale_marks and low <= high:
                return None
            last = min(high, tick)
            if last < low:
                continue
            time = self.grid.time(last)
            return (time, self._value(time, span.begin)) if time >= moment - LOOKBACK_MS else None
        return None

    def window(self, begin: int, end: int) -> Samples:
        times: list[int] = []
        values: list[float] = []
        for span, low, high in self._within(begin, end):
            for tick in range(low, high + 1):
                time = self.grid.time(tick)
                times.append(time)
                values.append(self._value(time, span.begin))
        return times, values

    def edges(self, begin: int, end: int) -> Edges | None:
        parts = self._within(begin, end)
        if not parts:
            return None
        lost, before = 0.0, None
        for span, low, high in parts:
            if before is not None:
                begun = self._value(self.grid.time(low), span.begin)
                lost += before if begun < before else 0.0
            lost += self._lost(span, low, high) if self._turns else 0.0
            before = self._value(self.grid.time(high), span.begin)
        assert before is not None  # noqa: S101 - for the type checker: there is at least one part
        first_span, first, _ = parts[0]
        return Edges(
            first=self.grid.time(first),
            first_value=self._value(self.grid.time(first), first_span.begin),
            last=self.grid.time(parts[-1][2]),
            last_value=before,
            count=sum(high - low + 1 for _, low, high in parts),
            lost=lost,
        )

    def count(self, begin: int, end: int) -> int:
        return sum(high - low + 1 for _, low, high in self._within(begin, end))

    def _lost(self, span: Span, low: int, high: int) -> float:
        """Return what was lost at turns between two ticks of one run."""
        found = 0.0
        for turn in self._turns[bisect_right(self._turns, self.grid.time(low)) :]:
            tick = self.grid.first(turn)
            if tick > high:
                break
            before, after = (self._value(self.grid.time(one), span.begin) for one in (max(tick - 1, low), tick))
            found += before if after < before else 0.0
        return found

    def _ticks(self, span: Span, now: int) -> tuple[int, int]:
        end = now if span.end is None else min(span.end - 1, now)
        return self.grid.first(span.begin), self.grid.last(end)

    def _within(self, begin: int, end: int) -> list[tuple[Span, int, int]]:
        """Return each run that has samples in the window, with its first and last tick there."""
        now = self._horizon()
        first, last = self.grid.first(begin), self.grid.last(end)
        found = []
        for span in self._spans:
            low, high = self._ticks(span, now)
            low, high = max(low, first), min(high, last)
            if low <= high:
                found.append((span, low, high))
        return found


class Recorded:
    """A series whose samples are written down. A value of None is the mark that it has ended."""

    __slots__ = ("_times", "_values", "labels")

    def __init__(self, labels: Labels, points: Sequence[tuple[int, float | None]] = ()) -> None:
        self.labels = labels
        self._times = [time for time, _ in points]
        self._values = [value for _, value in points]

    def add(self, time: int, value: float | None) -> None:
        self._times.append(time)
        self._values.append(value)

    def at(self, moment: int) -> tuple[int, float] | None:
        index = bisect_right(self._times, moment) - 1
        if index < 0 or self._times[index] < moment - LOOKBACK_MS:
            return None
        value = self._values[index]
        return None if value is None else (self._times[index], value)

    def window(self, begin: int, end: int) -> Samples:
        low, high = bisect_left(self._times, begin), bisect_right(self._times, end)
        pairs = zip(self._times[low:high], self._values[low:high], strict=True)
        found = [(time, value) for time, value in pairs if value is not None]
        return [time for time, _ in found], [value for _, value in found]

    def edges(self, begin: int, end: int) -> Edges | None:
        times, values = self.window(begin, end)
        if not times:
            return None
        lost = sum(before for before, after in itertools.pairwise(values) if after < before)
        return Edges(times[0], values[0], times[-1], values[-1], len(times), lost)

    def count(self, begin: int, end: int) -> int:
        return bisect_right(self._times, end) - bisect_left(self._times, begin)
