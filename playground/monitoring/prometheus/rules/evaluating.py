"""One rule at one moment: what it records, and which of its alerts wait, fire and end."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

from playground.monitoring.prometheus.labels import NAME, Labels, labelled, unnamed
from playground.monitoring.prometheus.promql.compiling import compiled
from playground.monitoring.prometheus.promql.errors import BadQuery, Unevaluable
from playground.monitoring.prometheus.promql.model import Query, Vector
from playground.monitoring.prometheus.rules.model import Rule
from playground.monitoring.prometheus.rules.templates import expanded
from playground.monitoring.prometheus.samples import Recorded
from playground.monitoring.prometheus.storage import Storage

RETENTION_MS = 15 * 60_000
"""How long an alert that has ended is sent again, for an Alertmanager that did not hear it."""
ALERTS = "ALERTS"
"""The series of each alert that waits or fires."""
State = Literal["pending", "firing", "inactive"]


@dataclass(slots=True)
class Active:
    """One alert of a rule."""

    labels: Labels
    annotations: Labels
    value: float
    active_at: int
    """Milliseconds since 1970; so the others."""
    state: State = "pending"
    fired_at: int | None = None
    resolved_at: int | None = None
    kept_since: int | None = None
    """From when on it fires only because it is to be kept firing."""
    sent_at: int | None = None

    @property
    def has_told_its_end(self) -> bool:
        """Say whether Alertmanager has heard that it ended; within a leap of the clock it may end unheard."""
        return self.resolved_at is not None and self.sent_at is not None and self.sent_at >= self.resolved_at


@dataclass(slots=True)
class RuleState:
    rule: Rule
    active: dict[Labels, Active] = field(default_factory=dict)
    recorded: dict[Labels, Recorded] = field(default_factory=dict)
    error: str = ""
    evaluated_at: int | None = None
    _compiled: tuple[int, Query] | None = None

    def evaluate(self, storage: Storage, at: int) -> None:
        """Never raises: what cannot be computed is the rule's error, and its alerts stay as they are."""
        self.evaluated_at = at
        try:
            found = self._query(storage, at).values(at)
            if self.rule.records:
                self._record(found, storage, at)
            else:
                self._alert(found, at)
                self._show(storage, at)
        except (BadQuery, Unevaluable, RecursionError) as error:
            self.error = str(error) or type(error).__name__
        else:
            self.error = ""

    def _query(self, storage: Storage, at: int) -> Query:
        """Return the expression ready to be evaluated; the same as before as long as there are the same series."""
        kept = self._compiled
        if kept is None or kept[0] != storage.generation or kept[1].budget.once:
            kept = self._compiled = storage.generation, compiled(self.rule.expr, storage, at, at)
        kept[1].budget.read = 0
        return kept[1]

    def _record(self, found: Vector, storage: Storage, at: int) -> None:
        given = dict(self.rule.labels)
        seen: set[Labels] = set()
        for labels, value in found:
            named = labelled(dict(labels) | given | {NAME: self.rule.name})
            if named in seen:
                raise Unevaluable("vector contains metrics with the same labelset after applying rule labels")
            seen.add(named)
            self._add(storage, named, at, value)
        self.end_others(seen, at)

    def _add(self, storage: Storage, named: Labels, at: int, value: float) -> None:
        if named not in self.recorded:
            self.recorded[named] = Recorded(named)
            storage.add(self.recorded[named])
        self.recorded[named].add(at, value)

    def end_others(self, seen: Collection[Labels], at: int) -> None:
        """Mark the end of every series of the rule but these."""
        for named, series in self.recorded.items():
            if named not in seen and series.at(at) is not None:
                series.add(at, None)

    def _show(self, storage: Storage, at: int) -> None:
        """Record what waits and what fires, so that it can be asked for."""
        seen: set[Labels] = set()
        for active in self.active.values():
            if active.state != "inactive":
                named = labelled(dict(active.labels) | {NAME: ALERTS, "alertstate": active.state})
                seen.add(named)
                self._add(storage, named, at, 1.0)
        self.end_others(seen, at)

    def _alert(self, found: Vector, at: int) -> None:
        fresh = dict(self._instances(found))
        for labels, (told, value) in fresh.items():
            there = self.active.get(labels)
            if there is None or there.state == "inactive":
                self.active[labels] = Active(labels, told, value, at)
            else:
                there.annotations, there.value, there.kept_since = told, value, None
        for labels, active in list(self.active.items()):
            if labels not in fresh:
                self._end(active, at)
            elif active.state == "pending" and at - active.active_at >= self.rule.hold:
                active.state, active.fired_at = "firing", at

    def _instances(self, found: Vector) -> Iterator[tuple[Labels, tuple[Labels, float]]]:
        seen: set[Labels] = set()
        for labels, value in found:
            known = dict(unnamed(labels))
            given = {name: expanded(name, text, known, value) for name, text in self.rule.labels}
            named = labelled(known | given | {"alertname": self.rule.name})
            if named in seen:
                raise Unevaluable("vector contains metrics with the same labelset after applying alert labels")
            seen.add(named)
            told = {name: expanded(name, text, known, value) for name, text in self.rule.annotations}
            yield named, (labelled(told), value)

    def _end(self, active: Active, at: int) -> None:
        if active.state == "firing" and self.rule.keep:
            active.kept_since = active.kept_since if active.kept_since is not None else at
            if at - active.kept_since < self.rule.keep:
                return
        forgotten = (
            active.resolved_at is not None and at - active.resolved_at > RETENTION_MS and active.has_told_its_end
        )
        if active.state == "pending" or forgotten:
            del self.active[active.labels]
        elif active.state == "firing":
            active.state, active.resolved_at = "inactive", at
