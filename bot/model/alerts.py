"""An alert as a team sees it: one group with one card, from firing to resolved. Every text in it is from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertState(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """What it is worth to wake somebody for. A label that is none of these counts as a warning."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Alert(_Part):
    """One alert of a group."""

    fingerprint: str
    """By which Alertmanager knows it, of its labels; bounded and made of safe characters."""
    name: str
    state: AlertState
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    silenced: bool = False


class Quieted(_Part):
    """A silence that was made from a group's card."""

    id: str
    """Alertmanager's."""
    by: str
    """Full reference of the person."""
    until: AwareDatetime
    reason: str


class Folded(_Part):
    """A group that is told on another one's card because both have one cause."""

    id: str
    title: str
    service: str
    state: AlertState


class AlertGroup(_Part):
    """What is known of one group in one episode, from its first alert until all is well."""

    id: str
    """Ours: `ag-` and 20 characters, made of Alertmanager's group and the episode's begin."""
    key: str
    """What Alertmanager groups by, canonical; the same through all episodes."""
    number: int = 0
    """Counts groups in the order in which they began."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """What they are grouped by."""
    state: AlertState
    title: str
    """One line: the alert's name, or how many there are."""
    severity: Severity
    service: str = ""
    """A service of the catalog, or empty."""
    environment: str = ""
    owner: str | None = None
    """Full reference of the group whose channel it is told in; None: nobody's, so the platform channel."""
    channel: str
    """Id of that channel."""
    alerts: tuple[Alert, ...]
    """Firing ones first, newest first, bounded; `firing` and `total` count all."""
    firing: int
    total: int
    left_out: int = 0
    """Further alerts that Alertmanager did not send, for length."""
    silenced: bool = False
    """All that fires is silenced or inhibited in Alertmanager."""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    acknowledged_by: str | None = None
    """Full reference of the person who is on it."""
    acknowledged_at: AwareDatetime | None = None
    assigned_to: str | None = None
    escalated_to: str | None = None
    """Full reference of the person or group that was called."""
    quieted: Quieted | None = None
    flapping: int = 0
    """How often it came back within a short time; 0: it does not flap."""
    has_card: bool = False
    """A card of its own was asked for; else it waits for a moment, or is told on that of its cause, or on a digest."""
    cause: str = ""
    """Id of the group on whose card it is told; empty: none is known."""
    folded: tuple[Folded, ...] = ()
    """Groups that are told here because this is their cause, bounded; `folded_total` counts all."""
    folded_total: int = 0
    digest: str = ""
    """Id of the day's digest on which it is told, since its channel has had its share; empty: none."""
    summary: str = ""
    """Of the newest alert that has one; bounded, from outside."""
    description: str = ""
    incident_channel: str = ""
    """Id of the channel that was opened for it."""
    runbook_url: str = ""
    """Checked: `https://` or `http://`, of bounded length."""
    dashboard_url: str = ""
    source_url: str = ""
    """Where the alert's expression is seen; checked as well, and never a bare host name of a machine."""
    runbook_step: str = ""
    """A command of ours that the runbook advises, as it is typed: `/service restart orders-api production`; checked."""
    revision: int = 0

    @property
    def is_open(self) -> bool:
        return self.state is AlertState.FIRING


class Told(_Part):
    """One line of a group's timeline."""

    at: datetime
    text: str
    """A sentence for people, as mrkdwn that is escaped already."""
