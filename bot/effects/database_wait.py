"""Follows a database until it is ready: tells how far it is, and why it is stuck, and goes on looking."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from bot.effects.sight import Shelf, Sight
from bot.errors import UpstreamUnavailable
from bot.health.databases import Database, DatabaseFacts, is_ready, progress, read_database_facts, why_not_ready
from bot.health.databases.reading import LABEL, is_cluster
from bot.health.reason import Reason
from bot.model.effect import Outcome, Reporter
from bot.ports import Cluster, Object, Pause, Waiting

TICK_S = 5.0
"""Between two looks of our own accord: events, volumes and Secrets tell us nothing by themselves."""
LONGEST_PAUSE_S = 60.0
"""What stays the same is looked at less and less often, at last after this long."""


class DatabaseWait:
    """One attempt. Keeps nothing that the next one would need."""

    def __init__(
        self, database: Database, cluster: Cluster, waiting: Waiting, report: Reporter, patience_s: float
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._waiting = waiting
        self._report = report
        self._patience_s = patience_s
        self._sight = Sight()
        self._main: Shelf[object] = Shelf(_what_moves)
        self._pods: Shelf[object] = Shelf(_what_moves)
        self._waited = 0.0
        """Seconds of our own pauses: an effect has no clock."""
        self._moved_at = 0.0
        self._told: set[str] = set()
        self._seen: object = None
        self._read_at = -LONGEST_PAUSE_S
        self._pause = TICK_S
        self._facts: DatabaseFacts | None = None
        self._problem = ""
        self._stuck: Reason | None = None

    async def until_ready(self) -> Outcome:
        with self._waiting.listening() as pause:
            async with self._sight.open(*self._feeds(), self._tick(pause)):
                while True:
                    await self._sight.news()
                    await self._look()
                    if self._facts is not None and is_ready(self._facts):
                        return self._outcome(self._facts)
                    await self._tell()

    def _feeds(self) -> list[Awaitable[None]]:
        main, cluster, sight = self._database.main, self._cluster, self._sight
        if main is None:
            return []
        watch = cluster.watch(main.api_version, main.kind, namespace=main.namespace, name=main.name)
        feeds: list[Awaitable[None]] = [sight.follow_objects(self._main, watch)]
        if is_cluster(main):
            pods = cluster.watch("v1", "Pod", namespace=main.namespace, labels={LABEL: main.name})
            feeds.append(sight.follow_objects(self._pods, pods))
        return feeds

    async def _tick(self, pause: Pause) -> None:
        self._sight.changed.set()
        while True:
            await pause(TICK_S)
            self._waited += TICK_S
            self._sight.changed.set()

    async def _look(self) -> None:
        """Read everything anew where something has moved, or from time to time."""
        seen = (dict(self._main), dict(self._pods), self._main.in_sight)
        moved = seen != self._seen
        if not moved and self._waited - self._read_at < self._pause:
            return
        before = self._facts
        self._seen, self._read_at = seen, self._waited
        try:
            self._facts, self._problem = await read_database_facts(self._cluster, self._database), ""
        except UpstreamUnavailable as error:
            self._problem = error.while_waiting()
        same = not moved and before == self._facts
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S) if same else TICK_S

    async def _tell(self) -> None:
        text = progress(self._facts) if self._facts is not None else "Looking at it."
        if text not in self._told:
            self._told.add(text)
            self._moved_at = self._waited
        reason = self._reason()
        if self._stuck is not None and self._stuck.final and not _same(self._stuck, reason):
            self._moved_at = self._waited  # somebody has mended it
        self._stuck = self._due(reason)
        if self._stuck is not None:
            await self._report(str(self._stuck), stalled=True)
        else:
            await self._report(self._problem or text)

    def _reason(self) -> Reason | None:
        if self._problem:
            return Reason(self._problem, "Wait, or keep things as they are.")
        return why_not_ready(self._facts) if self._facts is not None else None

    def _due(self, reason: Reason | None) -> Reason | None:
        """Keep the words of a reason that only counts on: each new text is written down."""
        patience_is_over = self._waited - self._moved_at >= self._patience_s
        if reason is None or not (reason.final or patience_is_over):
            return None
        return self._stuck if self._stuck is not None and _same(self._stuck, reason) else reason

    def _outcome(self, facts: DatabaseFacts) -> Outcome:
        instances, database = facts.instances, facts.database
        several = instances is not None and instances.wanted > 1
        told = f" with {instances.ready} of {instances.wanted} instances" if instances and several else ""
        cloud = f"; the cloud calls it {facts.external_name}" if facts.external_name else ""
        return Outcome(
            seen=f"the database {database.name} is ready{told}{cloud}",
            changed=False,
            outputs={"state": "ready", "host": facts.host, "external_name": facts.external_name},
        )


def _what_moves(obj: Object) -> object:
    """Return of an object what may change its readiness: all but what servers count by themselves."""
    return {key: obj.get(key) for key in ("spec", "status")}, _leaving(obj)


def _leaving(obj: Object) -> bool:
    metadata = obj.get("metadata")
    return isinstance(metadata, dict) and "deletionTimestamp" in metadata


def _same(one: Reason, other: Reason | None) -> bool:
    """Whether they differ in numbers at most: a reason that only counts on is told once."""
    return other is not None and re.sub(r"\d+", "#", str(one)) == re.sub(r"\d+", "#", str(other))
