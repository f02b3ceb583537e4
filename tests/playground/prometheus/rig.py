"""A measured past for tests: a clock to move, services to change, and what Prometheus would say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from playground.monitoring.incidents import Incidents
from playground.monitoring.living import Living, LivingServices, samples
from playground.monitoring.prometheus.lives import Life, Lives, Stretch
from playground.monitoring.prometheus.promql.compiling import compiled
from playground.monitoring.prometheus.promql.model import Vector
from playground.monitoring.prometheus.storage import Storage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORDERS = 'namespace="orders-api-production", service="orders-api"'
ORDERS_CONTAINER = 'namespace="orders-api-production", container="orders-api"'


class Scripted(LivingServices):
    """Lives as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self._told = tuple(samples())

    def services(self) -> tuple[Living, ...]:
        return self._told

    def change(self, name: str, environment: str = "production", **said: object) -> None:
        self._told = tuple(
            replace(one, **said) if one.key == (name, environment) else one  # type: ignore[arg-type]
            for one in self._told
        )
        self._tell()

    def only(self, environment: str) -> None:
        self._told = tuple(one for one in self._told if one.environment == environment)
        self._tell()

    def remove(self, name: str, environment: str = "production") -> None:
        self._told = tuple(one for one in self._told if one.key != (name, environment))
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


class Measured:
    """Begins at noon, with `history` before it."""

    def __init__(self, *, begin: datetime = NOON, history: timedelta = timedelta(days=35)) -> None:
        self.now = begin
        self.living = Scripted()
        self.incidents = Incidents(self.living, lambda: self.now)
        self.lives = Lives(self.incidents, lambda: self.now, history=history)
        self.storage = Storage(self.lives)
        self.lives.note()

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)

    def life(self, name: str, environment: str = "production") -> Life:
        return next(life for life in self.lives.all() if (life.name, life.environment) == (name, environment))

    def happen(self, name: str, stretch: Stretch) -> None:
        """Add to what has happened to a service in production."""
        self.life(name).add(stretch)
        self.lives.version += 1

    def ask(self, query: str, at: datetime | None = None) -> Vector:
        moment = round((at or self.now).timestamp() * 1000)
        self.storage.refresh()
        return compiled(query, self.storage, moment, moment).values(moment)

    def number(self, query: str, at: datetime | None = None) -> float:
        """Ask for exactly one value."""
        ((_, value),) = self.ask(query, at)
        return value
