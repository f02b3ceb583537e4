"""What was seen of a symptom, in the few fields that matter. All texts from outside are redacted and bounded already;
they are not escaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["errors", "latency", "saturation", "traffic"]

SKEW = timedelta(minutes=2)
"""By how much two systems' clocks may disagree. What happened later than that after a symptom is no cause of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A signal that does not stand where it should, or where it stood before."""

    service: str
    kind: Kind
    name: str
    """`latency (p99)`."""
    unit: str
    """As in `bot.charts.Chart`."""
    since: datetime
    until: datetime | None = None
    """When it was back; None: it is still so."""
    from_start: bool = False
    """Whether it was so at the begin of what was read already: then it is older than `since`."""
    before: float | None = None
    """What was usual before; None where nothing was measured before."""
    worst: float
    objective: float | None = None
    """Where it is broken; None where the signal only stands outside of the hours before."""
    up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to do about it, by one press: the line is typed for whoever presses, and policy judges them then."""

    action: str
    """Its `action_id`, one of `bot.slack.router.LINES`."""
    label: str
    line: str
    """`/service rollback orders-api in production leaving 1a2b3c4`."""
    confirm: str
    """What is asked back before."""


ChangeKind = Literal[
    "deploy", "rollback", "promote", "scale", "restart", "database", "pin", "freeze", "config", "other"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Something that somebody did to a service."""

    service: str
    kind: ChangeKind
    at: datetime
    """When it began: approved where that was needed."""
    what: str
    """A noun phrase: `the deploy of v1.4.2`."""
    by: str = ""
    """Who did it, as people know them."""
    operation: str = ""
    details: tuple[str, ...] = ()
    """What it brought, one line each: commits, settings."""
    commit: str = ""
    """Of a deploy: what runs since then."""
    is_current: bool = False
    """Whether that is what runs now."""
    fewer: bool = False
    """Of a scale: whether there are fewer replicas since then."""
    button: Button | None = None
    """What takes it back."""


TroubleKind = Literal["node", "disk", "memory", "crash", "pods", "database", "quota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that broke without anybody changing it."""

    service: str
    kind: TroubleKind
    what: str
    """A noun phrase: `the loss of the node worker-3`."""
    sentence: str
    """What was seen, with its source: `Event NodeNotReady of worker-3`."""
    at: datetime | None = None
    """None where only known to be so now."""
    next_step: str = ""
    over: bool = False
    """It was so, and is not any more: it may have caused what was, and says nothing of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSeen:
    """An alert of a service that fired while the symptom was there."""

    service: str
    title: str
    at: datetime
    runbook_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """An error line that was not written before."""

    service: str
    pattern: str
    example: str
    """Both empty where whoever asks may not read that service's logs: then only the number is told."""
    count: int
    before: int = 0
    """How often it was written in as much time before."""
    at_least: bool = False
    """Whether more may have been written than were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One request that failed or was slow, and the span that explains it."""

    trace: str
    duration_s: float
    span_service: str
    span: str
    span_s: float
    share: float
    """Of the whole time, 0 to 1."""
    failed: bool = False
    url: str = ""
    """Where people look at it; checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that was seen of one service in one environment."""

    service: str
    environment: str
    now: datetime
    moved: tuple[Moved, ...] = ()
    """Of the service itself, the one that tells most first."""
    beside: tuple[Moved, ...] = ()
    """Of what it depends on."""
    changes: tuple[Changed, ...] = ()
    """Of the service and what it depends on, newest first."""
    troubles: tuple[Trouble, ...] = ()
    alerts: tuple[AlertSeen, ...] = ()
    lines: tuple[NewLine, ...] = ()
    exemplar: Exemplar | None = None
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service → the way to it from the one that is asked about: `(checkout-web, orders-api)`."""
    there: bool = True
    """Whether anything is known of the service there: a version, a pod, a signal."""
    missing: tuple[str, ...] = ()
    """What could not be read (in time), each as a sentence for people."""

    @property
    def symptom(self) -> Moved | None:
        return self.moved[0] if self.moved else None

    @property
    def since(self) -> datetime | None:
        """When it began, as far as anything tells: what moved, else the first alert, else the first trouble."""
        if self.moved:
            return self.moved[0].since
        times = [one.at for one in self.alerts if one.service == self.service]
        times += [one.at for one in self.broken if one.service == self.service and one.at is not None]
        return min(times, default=None)

    @property
    def broken(self) -> tuple[Trouble, ...]:
        """The troubles that are still there."""
        return tuple(one for one in self.troubles if not one.over)
