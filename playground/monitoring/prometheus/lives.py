"""What was so from when on: the pods of each service and what it suffered. Only ever added to, and kept over restarts.

Series are computed from this, so that what was measured once is measured again for ever.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playground.kubernetes.objects import Objects
from playground.monitoring.incidents import NOTHING, Effect, Incidents
from playground.monitoring.living import Living
from playground.monitoring.prometheus.pods import PodState, pods_of

HISTORY = timedelta(days=35)
"""How long the sample company has been measured when the playground starts for the first time."""
Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was so without a change."""

    begin: int
    """Milliseconds since 1970."""
    pods: tuple[PodState, ...]
    wanted: int
    effect: Effect = NOTHING
    gone: bool = False

    @property
    def ready(self) -> int:
        return sum(pod.ready for pod in self.pods)

    def pod(self, name: str) -> PodState | None:
        return next((pod for pod in self.pods if pod.name == name), None)

    def same(self, other: Stretch) -> bool:
        mine, theirs = ((one.pods, one.wanted, one.effect, one.gone) for one in (self, other))
        return mine == theirs


@dataclass(slots=True)
class Life:
    """One service in one place."""

    name: str
    namespace: str
    environment: str
    team: str
    stretches: list[Stretch] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    """Of the stretches."""

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    def add(self, stretch: Stretch) -> bool:
        """Add what is so from now on; say whether it is anything new."""
        if self.stretches and self.stretches[-1].same(stretch):
            return False
        if self.stretches and stretch.begin <= self.stretches[-1].begin:  # within the same millisecond
            stretch = Stretch(self.stretches[-1].begin + 1, stretch.pods, stretch.wanted, stretch.effect, stretch.gone)
        self.stretches.append(stretch)
        self.begins.append(stretch.begin)
        return True


class Lives:
    def __init__(
        self,
        incidents: Incidents,
        clock: Callable[[], datetime],
        *,
        objects: Objects | None = None,
        file: Path | None = None,
        history: timedelta = HISTORY,
    ) -> None:
        self._incidents = incidents
        self._living = incidents.living
        self._clock = clock
        self._objects = objects
        self._file = file
        self._all: dict[Key, Life] = {}
        self._changed_at: int | None = None
        self.version = 0
        """Grows with each change."""
        now = self.now()
        self.origin = now - round(history.total_seconds() * 1000)
        self._noted = self.origin
        self._load()
        self._living.on_change(self._hear)

    def now(self) -> int:
        return round(self._clock().timestamp() * 1000)

    def all(self) -> list[Life]:
        return list(self._all.values())

    def _hear(self) -> None:
        """Remember when something changed; what it was is looked up when somebody asks."""
        if self._changed_at is None:
            self._changed_at = self.now()

    def note(self) -> None:
        """Write down what has changed since it was looked last. Cheap when nothing has."""
        now = self.now()
        moments = self._moments(now)
        if self._all and self._changed_at is None and not moments:
            return
        changed = min(self._changed_at, now) if self._changed_at is not None else now
        self._changed_at = None
        version = self.version
        for moment in moments:
            for life in self._all.values():
                self._suffer(life, moment)
        for living in self._living.services():
            self._look(living, changed)
        self._bury(changed)
        self._noted = now
        if self.version != version:
            self._save()

    def _moments(self, now: int) -> list[int]:
        """Return when incidents began and ended since it was looked last: the first millisecond of each."""
        times = (math.floor(moment * 1000) + 1 for moment in self._incidents.moments())
        return sorted({moment for moment in times if self._noted < moment <= now})

    def _suffer(self, life: Life, moment: int) -> None:
        last = life.stretches[-1]
        effect = self._incidents.effect(life.name, life.environment, moment / 1000)
        self.version += life.add(Stretch(moment, last.pods, last.wanted, effect, last.gone))

    def _look(self, living: Living, moment: int) -> None:
        key = (living.namespace, living.name)
        life = self._all.get(key)
        if life is None:
            life = self._all[key] = Life(living.name, living.namespace, living.environment, living.team)
            moment = self.origin if not living.since else moment
        if life.begins:  # an incident may have ended after the first of the changes that are looked at together
            moment = max(moment, life.begins[-1])
        effect = self._incidents.effect(living.name, living.environment, moment / 1000)
        pods = tuple(pods_of(living, self._objects))
        self.version += life.add(Stretch(moment, pods, living.wanted, effect))

    def _bury(self, moment: int) -> None:
        there = {(living.namespace, living.name) for living in self._living.services()}
        for key, life in self._all.items():
            if key not in there and not life.stretches[-1].gone:
                self.version += life.add(Stretch(moment, (), 0, NOTHING, gone=True))

    # --- kept

    def _load(self) -> None:
        if self._file is None or not self._file.exists():
            return
        kept = json.loads(self._file.read_text())
        self.origin, self._noted = kept["origin"], kept["noted"]
        for told in kept["lives"]:
            life = Life(*(told[word] for word in ("name", "namespace", "environment", "team")))
            for stretch in _stretches(told["stretches"]):
                life.add(stretch)
            self._all[life.key] = life
        self.version += 1
        self._hear()

    def _save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        lives = [
            {
                "name": life.name,
                "namespace": life.namespace,
                "environment": life.environment,
                "team": life.team,
                "stretches": [asdict(stretch) for stretch in life.stretches],
            }
            for life in self._all.values()
        ]
        self._file.write_text(json.dumps({"origin": self.origin, "noted": self._noted, "lives": lives}))


def _stretches(told: list[Mapping[str, Any]]) -> Iterator[Stretch]:
    for one in told:
        pods = tuple(PodState(**pod) for pod in one["pods"])
        yield Stretch(one["begin"], pods, one["wanted"], Effect(**one["effect"]), one["gone"])
