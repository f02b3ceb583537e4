"""Asks every system what it knows of a symptom: first all that can be asked at once, then what depends on when it
began. What has arrived can be told at any time; what has not is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.databases.state import STUCK, read_state
from bot.deps import Deps
from bot.errors import Refused
from bot.explaining import evidence
from bot.explaining.changes import changes_of, versions_of, with_commits
from bot.explaining.facts import AlertSeen, Case, Changed, Exemplar, Moved, NewLine, Trouble
from bot.explaining.grounds import LOOK_BACK, is_before
from bot.explaining.nodes import lost_nodes
from bot.explaining.places import Spot, spots_of
from bot.explaining.ranking import causes
from bot.explaining.signals import moves_of
from bot.explaining.troubles import troubles_of
from bot.health import parsing
from bot.health.verdict import Reading, Signal, Signals
from bot.model.alerts import AlertGroup
from bot.model.operation import OperationView
from bot.model.release import Release
from bot.observing.asking import asked
from bot.observing.cluster import ENVIRONMENT, SERVICE
from bot.observing.decided import keeps_release, promised, read_release
from bot.observing.firing import firing_here
from bot.observing.signals import read_signals
from bot.ports import Cluster, Comparison
from bot.releases.reading import compared
from bot.rendering.delivery import Place
from bot.rendering.stores import store_of

WINDOW, STEP = timedelta(hours=3), timedelta(seconds=90)
"""Over which signals are read: long enough for the hours before, fine enough for what a rate over minutes can tell."""
MOST_COMPARED = 2
"""Deploys whose commits are looked up."""
MOST_AT_ONCE = 16
"""Questions to one system at the same time."""

T = TypeVar("T")


class Gathering:
    """What is being found out about one service in one environment."""

    def __init__(self, place: Place, deps: Deps, now: datetime, *, readable: Callable[[str], bool]) -> None:
        """`readable` tells whether whoever asks may read what a service writes."""
        self.spots = spots_of(deps.catalog(), place)
        self.place = place
        self.now = now
        self.signals: dict[str, tuple[Signal, ...]] = {}
        self.releases: dict[str, Release | None] = {}
        self._deps = deps
        self._readable = readable
        self._views: dict[str, tuple[OperationView, ...]] = {}
        self._troubles: dict[str, tuple[Trouble, ...]] = {}
        self._alerts: list[AlertSeen] = []
        self._lines: dict[str, tuple[NewLine, ...]] = {}
        self._exemplar: Exemplar | None = None
        self._has_pods = False
        self._brought: dict[str, Comparison | None] = {}
        self._open: dict[str, int] = {}
        self._problems: dict[str, None] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def run(self) -> None:
        """Ask for everything. Raises nothing that a system is to blame for, and takes a bounded time: each system is
        given up by itself."""
        await asyncio.gather(self._alert_groups(), *map(self._service, self.spots))
        await asyncio.gather(*self._closer(self.case()))

    # --- what is known so far

    def case(self) -> Case:
        moves = {spot.service: moves_of(spot.service, self.signals.get(spot.service, ())) for spot in self.spots}
        beside = [one for spot in self.spots[1:] for one in moves[spot.service]]
        return Case(
            service=self.place.service,
            environment=self.place.environment,
            now=self.now,
            moved=moves[self.place.service],
            beside=tuple(sorted(beside, key=lambda one: (one.since, one.service, one.name))),
            changes=self._changes(),
            troubles=tuple(one for found in self._troubles.values() for one in found),
            alerts=tuple(sorted(self._alerts, key=lambda one: (one.at, one.service, one.title))),
            lines=tuple(one for found in self._lines.values() for one in found),
            exemplar=self._exemplar,
            paths={spot.service: spot.path for spot in self.spots},
            there=self._is_there(),
            missing=(
                *self._problems,
                *(f"{who} has not answered yet." for who, number in self._open.items() if number),
            ),
        )

    def _is_there(self) -> bool:
        release = self.releases.get(self.place.service)
        deployed = release is not None and release.current is not None
        return deployed or self._has_pods or bool(self.signals.get(self.place.service))

    def _changes(self) -> tuple[Changed, ...]:
        found: list[Changed] = []
        for spot in self.spots:
            views = self._views.get(spot.service, ())
            every = changes_of(spot.place, views, self.releases.get(spot.service))
            found += [
                with_commits(one, self._brought.get(one.operation))
                for one in every
                if one.at >= self.now - WINDOW - LOOK_BACK
            ]
        return tuple(sorted(found, key=lambda one: (-one.at.timestamp(), one.service, one.what)))

    # --- asking, at once

    async def _service(self, spot: Spot) -> None:
        await asyncio.gather(self._decided(spot), self._history(spot), self._broken(spot))

    async def _decided(self, spot: Spot) -> None:
        """Read the release, and then what is held against it: signals against objectives, a database by its name."""
        place = spot.place
        if keeps_release(place):
            who = "Git" if place.is_gitops else "The cluster"
            self.releases[spot.service] = await self._ask(who, lambda: read_release(place, self._deps))
        await asyncio.gather(self._measured(spot), self._database(spot))

    async def _measured(self, spot: Spot) -> None:
        if self._deps.metrics is None:
            return
        release = self.releases.get(spot.service)
        found = await self._ask("Prometheus", lambda: self._signals_of(spot.place, release))
        if found is not None:
            self.signals[spot.service] = found.signals
            self._problems |= dict.fromkeys(found.problems)

    async def _signals_of(self, place: Place, release: Release | None) -> Signals:
        objectives = promised(place, release)
        return await read_signals(place, self._deps, self.now - WINDOW, self.now, STEP, objectives=objectives)

    async def _history(self, spot: Spot) -> None:
        begin = self.now - WINDOW - LOOK_BACK
        found = await self._ask("The history of operations", lambda: self._deps.history(spot.service, begin, self.now))
        self._views[spot.service] = found or ()

    async def _broken(self, spot: Spot) -> None:
        cluster = self._deps.clusters.get(spot.place.settings.cluster)
        if cluster is not None:
            since = self.now - WINDOW - LOOK_BACK
            found = await self._ask("The cluster", lambda: _troubles(spot.place, cluster, since))
            broken, pods = found or ((), 0)
            self._troubles[spot.service] = (*self._troubles.get(spot.service, ()), *broken)
            self._has_pods |= spot.place == self.place and pods > 0

    async def _database(self, spot: Spot) -> None:
        place, release = spot.place, self.releases.get(spot.service)
        store = store_of(release, place) if release is not None else None
        if store is None or store.cluster not in self._deps.clusters:
            return
        found = await self._ask("The cluster", lambda: read_state(store, self._deps))
        if found is not None and found.word == STUCK:
            told = troubles_of(place.service, place.environment, database=found.sentence)
            self._troubles[spot.service] = (*self._troubles.get(spot.service, ()), *told)

    async def _alert_groups(self) -> None:
        book, alerts = self._deps.alert_book, self._deps.alerts
        groups: tuple[AlertGroup, ...] = ()
        if book is not None:
            begin = self.now - WINDOW
            read = [
                self._ask("My record of alerts", partial(book.between, begin, self.now, service=spot.service))
                for spot in self.spots
            ]
            groups = tuple(group for found in await asyncio.gather(*read) for group in found or ())
        told = await self._ask("Alertmanager", alerts.groups) if alerts is not None else None
        runbooks = {group.id: group.runbook_url for group in groups}
        for spot in self.spots:
            self._alerts += [
                AlertSeen(
                    service=spot.service,
                    title=one.title[:120],
                    at=one.since,
                    runbook_url=runbooks.get(one.group, ""),
                )
                for one in firing_here(spot.place, groups, told or ())
                if not one.silenced
            ]

    # --- asking, once it is known when it began

    def _closer(self, case: Case) -> Iterator[Awaitable[None]]:
        since = case.since
        if since is None:
            return
        end = case.symptom.until if case.symptom is not None and case.symptom.until is not None else self.now
        suspects = {self.place.service, *(one.service for one in causes(case)[:2])}
        for spot in self.spots:
            if spot.service in suspects:
                yield self._new_lines(spot, since, end)
        yield self._trace(case.symptom, since, end)
        near = [one for one in case.changes if one.commit and is_before(one.at, since)]
        for change in near[:MOST_COMPARED]:
            yield self._compare(change)

    async def _new_lines(self, spot: Spot, since: datetime, end: datetime) -> None:
        logs = self._deps.logs
        if logs is not None:
            found = await self._ask("Loki", lambda: evidence.read_new_lines(spot.place, self._deps, logs, since, end))
            told = found or ()
            if not self._readable(spot.service):
                told = tuple(replace(one, pattern="", example="") for one in told)
            self._lines[spot.service] = told

    async def _trace(self, symptom: Moved | None, since: datetime, end: datetime) -> None:
        traces = self._deps.traces
        if traces is not None:
            self._exemplar = await self._ask(
                "Tempo",
                lambda: evidence.read_exemplar(self.place, self._deps, traces, symptom, (since, end)),
            )

    async def _compare(self, change: Changed) -> None:
        commits = versions_of(change, self.releases.get(change.service))
        release = self.releases.get(change.service)
        if commits is not None and release is not None and release.repository:
            self._brought[change.operation] = await self._ask(
                "The place of its source", lambda: compared(self._deps, release.repository, *commits)
            )

    async def _ask(self, who: str, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        """Return what `who` answers, None where it answers nothing; why is kept for `missing`."""
        turn = self._turns.setdefault(who, asyncio.Semaphore(MOST_AT_ONCE))
        self._open[who] = self._open.get(who, 0) + 1
        try:
            read: Reading[T] = await asked(who, ask, self.now, turn)
        finally:
            self._open[who] -= 1
        if read.problem:
            self._problems[read.problem] = None
        return read.value


async def _troubles(place: Place, cluster: Cluster, since: datetime) -> tuple[tuple[Trouble, ...], int]:
    """Look at the pods, their nodes and what was noted about them since then; return how many pods there are, too."""
    labels = {SERVICE: place.service, ENVIRONMENT: place.environment}
    pods = [parsing.pod(one) for one in await cluster.list("v1", "Pod", namespace=place.namespace, labels=labels)]
    try:
        events = [parsing.event(one) for one in await cluster.list("v1", "Event", namespace=place.namespace)]
    except Refused:
        events = []  # the pods tell the rest
    names = {one.name for one in pods} | {place.service}
    about = [one for one in events if one.name in names or one.name.startswith(f"{place.service}-")]
    nodes = await lost_nodes(cluster, pods)
    broken = troubles_of(place.service, place.environment, pods=pods, events=about, nodes=nodes, since=since)
    return broken, len(pods)
