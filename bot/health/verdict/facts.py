"""What a verdict is made from: each part with the time at which it was true, or why it was not read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.health.facts import StuckFacts
from bot.health.verdict.signals import Burn, Signals
from bot.health.verdict.verdict import Verdict
from bot.model.alerts import Severity
from bot.model.release import Release
from bot.ports import Application

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reading(Generic[T_co]):
    """What one system told, or why it told nothing. A system that the installation does not have has none at all."""

    value: T_co | None = None
    at: datetime | None = None
    """When it was asked."""
    problem: str = ""
    """A sentence for people: `Argo CD has not answered yet.` Empty: it was read, and `value` is all there is."""

    @property
    def is_read(self) -> bool:
        return not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFact:
    """A group of alerts that fires for the service here."""

    title: str
    severity: Severity
    since: datetime
    summary: str = ""
    """From outside: one line of what it says itself."""
    group: str = ""
    """Id of our group, where we have one: its card can be found by it."""
    silenced: bool = False
    """Somebody knows of it; the service is no better for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact:
    """The last thing that people changed there."""

    what: str
    """As its plan says it: `Deploy orders-api v1.4.2 to staging`."""
    by: str
    """As people call them: `Sample Author`."""
    at: datetime
    is_deploy: bool = False
    """Whether another version runs since then, which could be gone back from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyFact:
    """Something that the service depends on, in the same environment."""

    service: str
    verdict: Verdict | None = None
    problem: str = ""
    """Why there is no verdict, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFacts:
    """Everything that was seen of one service in one environment. None: the installation has no such system."""

    service: str
    environment: str
    now: datetime
    application: Reading[Application] | None = None
    """Argo CD. Read, and None inside: there is no Application."""
    cluster: Reading[StuckFacts] | None = None
    """Workloads, pods and what stands around them, without what Argo CD says."""
    release: Reading[Release] | None = None
    """What was decided to run there."""
    signals: Reading[Signals] | None = None
    burns: Reading[tuple[Burn, ...]] | None = None
    alerts: Reading[tuple[AlertFact, ...]] | None = None
    change: Reading[ChangeFact] | None = None
    dependencies: tuple[DependencyFact, ...] = ()
