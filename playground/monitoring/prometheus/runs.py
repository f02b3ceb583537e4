"""The series of one service: made when a pod is first seen, ended when it is seen no more."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from playground.monitoring.prometheus.flows import Accumulated, Coefficients, Flow
from playground.monitoring.prometheus.labels import NAME, labelled
from playground.monitoring.prometheus.lives import Life, Stretch
from playground.monitoring.prometheus.pods import PodState
from playground.monitoring.prometheus.samples import Formula, Grid, Span
from playground.monitoring.traffic import share_of

Value = Callable[[int, int], float]
"""From a moment, and the begin of the run that it belongs to."""
INTERVAL_MS = 15_000
"""How often every target is scraped."""


def grid(*target: object) -> Grid:
    """Return when a target is scraped: each at its own time, and never at a whole second."""
    share = share_of("scrape", *target)
    return Grid(INTERVAL_MS, int(share * INTERVAL_MS / 1000) * 1000 + 137 + int(share * 7919) % 700)


@dataclass(slots=True)
class Run:
    """One pod: when there was one, and when it answered."""

    name: str
    state: PodState
    """What it was first seen as; what may change stands in the stretches."""
    exists: list[Span] = field(default_factory=list)
    answers: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class Telling:
    """What makers of series need of a service."""

    life: Life
    flow: Flow
    horizon: Callable[[], int]

    def stretch_at(self, moment: int) -> Stretch:
        return self.life.stretches[max(bisect_right(self.life.begins, moment) - 1, 0)]

    def accumulated(self, coefficients: Callable[[Stretch], Coefficients]) -> Accumulated:
        return Accumulated(self.life.begins, self.flow, lambda index: coefficients(self.life.stretches[index]))

    def series(self, name: str, target: Grid, spans: list[Span], value: Value, **labels: str) -> Formula:
        return Formula(labelled({NAME: name, **labels}), target, spans, value, self.horizon)

    def state(
        self, name: str, target: Grid, spans: list[Span], of: Callable[[Stretch], float], **labels: str
    ) -> Formula:
        """Return a series that is read off the stretches."""
        return Formula(
            labelled({NAME: name, **labels}),
            target,
            spans,
            lambda moment, _: of(self.stretch_at(moment)),
            self.horizon,
            turns=self.life.begins,
        )


def counter(*parts: Accumulated) -> Value:
    """Return whole numbers: each part only grows, and so does what they are together."""
    if len(parts) == 1:
        (only,) = parts
        return lambda moment, begin: float(math.floor(only.between(begin, moment)))
    return lambda moment, begin: float(sum(math.floor(part.between(begin, moment)) for part in parts))


class Portion:
    """A share of what another counter has counted: it never grows by more than that one does.

    The share changes from stretch to stretch, and is at most 1.
    """

    def __init__(self, begins: Sequence[int], whole: Value, share: Callable[[int], float]) -> None:
        """`begins` grows elsewhere; `share` takes the number of a stretch."""
        self._begins = begins
        self._whole = whole
        self._share = share
        self._parts: dict[int, list[tuple[float, float, float]]] = {}
        """Begin of a run → for its stretches: what had come together before, what the other counter had, the share."""

    def value(self, moment: int, begin: int) -> float:
        first = max(bisect_right(self._begins, begin) - 1, 0)
        index = max(bisect_right(self._begins, moment) - 1, first)
        parts = self._parts.setdefault(begin, [])
        while len(parts) <= index - first:
            at = first + len(parts)
            whole = self._whole(max(self._begins[at], begin), begin)
            together = parts[-1][0] + parts[-1][2] * (whole - parts[-1][1]) if parts else 0.0
            parts.append((together, whole, self._share(at)))
        before, whole, share = parts[index - first]
        return float(math.floor(before + share * (self._whole(moment, begin) - whole)))


class Runs:
    """Follows one life: `follow` reads the stretches that have been added since."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self.runs: dict[str, Run] = {}
        self.there: list[Span] = []
        """When there was such a service at all."""
        self._read = 0

    def follow(self) -> Iterator[Run]:
        """Yield each pod that is new."""
        for stretch in self.telling.life.stretches[self._read :]:
            self._read += 1
            _switch(self.there, stretch.begin, on=not stretch.gone)
            for pod in stretch.pods:
                if pod.name not in self.runs:
                    self.runs[pod.name] = Run(pod.name, pod)
                    yield self.runs[pod.name]
            for run in self.runs.values():
                found = stretch.pod(run.name)
                _switch(run.exists, stretch.begin, on=found is not None)
                _switch(run.answers, stretch.begin, on=found is not None and found.ready)


def _switch(spans: list[Span], moment: int, *, on: bool) -> None:
    running = bool(spans) and spans[-1].end is None
    if on and not running:
        spans.append(Span(moment))
    elif running and not on:
        spans[-1].end = moment
