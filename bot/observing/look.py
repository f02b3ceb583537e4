"""One look at services: every system is asked at once, each in its own time, and what has arrived can be told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.catalog.dependencies import chain_of, dependencies_of
from bot.catalog.index import owner_of
from bot.deps import Deps
from bot.health.facts import StuckFacts
from bot.health.verdict import AlertFact, Burn, ChangeFact, HealthFacts, Reading, Signal, Signals, Verdict, compose
from bot.model.alerts import AlertGroup
from bot.model.release import Release
from bot.observing import cluster, decided
from bot.observing.asking import asked, unanswered
from bot.observing.firing import firing_here
from bot.observing.signals import held_to, quantile_of, read_burns, read_latency, read_signals
from bot.ports import Application, FiringGroup
from bot.rendering.delivery import Place

FIRST_S = 1.2
"""When the first answer is made, in seconds after asking: with the way to Slack it is there within 1.5."""
WINDOW, STEP = timedelta(hours=1), timedelta(minutes=1)
"""Over which signals are read."""
MOST_AT_ONCE = 16
"""Questions to one system at the same time."""
MOST_PLACES = 120
"""Services and environments of one look; more are not looked at."""

T = TypeVar("T")


async def pause(seconds: float) -> None:
    """Wait until the first answer is due. Tests put their own in its place."""
    await asyncio.sleep(seconds)


@dataclass(slots=True, kw_only=True)
class _Asked:
    """What was asked about one place. None: the installation has no such system."""

    release: asyncio.Task[Reading[Release]] | None = None
    application: asyncio.Task[Reading[Application]] | None = None
    cluster: asyncio.Task[Reading[StuckFacts]] | None = None
    signals: asyncio.Task[Reading[Signals]] | None = None
    latency: asyncio.Task[Reading[Signal]] | None = None
    burns: asyncio.Task[Reading[tuple[Burn, ...]]] | None = None
    change: asyncio.Task[Reading[ChangeFact]] | None = None


class Look:
    """Begin it for places, wait a while, and tell; then wait for the rest and tell again. Nothing is asked twice."""

    def __init__(self, deps: Deps, now: datetime) -> None:
        self._deps = deps
        self._now = now
        self._index = deps.catalog()
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._arrived = 0
        self._facts: dict[tuple[str, str], HealthFacts] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._book: asyncio.Task[Reading[tuple[AlertGroup, ...]]] | None = None
        self._firing: asyncio.Task[Reading[tuple[FiringGroup, ...]]] | None = None

    # --- asking

    def begin(self, places: Iterable[Place], *, closely: bool = False) -> None:
        """Ask about these places, and about what the services there depend on. `closely` asks for more of the places
        themselves: who changed them last, and how fast their error budgets are spent."""
        asked_for = list(places)
        for place in asked_for:
            self._begin(place, closely=closely)
        for place in asked_for:  # after all that was asked for: these are left out first where it becomes too much
            for name in chain_of(self._index, place.service):
                self._begin(self._beside(place, name), closely=False)
        self.begin_alerts()

    def _begin(self, place: Place, *, closely: bool) -> None:
        if len(self._asked) >= MOST_PLACES and _key(place) not in self._asked:
            return
        known = self._asked.setdefault(_key(place), _Asked())
        if known.signals is None and known.cluster is None and known.application is None:
            self._ask_usual(place, known)
        if closely and known.change is None:
            self._ask_closely(place, known)

    def _ask_usual(self, place: Place, known: _Asked) -> None:
        deps, now = self._deps, self._now
        if decided.keeps_release(place):
            known.release = self._ask("Git" if place.is_gitops else "The cluster", _release(place, deps))
        if place.is_gitops and (deployments := deps.deployments) is not None:
            known.application = self._ask("Argo CD", lambda: deployments.application(place.application))
        if (there := deps.clusters.get(place.settings.cluster)) is not None:
            known.cluster = self._ask("The cluster", lambda: cluster.look(place, there))
        if deps.metrics is not None:
            known.signals = self._ask("Prometheus", lambda: read_signals(place, deps, now - WINDOW, now, STEP))
            known.latency = self._ask("Prometheus", lambda: self._other_latency(place, known), after="Git")

    def _ask_closely(self, place: Place, known: _Asked) -> None:
        deps, now = self._deps, self._now
        known.change = self._ask("The history of operations", lambda: decided.read_change(place, deps, now))
        if deps.metrics is not None:
            known.burns = self._ask("Prometheus", lambda: self._burns(place, known), after="Git")

    def begin_alerts(self) -> None:
        """Ask what fires, for all places at once."""
        deps = self._deps
        if self._book is None and (book := deps.alert_book) is not None:
            self._book = self._ask("My record of alerts", book.firing)
        if self._firing is None and (alerts := deps.alerts) is not None:
            self._firing = self._ask("Alertmanager", alerts.groups)

    def _ask(self, who: str, ask: Callable[[], Awaitable[T | None]], *, after: str = "") -> asyncio.Task[Reading[T]]:
        """`after`: what it waits for first. It then stands in another line: nobody waits behind who waits."""
        turn = self._turns.setdefault(f"{who} after {after}", asyncio.Semaphore(MOST_AT_ONCE))
        task = asyncio.create_task(asked(who, ask, self._now, turn), name=f"look: {who}")
        self._tasks.add(task)
        return task

    async def _other_latency(self, place: Place, known: _Asked) -> Signal | None:
        """Return the latency that the objective is about, where that is another quantile than the usual one."""
        objectives = decided.promised(place, await _value(known.release))
        if quantile_of(objectives) == quantile_of(()):
            return None
        return await read_latency(place, self._deps, self._now - WINDOW, self._now, STEP, objectives=objectives)

    async def _burns(self, place: Place, known: _Asked) -> tuple[Burn, ...]:
        objectives = decided.promised(place, await _value(known.release))
        return await read_burns(place, self._deps, self._now, objectives)

    def _beside(self, place: Place, service: str) -> Place:
        found = self._index.service(service)
        owner = (owner_of(found.entity) if found is not None else None) or ""
        return replace(place, service=service, team=owner.rpartition("/")[2])

    # --- waiting

    @property
    def is_whole(self) -> bool:
        """Whether everything has arrived, or has been given up."""
        return all(task.done() for task in self._tasks)

    async def arrive(self, within: float = FIRST_S) -> None:
        """Wait until everything has arrived, at most `within` seconds."""
        if self.is_whole:
            return
        everything = asyncio.ensure_future(asyncio.wait(self._tasks))
        bell = asyncio.ensure_future(pause(within))
        await asyncio.wait({everything, bell}, return_when=asyncio.FIRST_COMPLETED)
        bell.cancel()
        everything.cancel()

    async def rest(self) -> None:
        """Wait for everything. It takes a bounded time: each system is given up by itself."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def give_up(self) -> None:
        """Ask no further: what has not arrived is not needed any more."""
        for task in self._tasks:
            task.cancel()

    # --- telling

    def knows(self, place: Place) -> bool:
        """Whether it was asked about: a look at too many places leaves out the last."""
        return _key(place) in self._asked

    def verdict(self, place: Place) -> Verdict:
        """Return what is to be said of a place by what has arrived so far."""
        self._forget_what_has_moved()
        if _key(place) not in self._verdicts:
            self._verdicts[_key(place)] = compose(
                place.service,
                facts=lambda name: self._facts_beside(place, name),
                dependencies=lambda name: dependencies_of(self._index, name),
            )
        return self._verdicts[_key(place)]

    def facts(self, place: Place) -> HealthFacts:
        """Return what has arrived so far about a place itself, without its dependencies."""
        self._forget_what_has_moved()
        if _key(place) not in self._facts:
            self._facts[_key(place)] = self._facts_of(place)
        return self._facts[_key(place)]

    def _forget_what_has_moved(self) -> None:
        """What is told several times for one answer is reckoned once, until more has arrived."""
        arrived = sum(task.done() for task in self._tasks)
        if arrived != self._arrived:
            self._arrived = arrived
            self._facts.clear()
            self._verdicts.clear()

    def _facts_of(self, place: Place) -> HealthFacts:
        known = self._asked[_key(place)]
        release = _told("Git" if place.is_gitops else "The cluster", known.release)
        return HealthFacts(
            service=place.service,
            environment=place.environment,
            now=self._now,
            application=_told("Argo CD", known.application),
            cluster=_told("The cluster", known.cluster),
            release=release,
            signals=self._signals(place, known, release),
            burns=_told("Prometheus", known.burns),
            alerts=self.alerts(place),
            change=self._change(known, release),
        )

    def _facts_beside(self, place: Place, name: str) -> HealthFacts | None:
        beside = place if name == place.service else self._beside(place, name)
        return self.facts(beside) if _key(beside) in self._asked else None

    def _signals(self, place: Place, known: _Asked, release: Reading[Release] | None) -> Reading[Signals] | None:
        read = _told("Prometheus", known.signals)
        if read is None or read.value is None:
            return read
        objectives = decided.promised(place, release.value if release is not None else None)
        other = _told("Prometheus", known.latency)
        held = held_to(read.value, objectives, other.value if other is not None else None)
        problems = (other.problem,) if other is not None and other.problem else ()
        return replace(read, value=replace(held, problems=tuple(dict.fromkeys((*held.problems, *problems)))))

    def alerts(self, place: Place) -> Reading[tuple[AlertFact, ...]] | None:
        book, firing = _told("My record of alerts", self._book), _told("Alertmanager", self._firing)
        if book is None and firing is None:
            return None
        known = book.value if book is not None and book.value is not None else ()
        told = firing.value if firing is not None and firing.value is not None else ()
        problem = next((one.problem for one in (firing, book) if one is not None and one.problem), "")
        return Reading(firing_here(place, known, told), at=self._now, problem=problem)

    def _change(self, known: _Asked, release: Reading[Release] | None) -> Reading[ChangeFact] | None:
        read = _told("The history of operations", known.change)
        if read is None or read.value is not None:
            return read
        return replace(read, value=decided.change_of(release.value if release is not None else None))


def _key(place: Place) -> tuple[str, str]:
    return place.service, place.environment


def _release(place: Place, deps: Deps) -> Callable[[], Awaitable[Release | None]]:
    return lambda: decided.read_release(place, deps)


async def _value(task: asyncio.Task[Reading[T]] | None) -> T | None:
    return (await asyncio.shield(task)).value if task is not None else None


def _told(who: str, task: asyncio.Task[Reading[T]] | None) -> Reading[T] | None:
    if task is None:
        return None
    return task.result() if task.done() else unanswered(who)
