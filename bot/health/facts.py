"""What a diagnosis looks at: an application, its workloads and everything below them, in the few fields that matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.ports import Application, SyncWindows


@dataclass(frozen=True, slots=True)
class Condition:
    type: str
    status: str
    """`True`, `False` or `Unknown`."""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment or StatefulSet (a CronJob counts as rolled out once it is stored)."""

    kind: str
    name: str
    uid: str = ""
    replicas: int = 1
    """Wanted."""
    generation: int = 0
    observed_generation: int = 0
    current_replicas: int = 0
    """All that exist, old ones included."""
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    template_labels: Mapping[str, str] = field(default_factory=dict)
    template_annotations: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    paused: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def is_rolled_out(self) -> bool:
        """Whether all its pods are of the stored template and available, and none of an older one is left.

        As `kubectl rollout status` judges it. A CronJob is rolled out once it is stored.
        """
        if self.kind == "CronJob":
            return True
        return (
            self.observed_generation >= self.generation
            and self.updated_replicas >= self.replicas
            and self.current_replicas <= self.updated_replicas
            and self.available_replicas >= self.updated_replicas
            and not self.paused
        )

    def condition(self, kind: str) -> Condition | None:
        return next((one for one in self.conditions if one.type == kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSet:
    name: str
    owner: str = ""
    """UID of its Deployment."""
    uid: str = ""
    revision: int = 0
    replicas: int = 0
    """Wanted."""
    labels: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    exit_code: int
    reason: str = ""
    """`Error`, `OOMKilled`, `Completed`, `ContainerCannotRun`, `StartError`."""
    message: str = ""
    lasted_s: float | None = None
    """For how long it had run; None where the kubelet does not tell."""
    at: datetime | None = None
    """When it ended; None where the kubelet does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a pod and how it stands."""

    name: str
    init: bool = False
    image: str = ""
    ready: bool = False
    started: bool = False
    restarts: int = 0
    waiting: str = ""
    """Reason: `CrashLoopBackOff`, `ImagePullBackOff`, `ContainerCreating`, …; empty when it does not wait."""
    waiting_message: str = ""
    terminated: Termination | None = None
    """How it ended, when it does not run now."""
    last: Termination | None = None
    """How it ended the time before."""
    running: bool = False
    memory_limit: str = ""

    @property
    def ended(self) -> Termination | None:
        """How it ended last, now or the time before."""
        return self.terminated or self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    name: str
    uid: str = ""
    owner: str = ""
    """UID of its ReplicaSet, StatefulSet or Job."""
    owner_kind: str = ""
    phase: str = ""
    reason: str = ""
    """`Evicted`, `NodeLost`, …"""
    message: str = ""
    node: str = ""
    ready: bool = False
    leaving: bool = False
    """Being deleted."""
    created_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    readiness_gates: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    """Init containers first, in their order."""
    claims: tuple[str, ...] = ()
    """Names of the PersistentVolumeClaims that it mounts."""

    def condition(self, kind: str) -> Condition | None:
        return next((one for one in self.conditions if one.type == kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a component noted about an object."""

    kind: str
    name: str
    reason: str
    message: str
    warning: bool = False
    count: int = 1
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim."""

    name: str
    phase: str = ""
    storage_class: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    name: str
    target: str = ""
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    name: str
    ingress_class: str = ""
    hosts: tuple[str, ...] = ()
    has_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckFacts:
    """Everything that was seen of one service in one environment at one time."""

    service: str
    environment: str
    namespace: str
    version: str = ""
    """What people call the wanted version; empty: told by the pods' labels."""
    unread_revision: str = ""
    """The commit of the GitOps repository that Argo CD has not compared yet; empty once it has."""
    delivered_by: str = ""
    """Name of the Argo CD Application; empty for direct delivery."""
    application: Application | None = None
    argocd_problem: str = ""
    """Why Argo CD is out of sight, as a sentence; empty while it is in sight."""
    windows: SyncWindows | None = None
    namespace_phase: str = ""
    """`Active`, `Terminating`, `missing`; empty when it could not be read."""
    workloads: tuple[Workload, ...] = ()
    replica_sets: tuple[ReplicaSet, ...] = ()
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    """Oldest first."""
    claims: tuple[Claim, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    ingresses: tuple[Ingress, ...] = ()
    unready_nodes: tuple[str, ...] = ()
    logs: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Pod and container → last lines, redacted."""
    unreadable: tuple[str, ...] = ()
    """What our account may not read, each as it stands in “I may not read …”."""

    @property
    def subject(self) -> str:
        return f"{self.service} in {self.environment}"

    @property
    def is_rolled_out(self) -> bool:
        """Whether there are workloads, and all of them run what they should."""
        return bool(self.workloads) and all(one.is_rolled_out for one in self.workloads)

    def events_of(self, kind: str, name: str) -> tuple[Event, ...]:
        return tuple(one for one in self.events if (one.kind, one.name) == (kind, name))
