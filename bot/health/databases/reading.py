"""Reads from a cluster what tells of a database, with our own rights, and says what it may not read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from bot.errors import NotFound, PlatformError, Refused
from bot.health import parsing as workloads
from bot.health.databases import parsing
from bot.health.databases.facts import Database, DatabaseFacts, Link
from bot.health.facts import Container, Event, Pod
from bot.health.redaction import redact_lines
from bot.ports import Cluster, Object, ObjectRef

LABEL = "cnpg.io/cluster"
LOG_LINES = 40
MOST_LINKS = 40
"""Objects of one chain that are read: a composition may hold many, and one tells."""

T = TypeVar("T")


async def read_database_facts(cluster: Cluster, database: Database) -> DatabaseFacts:
    """Return everything that is known of a database.

    What our account may not read is named in `unreadable`. Raise `UpstreamUnavailable` when the cluster is away.
    """
    look = _Look(cluster, database)
    secret = await look.has_secret()
    if database.main is None:
        return DatabaseFacts(database=database, secret_seen=secret, unreadable=tuple(look.unreadable))
    try:
        main = await look.allowed(partial(cluster.get, database.main), f"{database.main}", None)
    except NotFound:
        return DatabaseFacts(database=database, installed=False, there=False, secret_seen=secret)
    if main is None:
        known = tuple(look.unreadable)
        return DatabaseFacts(database=database, there=bool(known), secret_seen=secret, unreadable=known)
    return await (look.instances(main, secret) if is_cluster(database.main) else look.chain(main, secret))


def is_cluster(main: ObjectRef) -> bool:
    return main.api_version == parsing.CNPG and main.kind == "Cluster"


class _Look:
    """Reads one kind after the other, and notes what is refused."""

    def __init__(self, cluster: Cluster, database: Database) -> None:
        self._cluster = cluster
        self._database = database
        self._namespace = database.namespace
        self.unreadable: list[str] = []

    async def has_secret(self) -> bool | None:
        """Return whether the Secret is there, None where we may not look. Only its metadata is asked for."""
        if not self._database.secret:
            return None
        secret = ObjectRef("v1", "Secret", self._database.secret, self._namespace)
        try:
            return await self._cluster.exists(secret)
        except Refused:
            return None
        except NotFound:
            return False  # its namespace is not there yet

    # --- CloudNativePG

    async def instances(self, main: Object, secret: bool | None) -> DatabaseFacts:
        told = parsing.instances(main)
        mine = {LABEL: str(self._database.main.name if self._database.main else "")}
        pods = tuple(map(workloads.pod, await self.at("v1", "Pod", "pods", mine)))
        claims = tuple(
            map(workloads.claim, await self.at("v1", "PersistentVolumeClaim", "persistentvolumeclaims", mine))
        )
        pending = any(one.phase != "Bound" for one in claims)
        return DatabaseFacts(
            database=self._database,
            leaving=parsing.is_leaving(main),
            finalizers=parsing.finalizers(main),
            instances=told,
            pods=pods,
            jobs=tuple(map(parsing.job, await self.at("batch/v1", "Job", "jobs", mine))),
            claims=claims,
            storage_classes=await self._classes() if pending else None,
            source_missing=told.source is not None and told.ready == 0 and await self._is_missing(told.source),
            events=await self._events(self._namespace),
            logs=await self._logs(pods),
            secret_seen=secret,
            unreadable=tuple(self.unreadable),
        )

    async def _classes(self) -> frozenset[str] | None:
        try:
            found = await self._cluster.list("storage.k8s.io/v1", "StorageClass")
        except (Refused, NotFound):
            return None
        return frozenset(parsing.ref(one).name for one in found)

    async def _is_missing(self, source: ObjectRef) -> bool:
        try:
            there = await self._cluster.list(source.api_version, source.kind, namespace=source.namespace)
        except NotFound:
            return True
        except Refused:
            return False
        return all(parsing.ref(one).name != source.name for one in there)

    async def _logs(self, pods: Sequence[Pod]) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the last lines of the container that has ended most often: one tells."""
        broken = [(pod, one) for pod in pods if not pod.leaving for one in pod.containers if _is_broken(one)]
        if not broken:
            return {}
        pod, container = max(broken, key=lambda both: (both[1].restarts, both[0].name))
        what = f"the log of pods in {self._namespace}"
        nothing: tuple[str, ...] = ()
        try:
            lines = await self.allowed(partial(self._last_lines, pod, container), what, nothing)
        except PlatformError:
            return {}  # everything else still tells
        return {(pod.name, container.name): redact_lines(lines)} if lines else {}

    async def _last_lines(self, pod: Pod, container: Container) -> tuple[str, ...]:
        for previous in (container.terminated is None, container.terminated is not None):
            lines = await self._cluster.log_tail(
                self._namespace, pod.name, container.name, lines=LOG_LINES, previous=previous
            )
            if lines:
                return tuple(lines)
        return ()

    # --- Crossplane

    async def chain(self, main: Object, secret: bool | None) -> DatabaseFacts:
        links = [parsing.link(main)]
        queue = list(links[0].below)
        while queue and len(links) < MOST_LINKS:
            found = await self._link(queue.pop(0))
            links.append(found)
            queue += found.below
        return DatabaseFacts(
            database=self._database,
            leaving=parsing.is_leaving(main),
            finalizers=parsing.finalizers(main),
            chain=tuple(links),
            events=await self._events_of(links),
            secret_seen=secret,
            unreadable=tuple(self.unreadable),
        )

    async def _link(self, ref: ObjectRef) -> Link:
        try:
            found = await self._cluster.get(ref)
        except NotFound:
            return Link(ref=ref, problem="unknown")
        except Refused:
            self.unreadable.append(str(ref))
            return Link(ref=ref, problem="refused")
        return parsing.link(found) if found is not None else Link(ref=ref, problem="missing")

    async def _events_of(self, links: Sequence[Link]) -> tuple[Event, ...]:
        """What stands in no namespace has its events in `default`."""
        if all(one.is_ready for one in links):
            return ()
        places = sorted({one.ref.namespace or "default" for one in links})
        return tuple([event for place in places for event in await self._events(place)])

    # --- any

    async def at(self, api_version: str, kind: str, resource: str, labels: dict[str, str]) -> Sequence[Object]:
        nothing: Sequence[Object] = ()
        read = partial(self._cluster.list, api_version, kind, namespace=self._namespace, labels=labels)
        try:
            return await self.allowed(read, f"{resource} in {self._namespace}", nothing)
        except NotFound:
            return ()

    async def _events(self, namespace: str) -> tuple[Event, ...]:
        nothing: Sequence[Object] = ()
        read = partial(self._cluster.list, "v1", "Event", namespace=namespace)
        try:
            return _in_order(map(workloads.event, await self.allowed(read, f"events in {namespace}", nothing)))
        except NotFound:
            return ()

    async def allowed(self, read: Callable[[], Awaitable[T]], what: str, otherwise: T) -> T:
        try:
            return await read()
        except Refused:
            self.unreadable.append(what)
            return otherwise


def _is_broken(container: Container) -> bool:
    ended = container.ended
    return ended is not None and not container.ready and ended.exit_code != 0


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return them oldest first, the undated before all."""
    return tuple(sorted(events, key=lambda one: one.at.timestamp() if one.at else 0.0))
