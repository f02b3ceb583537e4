"""What broke by itself: nodes, memory, crashes, quotas, databases. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.explaining.facts import Trouble, TroubleKind
from bot.health.facts import Event, Pod
from bot.health.words import counted, said

MOST = 6
_NODE_EVENTS = frozenset({"NodeNotReady", "NodeNotSchedulable", "TaintManagerEviction", "NodeControllerEviction"})
_EVENTS: dict[str, tuple[TroubleKind, str, str]] = {
    "FailedScheduling": ("pods", "pods for which no node has room", "no node has room for the pod {name}"),
    "Evicted": ("pods", "the eviction of pods", "the pod {name} was evicted"),
    "FailedMount": ("pods", "a volume that cannot be mounted", "a volume of the pod {name} cannot be mounted"),
    "FailedAttachVolume": ("pods", "a volume that cannot be attached", "a volume of the pod {name} cannot be attached"),
    "OOMKilling": ("memory", "pods that ran out of memory", "the pod {name} ran out of memory"),
    "SystemOOM": ("node", "a node that ran out of memory", "the node {name} ran out of memory"),
}
"""Reason → what it is, as a noun phrase and as a clause."""
_NOISE = " preemption:"
"""What the scheduler writes after this says the same again."""
_NEXT: dict[TroubleKind, str] = {
    "node": "Pods move to other nodes by themselves; tell the platform team if that node does not come back.",
    "memory": "Give it more memory by a larger `size` in platform.yaml, or find what grows.",
    "crash": "Read why: `/service logs {service} in {environment}`.",
    "pods": "See what they wait for: `/service show {service}`.",
    "quota": "Free some of the quota, or have it raised by the platform team.",
    "disk": "Give the database more room: `/database resize {service}`.",
    "database": "See how it stands: `/database show {service}`.",
}


@dataclass(frozen=True, slots=True)
class LostNode:
    name: str
    at: datetime | None
    """Since when it is not ready, as Kubernetes tells."""
    pods: int
    """How many of the service's pods are, or were, on it."""


def troubles_of(
    service: str,
    environment: str,
    *,
    pods: Sequence[Pod] = (),
    events: Iterable[Event] = (),
    nodes: Iterable[LostNode] = (),
    database: str = "",
    since: datetime | None = None,
) -> tuple[Trouble, ...]:
    """Return what is broken, at most `MOST`. `database` is the sentence of one that is stuck; what pods and events tell
    of a time before `since` is over."""
    made = _Made(service, environment)
    lately = [*made.pods(pods), *made.events(events, {one.name: one for one in pods})]
    found = [one for one in lately if since is None or one.at is None or one.at >= since]
    kept: dict[tuple[str, str], Trouble] = {}
    for one in sorted((*made.nodes(nodes), *made.database(database), *found), key=lambda one: one.over):
        kept.setdefault((one.kind, one.what), one)
    return tuple(kept.values())[:MOST]


@dataclass(frozen=True, slots=True)
class _Made:
    service: str
    environment: str

    def trouble(
        self, kind: TroubleKind, what: str, sentence: str, at: datetime | None = None, *, over: bool = False
    ) -> Trouble:
        step = _NEXT[kind].format(service=self.service, environment=self.environment)
        return Trouble(service=self.service, kind=kind, what=what, sentence=sentence, at=at, next_step=step, over=over)

    def nodes(self, nodes: Iterable[LostNode]) -> Iterator[Trouble]:
        for node in nodes:
            held = f"{counted(node.pods, 'pod')} of {self.service} {'is' if node.pods == 1 else 'are'} on it"
            sentence = f"the node {node.name} is not ready, and {held}"
            yield self.trouble("node", f"the loss of the node {node.name}", sentence, node.at)

    def database(self, sentence: str) -> Iterator[Trouble]:
        if sentence:
            full = "disk is full" in sentence
            what = "the full disk of its database" if full else "its database"
            yield self.trouble("disk" if full else "database", what, said(sentence))

    def pods(self, pods: Sequence[Pod]) -> Iterator[Trouble]:
        there = [one for one in pods if not one.leaving]
        killed: dict[str, datetime | None] = {}
        crashing: dict[str, datetime | None] = {}
        for name, container in ((pod.name, one) for pod in there for one in pod.containers):
            ended = container.ended
            if ended is not None and ended.reason == "OOMKilled":
                killed[name] = ended.at
            elif ended is not None and ended.exit_code != 0 and not container.ready:
                crashing[name] = ended.at
        of = f"{counted(len(there), 'pod')} of {self.service}"
        if killed:
            what = f"{counted(len(killed), 'pod')} that ran out of memory"
            yield self.trouble("memory", what, f"{len(killed)} of {of} ran out of memory", _first(killed.values()))
        if crashing:
            what = f"the crash of {counted(len(crashing), 'pod')}"
            yield self.trouble(
                "crash",
                what,
                f"{len(crashing)} of {of} {'crashes' if len(crashing) == 1 else 'crash'}",
                _first(crashing.values()),
            )

    def events(self, events: Iterable[Event], pods: Mapping[str, Pod]) -> Iterator[Trouble]:
        """An event is kept for an hour or more: of a pod that is ready again, or is gone, it tells what is over."""
        for event in events:
            if not event.warning:
                continue
            told = f"{event.reason} of {event.kind} {event.name}: {said(event.message)}"
            over = event.kind == "Pod" and (event.name not in pods or pods[event.name].ready)
            if event.reason in _NODE_EVENTS:
                yield self.trouble("node", "the loss of a node", told, event.at, over=over)
            elif event.reason == "FailedCreate" and "quota" in event.message:
                yield self.trouble("quota", "a quota that is used up", told, event.at)
            elif event.reason in _EVENTS:
                kind, what, clause = _EVENTS[event.reason]
                told = f"{clause.format(name=event.name)} ({said(event.message.partition(_NOISE)[0])})"
                yield self.trouble(kind, what, told, event.at, over=over)


def _first(times: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in times if one is not None), default=None)
