"""What we need of other systems, by role. Adapters in `integrations/` say how.

Every method may raise `UpstreamUnavailable` (it may pass), `OutcomeUnknown` (a write without an answer: look first),
`Refused` (our token may not), `NotFound`, `Conflict`. Nothing else leaves an adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import NotFound
from bot.ports.agenda import Agenda, Appointment
from bot.ports.alert_book import AlertBook
from bot.ports.alerts import Alerts, FiringAlert, FiringGroup, Matcher, Silence
from bot.ports.catalog import CatalogRegistry
from bot.ports.cluster import FIELD_MANAGER, Change, Cluster, Object, ObjectRef
from bot.ports.conversations import Conversations, Room
from bot.ports.deployments import (
    Application,
    Deployments,
    Health,
    HistoryEntry,
    Phase,
    ResourceStatus,
    Seen,
    Sync,
    SyncOperation,
    SyncWindows,
)
from bot.ports.environments import EnvironmentRecord, Environments
from bot.ports.forge import (
    LONGEST_COMMENT,
    NEWEST_IMAGES,
    RECENT_COMMITS,
    Activity,
    Author,
    ChangedFile,
    Comment,
    Commit,
    Comparison,
    DeploymentRecord,
    DeploymentState,
    File,
    Forge,
    Image,
    NewRepository,
    PullRequest,
    Release,
    Repository,
    Ruleset,
    Tag,
    Tree,
    Webhook,
    WorkflowRun,
)
from bot.ports.logs import LogLine, Logs
from bot.ports.looks import Looks
from bot.ports.metrics import Measured, Metrics, Series
from bot.ports.notification_book import NotificationBook
from bot.ports.pictures import Pictures
from bot.ports.traces import Span, Trace, TraceFound, Traces
from bot.ports.traffic import Traffic
from bot.ports.turns import Turns
from bot.ports.waiting import Pause, Unannounced, Waiting, build_key

Clock = Callable[[], datetime]
"""Returns the time, timezone-aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What effects may reach. A port that the installation does not have is None; planning refuses what needs it."""

    forge: Forge
    catalog: CatalogRegistry
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    """By the name that the platform configuration gives them."""
    deployments: Deployments | None = None
    agenda: Agenda | None = None
    environments: Environments | None = None
    alerts: Alerts | None = None
    """None where there is no Alertmanager."""
    alert_book: AlertBook | None = None
    notification_book: NotificationBook | None = None
    conversations: Conversations | None = None
    """None where nobody speaks Slack."""
    waiting: Waiting = field(default_factory=Unannounced)
    looks: Looks = field(default_factory=Looks)
    turns: Turns = field(default_factory=Turns)
    """Writers of one branch take turns within this process, rather than to find it moved again and again."""

    def cluster(self, name: str) -> Cluster:
        """Raise `NotFound` for a cluster that is not connected (any more)."""
        found = self.clusters.get(name)
        if found is None:
            raise NotFound(f"The cluster `{name}` is not connected.", hint="See `platform.clusters` in causeway.yaml.")
        return found


__all__ = [
    "FIELD_MANAGER",
    "LONGEST_COMMENT",
    "NEWEST_IMAGES",
    "RECENT_COMMITS",
    "Activity",
    "Agenda",
    "AlertBook",
    "Alerts",
    "Application",
    "Appointment",
    "Author",
    "CatalogRegistry",
    "Change",
    "ChangedFile",
    "Clock",
    "Cluster",
    "Comment",
    "Commit",
    "Comparison",
    "Conversations",
    "DeploymentRecord",
    "DeploymentState",
    "Deployments",
    "EnvironmentRecord",
    "Environments",
    "File",
    "FiringAlert",
    "FiringGroup",
    "Forge",
    "Health",
    "HistoryEntry",
    "Image",
    "LogLine",
    "Logs",
    "Looks",
    "Matcher",
    "Measured",
    "Metrics",
    "NewRepository",
    "NotificationBook",
    "Object",
    "ObjectRef",
    "Pause",
    "Phase",
    "Pictures",
    "Ports",
    "PullRequest",
    "Release",
    "Repository",
    "ResourceStatus",
    "Room",
    "Ruleset",
    "Seen",
    "Series",
    "Silence",
    "Span",
    "Sync",
    "SyncOperation",
    "SyncWindows",
    "Tag",
    "Trace",
    "TraceFound",
    "Traces",
    "Traffic",
    "Tree",
    "Turns",
    "Unannounced",
    "Waiting",
    "Webhook",
    "WorkflowRun",
    "build_key",
]
