"""What goes wrong with which service, from when until when: the story that all four peers tell.

An incident belongs to the version that ran when it began: it ends when another one runs. What was before it, and what
comes after it, is as if there had been none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from playground.monitoring.living import Living, LivingServices

KINDS = ("latency", "errors", "saturation")
FELT = 0.4
"""How much of an incident those feel who call the service: not each of their requests does."""
FAINTEST = 0.1
"""Less than that is not felt any more, however many services stand between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What is otherwise than usual at one moment. Nothing: `cause` is empty and every number 0.0."""

    extra_latency_s: float = 0.0
    """Seconds that a request takes longer."""
    error_share: float = 0.0
    """Share of requests that fail beyond the usual ones, from 0.0 to 1.0."""
    cpu_share: float = 0.0
    """Share of its limit of processor time that is used beyond the usual, from 0.0 to 1.0."""
    memory_share: float = 0.0
    throttled_share: float = 0.0
    """Share of scheduling periods in which it had to wait for the processor."""
    cause: str = ""
    """Name of the service whose incident this is; another one's name for what is only felt."""
    kind: str = ""
    since: float = 0.0
    """When it began, in seconds since 1970."""

    def felt(self, share: float) -> Effect:
        """Return what a caller notices: its own processor and memory have nothing to do with it."""
        return replace(
            self,
            extra_latency_s=self.extra_latency_s * share,
            error_share=self.error_share * share,
            cpu_share=0.0,
            memory_share=0.0,
            throttled_share=0.0,
        )


NOTHING = Effect()
EFFECTS = {
    "latency": Effect(extra_latency_s=1.6, cpu_share=0.1, kind="latency"),
    "errors": Effect(extra_latency_s=0.05, error_share=0.35, kind="errors"),
    "saturation": Effect(
        extra_latency_s=0.5,
        error_share=0.02,
        cpu_share=0.75,
        memory_share=0.45,
        throttled_share=0.6,
        kind="saturation",
    ),
}


@dataclass(frozen=True, slots=True)
class Incident:
    service: str
    environment: str
    kind: str
    image: str
    """What ran when it began."""
    began: float
    ended: float | None = None
    """Seconds since 1970; None while it runs."""

    def runs_at(self, at: float) -> bool:
        return self.began <= at and (self.ended is None or at < self.ended)


class Effects:
    """What the incidents do to services that live. It never changes."""

    def __init__(self, services: tuple[Living, ...], incidents: tuple[Incident, ...]) -> None:
        self.services = services
        self._depends_on = {one.key: one.depends_on for one in services}
        self._incidents = incidents

    def effect(self, service: str, environment: str, at: float) -> Effect:
        """Return what a service suffers at a moment (seconds since 1970): its own incident, else the worst of those
        that it calls."""
        return self._effect((service, environment), at, frozenset()) if self._incidents else NOTHING

    def _effect(self, key: tuple[str, str], at: float, seen: frozenset[str]) -> Effect:
        service, environment = key
        for incident in reversed(self._incidents):
            if (incident.service, incident.environment) == key and incident.runs_at(at):
                return replace(EFFECTS[incident.kind], cause=service, since=incident.began)
        called = [name for name in self._depends_on.get(key, ()) if name not in seen]
        effects = (self._effect((name, environment), at, seen | {service}) for name in called)
        worst = max(effects, key=_weight, default=NOTHING).felt(FELT)
        return worst if _weight(worst) >= FAINTEST else NOTHING


class Incidents:
    """Kept in one file, ended ones too: they are history, which a restart does not change."""

    def __init__(self, living: LivingServices, clock: Callable[[], datetime], file: Path | None = None) -> None:
        self.living = living
        self._clock = clock
        self._file = file
        self._all: list[Incident] = []
        if file is not None and file.exists():
            self._all = [Incident(**told) for told in json.loads(file.read_text())]
        self._effects: Effects | None = None
        living.on_change(self.end_outlived)
        self.end_outlived()

    def effect(self, service: str, environment: str, at: float) -> Effect:
        """Return what a service suffers at a moment, in seconds since 1970."""
        return self.effects().effect(service, environment, at)

    def effects(self) -> Effects:
        """Return what is known now; it stays as it is, so that another thread may read it."""
        services = self.living.services()
        if self._effects is None or self._effects.services is not services:
            self._effects = Effects(services, tuple(self._all))
        return self._effects

    def moments(self) -> tuple[float, ...]:
        """Return every moment at which one began or ended, in seconds since 1970: between them no effect changes."""
        return tuple(moment for one in self._all for moment in (one.began, one.ended) if moment is not None)

    def running(self) -> tuple[Incident, ...]:
        return tuple(one for one in self._all if one.ended is None)

    def begin(self, service: str, kind: str, environment: str = "production") -> Incident:
        """Begin one now; another one of the same place ends. Raise `ValueError` for what is not there."""
        if kind not in EFFECTS:
            raise ValueError(f"`kind` is one of {', '.join(KINDS)}")
        one = self.living.find(service, environment)
        if one is None:
            known = ", ".join(f"{living.name} in {living.environment}" for living in self.living.services())
            raise ValueError(f"no service {service!r} lives in {environment!r}; there are {known}")
        same = next((i for i in self.running() if (i.service, i.environment, i.kind) == (*one.key, kind)), None)
        if same is not None:
            return same
        self.end(service, environment)
        begun = Incident(service, environment, kind, one.image, self._now())
        self._all.append(begun)
        self._save()
        return begun

    def end(self, service: str | None = None, environment: str | None = None) -> int:
        """End those that run, of one service and environment where these are named. Return how many that were."""
        return self._end(lambda one: service in (None, one.service) and environment in (None, one.environment))

    def end_outlived(self) -> None:
        """End those whose version runs no more."""
        if self.running():
            images = {one.key: one.image for one in self.living.services()}
            self._end(lambda one: images.get((one.service, one.environment)) != one.image)

    def _end(self, fits: Callable[[Incident], bool]) -> int:
        ended = [one for one in self.running() if fits(one)]
        if ended:
            now = self._now()
            self._all = [replace(one, ended=now) if one in ended else one for one in self._all]
            self._save()
        return len(ended)

    def _now(self) -> float:
        return self._clock().timestamp()

    def _save(self) -> None:
        self._effects = None
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps([asdict(one) for one in self._all]))

    def told(self) -> dict[str, Any]:
        """Return what `GET /sim/incidents` answers."""
        return {
            "services": [_living(one) for one in self.living.services()],
            "running": [asdict(one) for one in self.running()],
        }


def _weight(effect: Effect) -> float:
    return effect.extra_latency_s + 10 * effect.error_share + effect.cpu_share


def _living(one: Living) -> dict[str, Any]:
    return {**asdict(one), "depends_on": list(one.depends_on), "pods": list(one.pods)}
