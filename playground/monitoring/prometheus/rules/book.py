"""Every rule that counts now: those of PrometheusRule objects, and of sample services that have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from playground.kubernetes.controllers.objects import Object, name_of, namespace_of, spec_of, uid_of
from playground.kubernetes.objects import Objects
from playground.monitoring.living import ENVIRONMENTS, SAMPLES, LivingServices
from playground.monitoring.prometheus.promql.errors import BadQuery
from playground.monitoring.prometheus.rules.evaluating import Active, RuleState
from playground.monitoring.prometheus.rules.model import Group, groups_of
from playground.monitoring.prometheus.rules.samples import sample_rules

RULES = ("monitoring.coreos.com", "prometheusrules")
FOLDER = "/etc/prometheus/rules"
Found = tuple[str, Callable[[], tuple[Group, ...]]]
"""What a source says now, so that it is read again when that is something else; and how it is read."""


class GroupState:
    def __init__(self, group: Group) -> None:
        self.group = group
        self.rules = [RuleState(rule) for rule in group.rules]
        self.evaluated_at: int | None = None

    def is_due(self, at: int) -> bool:
        return self.evaluated_at is None or at - self.evaluated_at >= self.group.interval

    def take_over(self, before: GroupState) -> None:
        """Go on with the alerts of rules that are the same as before."""
        known = {state.rule: state for state in before.rules}
        self.rules = [known.get(state.rule, state) for state in self.rules]
        self.evaluated_at = before.evaluated_at


class Book:
    def __init__(self, living: LivingServices, objects: Objects) -> None:
        self._living = living
        self._objects = objects
        self._read: dict[str, str] = {}
        """Source → what it said when it was read."""
        self._groups: dict[str, list[GroupState]] = {}
        self.problems: dict[str, str] = {}
        """Source → why it was not loaded. What it said before stays."""
        self.left: list[Active] = []
        """Alerts of rules that are there no more; they have ended."""

    def refresh(self, at: int) -> None:
        """Read what has changed."""
        found = dict(self._sources())
        for source in [source for source in self._groups if source not in found]:
            self._leave(self._groups.pop(source), at)
            self._read.pop(source, None)
            self.problems.pop(source, None)
        for source, (version, read) in found.items():
            if self._read.get(source) == version:
                continue
            self._read[source] = version
            try:
                fresh = [GroupState(group) for group in read()]
            except (BadQuery, ValueError, KeyError, TypeError, AttributeError) as error:
                self.problems[source] = str(error)
                continue
            self.problems.pop(source, None)
            self._replace(source, fresh, at)

    def groups(self) -> list[GroupState]:
        return [group for source in sorted(self._groups) for group in self._groups[source]]

    def alerts(self) -> Iterator[tuple[RuleState, Active]]:
        for group in self.groups():
            for state in group.rules:
                for active in state.active.values():
                    yield state, active

    def _replace(self, source: str, fresh: list[GroupState], at: int) -> None:
        before = {state.group.name: state for state in self._groups.get(source, ())}
        for state in fresh:
            if state.group.name in before:
                state.take_over(before[state.group.name])
        kept = {id(rule) for state in fresh for rule in state.rules}
        for state in before.values():
            self._end([rule for rule in state.rules if id(rule) not in kept], at)
        self._groups[source] = fresh

    def _leave(self, groups: list[GroupState], at: int) -> None:
        for group in groups:
            self._end(group.rules, at)

    def _end(self, rules: list[RuleState], at: int) -> None:
        for state in rules:
            state.end_others((), at)
            for active in state.active.values():
                if active.state == "firing":
                    active.state, active.resolved_at = "inactive", at
                    self.left.append(active)

    def _sources(self) -> Iterator[tuple[str, Found]]:
        watched = set()
        for obj in self._objects.all(RULES):
            watched.add(namespace_of(obj))
            source = f"{FOLDER}/{namespace_of(obj)}-{name_of(obj)}-{uid_of(obj)}.yaml"
            yield source, (str(obj["metadata"]["resourceVersion"]), _reader(source, obj))
        for living in self._living.services():
            own = living.name in SAMPLES and living.environment in ENVIRONMENTS
            if own and living.namespace not in watched:
                source, spec = f"{FOLDER}/{living.namespace}-sample.yaml", sample_rules(living)
                yield source, (repr(spec), _samples(source, spec))


def _reader(source: str, obj: Object) -> Callable[[], tuple[Group, ...]]:
    return lambda: tuple(groups_of(source, spec_of(obj)))


def _samples(source: str, spec: Object) -> Callable[[], tuple[Group, ...]]:
    return lambda: tuple(groups_of(source, spec))
