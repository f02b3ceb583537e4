"""Deliveries that Argo CD cannot apply: one message for each application and commit, marked once it is well again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Set
from datetime import datetime, timedelta
from typing import Any

from bot.deps import Deps
from bot.health import delivery
from bot.health.facts import StuckFacts
from bot.model.notifications import News
from bot.notifications.streaks import Streaks
from bot.operations.seal import take_duty
from bot.ports import Application, Clock
from bot.releases.services import Service, services_of
from bot.rendering.delivery import Place
from bot.storage.database import Database

log = logging.getLogger(__name__)

DUTY = "notifications.sync"
EVERY = timedelta(minutes=1)
"""How often Argo CD is asked, by one replica."""
_BAD = ("Failed", "Error")
_WRONG = "Error"
"""Ends the type of a condition that keeps Argo CD from applying anything: `ComparisonError`, `SyncError`."""


class FailingDeliveries:
    """Looks at all applications of services, once a minute."""

    def __init__(self, deps: Deps, streaks: Streaks, database: Database, clock: Clock, *, replica: str) -> None:
        self._deps = deps
        self._streaks = streaks
        self._database = database
        self._clock = clock
        self._replica = replica
        self._looked_at: datetime | None = None

    async def tick(self) -> int:
        """Look, where it is time to; return how many fail. Raise `PlatformError` while Argo CD is out of sight: then
        nothing is told, and nothing is marked as well."""
        deployments, now = self._deps.deployments, self._clock()
        if deployments is None or (self._looked_at is not None and now - self._looked_at < EVERY):
            return 0
        self._looked_at = now
        async with self._database.write() as connection:
            if not await take_duty(connection, DUTY, self._replica, self._clock, 1.5 * EVERY.total_seconds()):
                return 0
        there = {one.name: one for one in await deployments.applications()}
        failing: dict[str, tuple[Service, dict[str, Any]]] = {}
        under_way: set[str] = set()
        for service, place in self._places():
            key, application = f"sync:{place.application}", there.get(place.application)
            facts = broken(application, place) if application is not None else None
            if await self._deps.in_lane(place.lane):  # an operation tells what becomes of it itself
                under_way.add(key)
            elif facts is not None:
                failing[key] = (service, {**facts, "url": deployments.web_url(place.application)})
        await self._tell(failing, under_way)
        return len(failing)

    def _places(self) -> Iterator[tuple[Service, Place]]:
        for service in services_of(self._deps.catalog()):
            for environment in self._deps.platform.environments:
                place = service.place(self._deps, environment)
                if place.is_gitops:
                    yield service, place

    async def _tell(self, failing: Mapping[str, tuple[Service, dict[str, Any]]], under_way: Set[str]) -> None:
        async with self._streaks.changing() as connection:
            known = {one.key: one for one in await self._streaks.all_open(connection, News.SYNC)}
            for key, streak in known.items():
                now = failing.get(key)
                if key in under_way or (now is not None and now[1]["revision"] == streak.facts.get("revision")):
                    continue
                said = "It is delivered again." if now is None else "Another commit has come, and fails as well."
                facts = {**streak.facts, "overtaken": now is not None}
                await self._streaks.end(connection, streak, facts, said)
            for key, (service, facts) in failing.items():
                before = known.get(key)
                if before is None or before.facts.get("revision") != facts["revision"]:
                    await self._streaks.begin(connection, News.SYNC, key, service.owner, facts)


def broken(application: Application, place: Place) -> dict[str, Any] | None:
    """Return what a card says of an application that cannot be applied; None for one that can."""
    operation = application.operation
    fails = operation is not None and operation.phase in _BAD
    if not fails and not any(kind.endswith(_WRONG) for kind, _ in application.conditions):
        return None
    seen = StuckFacts(
        service=place.service,
        environment=place.environment,
        namespace=place.namespace,
        delivered_by=place.application,
        application=application,
    )
    reason = delivery.reason(seen)
    if reason is None:
        return None
    return {
        "service": place.service,
        "environment": place.environment,
        "revision": (operation.revision if fails and operation else "") or application.revision,
        "sentence": reason.sentence,
        "next_step": reason.next_step,
    }
