"""What is looked at to tell why a database is not ready: its main object and everything below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.health.facts import Claim, Condition, Event, Pod
from bot.ports import ObjectRef

SOMEBODY = "the platform team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database as it was asked for."""

    name: str
    namespace: str
    engine: str = "postgresql"
    provider: str = "cloudnativepg"
    """`cloudnativepg`, `crossplane`, `claim` or `git`."""
    main: ObjectRef | None = None
    """The object that tells whether it is ready; None: only its Secret tells."""
    secret: str = ""
    """The Secret from which it is connected to. Its values are never read."""
    contact: str = ""

    @property
    def subject(self) -> str:
        return f"The database {self.name}"

    @property
    def ask(self) -> str:
        return self.contact or SOMEBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """The status of CloudNativePG's `Cluster`."""

    wanted: int = 1
    ready: int = 0
    phase: str = ""
    """Empty: the operator has said nothing yet."""
    phase_reason: str = ""
    conditions: tuple[Condition, ...] = ()
    primary: str = ""
    host: str = ""
    """Name of the service that leads to the primary."""
    has_secret: bool = False
    """Whether the operator has seen the Secret with the owner's password."""
    method: str = "initdb"
    """How it is filled: `initdb`, `import`, `recovery`, `pg_basebackup`."""
    source: ObjectRef | None = None
    """The Backup or VolumeSnapshot that it is filled from."""
    asleep: bool = False
    fenced: bool = False

    def condition(self, kind: str) -> Condition | None:
        return next((one for one in self.conditions if one.type == kind), None)

    @property
    def is_ready(self) -> bool:
        """Whether as many instances as wanted are ready, and the operator calls the whole healthy."""
        told = self.condition("Ready")
        healthy = told.status == "True" if told is not None else self.phase == "Cluster in healthy state"
        return bool(self.phase) and healthy and self.ready >= self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One object of Crossplane's chain: claim, composite, or what stands for a thing in the cloud."""

    ref: ObjectRef
    problem: str = ""
    """Why it could not be read: `missing`, `unknown` (nobody serves its kind) or `refused`; empty: it was."""
    conditions: tuple[Condition, ...] = ()
    external_name: str = ""
    """Its name in the cloud."""
    host: str = ""
    state: str = ""
    """The cloud's own word: `creating`, `backing-up`, `available`."""
    below: tuple[ObjectRef, ...] = ()
    provider_config: str = ""
    leaving: bool = False
    paused: bool = False
    published: bool = False
    """Whether its connection was written where it should be, as far as it tells."""

    def condition(self, kind: str) -> Condition | None:
        return next((one for one in self.conditions if one.type == kind), None)

    def says(self, kind: str, status: str) -> bool:
        found = self.condition(kind)
        return found is not None and found.status == status

    @property
    def is_ready(self) -> bool:
        return not self.problem and self.says("Ready", "True") and not self.says("Synced", "False")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What fills a new instance: `<database>-1-initdb`, `<database>-1-full-recovery`, `<database>-2-join`."""

    name: str
    role: str = ""
    """`initdb`, `import`, `full-recovery`, `snapshot-recovery`, `join`."""
    failed: int = 0
    gave_up: str = ""
    """Why it is not tried again; empty while it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """Everything that was seen of one database at one time."""

    database: Database
    installed: bool = True
    """Whether the cluster knows the kind of its main object at all."""
    there: bool = True
    leaving: bool = False
    finalizers: tuple[str, ...] = ()
    instances: Instances | None = None
    """Of CloudNativePG."""
    chain: tuple[Link, ...] = ()
    """Of Crossplane, from the top down; the first is the main object."""
    pods: tuple[Pod, ...] = ()
    jobs: tuple[Job, ...] = ()
    claims: tuple[Claim, ...] = ()
    storage_classes: frozenset[str] | None = None
    """None: not looked at, or not allowed to."""
    source_missing: bool = False
    """Whether what it is filled from is not there."""
    events: tuple[Event, ...] = ()
    """Oldest first."""
    logs: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    secret_seen: bool | None = None
    """None: our account may not look whether it is there."""
    unreadable: tuple[str, ...] = ()
    """What our account may not read, each as it stands in “I may not read …”."""

    def events_of(self, kind: str, name: str) -> tuple[Event, ...]:
        return tuple(one for one in self.events if (one.kind, one.name) == (kind, name))

    @property
    def host(self) -> str:
        """The address under which it answers, where it is known. No secret."""
        if self.instances is not None:
            return f"{self.instances.host}.{self.database.namespace}" if self.instances.host else ""
        return next((one.host for one in self.chain if one.host), "")

    @property
    def external_name(self) -> str:
        """Its name in the cloud; empty for what stands in the cluster."""
        return next((one.external_name for one in reversed(self.chain) if one.external_name), "")
