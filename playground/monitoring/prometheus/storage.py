"""Every series there is, found by its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from playground.kubernetes.objects import Objects
from playground.monitoring.prometheus.flows import Flow
from playground.monitoring.prometheus.ingress import Asked, hosts_of, ingress_series
from playground.monitoring.prometheus.labels import NAME, Matcher, value_of
from playground.monitoring.prometheus.lives import Key, Life, Lives
from playground.monitoring.prometheus.machines import deployment_series, machine_series, state_series
from playground.monitoring.prometheus.requests import request_series
from playground.monitoring.prometheus.runs import Run, Runs, Telling
from playground.monitoring.prometheus.samples import Formula, Series

KEPT = 4096
"""So many selections are remembered."""
More = Callable[[], Iterable[Series]]


class Storage:
    """Made of lives as they are asked for: while nobody asks, nothing is made."""

    def __init__(self, lives: Lives, *, objects: Objects | None = None, asked: Asked | None = None) -> None:
        self.lives = lives
        self.asked = asked or Asked()
        self._objects = objects
        self._runs: dict[Key, Runs] = {}
        self._hosts: set[tuple[Key, str]] = set()
        self._asked: set[str] = set()
        self._series: dict[str, list[Series]] = {}
        """By the metric's name."""
        self._selected: dict[tuple[Matcher, ...], list[Series]] = {}
        self._read = -1
        self.generation = 0
        """Grows with each series that is new: until then a selection stays what it is."""

    def add(self, series: Series) -> None:
        self._series.setdefault(value_of(series.labels, NAME), []).append(series)
        self._selected.clear()
        self.generation += 1

    def refresh(self) -> None:
        """Make the series of what is new."""
        self.lives.note()
        for host in self.asked.hosts:
            if host not in self._asked:
                self._asked.add(host)
                self.add(self.asked.series(host, self.lives.now))
        if self._read == self.lives.version:
            return
        self._read = self.lives.version
        for life in self.lives.all():
            for series in self._follow(life):
                self.add(series)

    def select(self, matchers: Sequence[Matcher]) -> Sequence[Series]:
        key = tuple(matchers)
        found = self._selected.get(key)
        if found is None:
            words = [(one.name, one.word()) for one in matchers]
            found = [
                series
                for series in self._candidates(matchers)
                if all(fits(value_of(series.labels, name)) for name, fits in words)
            ]
            found.sort(key=lambda series: series.labels)
            if len(self._selected) >= KEPT:
                self._selected.clear()
            self._selected[key] = found
        return found

    def everything(self) -> Iterator[Series]:
        for series in self._series.values():
            yield from series

    def _candidates(self, matchers: Sequence[Matcher]) -> Iterable[Series]:
        named = next((one for one in matchers if one.name == NAME and one.operator == "="), None)
        return self._series.get(named.value, ()) if named else self.everything()

    def _follow(self, life: Life) -> Iterator[Formula]:
        runs = self._runs.get(life.key)
        if runs is None:
            telling = Telling(life, Flow(life.name, life.environment), self.lives.now)
            runs = self._runs[life.key] = Runs(telling)
            yield from deployment_series(telling, runs)
        for run in list(runs.follow()):
            yield from _of_pod(runs.telling, run)
        if runs.telling.flow.base:
            for host in hosts_of(life, self._objects):
                if (life.key, host) not in self._hosts:
                    self._hosts.add((life.key, host))
                    yield from ingress_series(runs.telling, host, runs.there)


def _of_pod(telling: Telling, run: Run) -> Iterator[Formula]:
    yield from request_series(telling, run)
    yield from machine_series(telling, run)
    yield from state_series(telling, run)
