"""Continuous delivery: what is to run where, and whether it does (Argo CD)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.ports.cluster import ObjectRef

Sync = Literal["Synced", "OutOfSync", "Unknown"]
Health = Literal["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"]
Phase = Literal["Running", "Succeeded", "Failed", "Error", "Terminating"]


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """One object of an application as Argo CD sees it."""

    ref: ObjectRef
    sync: Sync
    health: Health | None = None
    """None for kinds that have no health."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class SyncOperation:
    """The sync that is going on, or the last one."""

    phase: Phase
    message: str
    revision: str
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    id: int
    revision: str
    deployed_at: datetime


@dataclass(frozen=True, slots=True)
class Application:
    """An Argo CD Application: where it comes from, where it goes, and how it stands."""

    name: str
    project: str
    repo_url: str
    path: str
    target_revision: str
    server: str
    """The destination cluster's address, or its name in Argo CD."""
    namespace: str
    sync: Sync
    revision: str
    """The commit that was compared last."""
    health: Health
    health_message: str = ""
    operation: SyncOperation | None = None
    resources: tuple[ResourceStatus, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    """Type and message: `ComparisonError`, `SyncError`, `InvalidSpecError`, …"""
    history: tuple[HistoryEntry, ...] = ()
    """Oldest first."""
    images: tuple[str, ...] = ()
    automated: bool = False
    reconciled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that following an application tells: how it is now, that it is gone (None), or that it is out of
    sight (`problem` is the sentence for people; following goes on by itself)."""

    application: Application | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SyncWindows:
    """Whether the project's sync windows let a sync happen now."""

    may_sync: bool
    may_sync_by_hand: bool
    told: str = ""
    """The window that decides, in words: `deny 0 18 * * 5 for 60h`."""


class Deployments(Protocol):
    """Reads applications and asks for syncs. Raises what every port raises."""

    async def application(self, name: str) -> Application | None: ...

    async def applications(self, *, labels: Mapping[str, str] | None = None) -> Sequence[Application]: ...

    def follow(self, name: str) -> AsyncIterator[Seen]:
        """Tell how it is, then every change, for as long as one iterates. One stream serves all who follow; no
        polling faster than every 2 s."""

    async def refresh(self, name: str) -> None:
        """Have it read its repository now rather than at the next round. Raise `NotFound` for an unknown one."""

    async def sync(self, name: str, *, revision: str = "", prune: bool = True) -> None:
        """Ask for a sync (to the target revision when `revision` is empty). One that is going on already is no error.
        Raise `Refused` inside a closed sync window."""

    async def windows(self, name: str) -> SyncWindows: ...

    def web_url(self, name: str) -> str:
        """Where a person looks at it; empty where nobody can."""
