"""What the pods of a service wrote last, as people may see it: redacted, printable, bounded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.deps import Deps
from bot.errors import NotFound, PlatformError, Refused
from bot.health import redact_lines
from bot.health.facts import Container, Pod
from bot.health.parsing import pod as pod_of
from bot.ports import Cluster
from bot.rendering.delivery import Place

MOST_LINES = 1_000
"""Of one container."""
MOST_PODS = 10
MOST_CHARACTERS = 256_000
"""Of everything that is shown."""
LONGEST_LINE = 2_000
LONGEST_WORD = 200
"""What is longer and has no blank is no word that a person reads: an encoded blob, perhaps a secret one."""
PATIENCE_S = 8.0
"""Longest wait for one log, in seconds; the others are shown without it."""
AT_ONCE = 4

_ESCAPES = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")
"""Colours, cursor movements and links of terminals."""
_LONG_WORD = re.compile(rf"[\w.-]{{{LONGEST_WORD + 1},}}")
_MARGIN = 200
"""Characters beyond the longest line that are looked at: a secret that is cut in two is no less a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one container wrote in one of its runs."""

    pod: str
    container: str
    previous: bool = False
    """Of the run before the present one."""
    state: str
    """How the container stands, in words."""
    lines: tuple[str, ...] = ()
    """Oldest first."""
    problem: str = ""
    """Why there are none; ends a sentence that begins with the pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The newest lines of a service, what is broken first."""

    streams: tuple[Stream, ...]
    left_out: tuple[str, ...] = ()
    """Names of further pods."""

    @property
    def count(self) -> int:
        return sum(len(stream.lines) for stream in self.streams)

    @property
    def pods(self) -> int:
        return len({stream.pod for stream in self.streams})


async def read_lines(place: Place, deps: Deps, lines: int) -> Tail:
    """Return the newest `lines` of each container of the service's pods, and of the run before where it crashed.

    The one place that knows where logs are kept. Raise `Refused` where the cluster is not connected or lets us read
    none, `NotFound` where there are no pods, `UpstreamUnavailable` where it does not answer.
    """
    cluster = deps.clusters.get(place.settings.cluster)
    if cluster is None:
        raise Refused(
            f"The cluster of {place.environment}, `{place.settings.cluster}`, is not connected, so I see no logs.",
            hint="The platform team sets CAUSEWAY_KUBECONFIG and `platform.clusters`.",
        )
    pods = await _pods(place, cluster)
    wanted = [stream for pod in pods[:MOST_PODS] for stream in _streams(pod)]
    room = MOST_CHARACTERS // max(len(wanted), 1)
    reader = _Reader(cluster=cluster, namespace=place.namespace, lines=lines, room=room)
    read = await asyncio.gather(*map(reader.read, wanted))
    refused = [error for _, error in read if isinstance(error, Refused)]
    found = Tail(streams=tuple(stream for stream, _ in read), left_out=tuple(pod.name for pod in pods[MOST_PODS:]))
    if refused and not found.count:
        raise refused[0]
    return found


async def _pods(place: Place, cluster: Cluster) -> Sequence[Pod]:
    """Return the service's pods, those first that an incident is about."""
    labels = {"causeway.io/service": place.service, "causeway.io/environment": place.environment}
    found = [pod_of(obj) for obj in await cluster.list("v1", "Pod", namespace=place.namespace, labels=labels)]
    if not found:
        raise NotFound(
            f"{place.service} has no pods in {place.environment}.",
            hint=f"See how it stands: `/service show {place.service}`.",
        )
    found.sort(key=lambda pod: pod.name)
    found.sort(key=lambda pod: pod.created_at.timestamp() if pod.created_at else 0.0, reverse=True)
    return sorted(found, key=lambda pod: (pod.leaving, pod.ready, -sum(one.restarts for one in pod.containers)))


def _streams(pod: Pod) -> Iterator[Stream]:
    """Name what is worth reading of a pod, in the order in which it was written."""
    for container in pod.containers:
        ended = container.ended
        if container.init and not container.running and (ended is None or ended.exit_code == 0):
            continue  # it has done its work, or waits for its turn
        stream = Stream(pod=pod.name, container=container.name, state=_state(pod, container))
        crashed = container.last is not None and container.last.exit_code != 0
        if container.running and crashed:
            yield replace(stream, previous=True)
        if container.running or container.terminated is not None or container.last is None:
            yield stream
        else:
            yield replace(stream, previous=True)


def _state(pod: Pod, container: Container) -> str:
    if pod.leaving:
        now = "leaving"
    elif container.ready:
        now = "ready"
    elif container.running:
        now = "running, not ready"
    else:
        now = container.waiting or ("ended" if container.terminated else "not started")
    told = [f"init container, {now}" if container.init else now]
    ended = container.ended
    if ended is not None and (ended.exit_code or not container.running):
        told.append(f"exit code {ended.exit_code}{f' ({ended.reason})' if ended.reason == 'OOMKilled' else ''}")
    if container.restarts:
        told.append(f"{container.restarts} restart{'' if container.restarts == 1 else 's'}")
    return ", ".join(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads the logs of one namespace, some at a time."""

    cluster: Cluster
    namespace: str
    lines: int
    """Most of one stream."""
    room: int
    """Most characters of one stream."""
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def read(self, stream: Stream) -> tuple[Stream, PlatformError | None]:
        """Return the stream with its lines, or with why there are none."""
        try:
            async with self.turn, asyncio.timeout(PATIENCE_S):
                found = await self.cluster.log_tail(
                    self.namespace, stream.pod, stream.container, lines=self.lines, previous=stream.previous
                )
        except TimeoutError:
            return replace(stream, problem="did not answer in time"), None
        except NotFound:
            return replace(stream, problem="is gone meanwhile"), None
        except PlatformError as error:
            return replace(stream, problem=f"cannot be read: {error.message}"), error
        if not found:
            return replace(stream, problem=f"has written nothing ({stream.state})"), None
        # Many lines take a while to look through; others are served meanwhile.
        shown = await asyncio.to_thread(presentable, found[-self.lines :], self.room)
        return replace(stream, lines=shown), None


def presentable(lines: Sequence[str], room: int = MOST_CHARACTERS) -> tuple[str, ...]:
    """Return the newest lines that fit into `room` characters: without secrets, control characters and excess."""
    kept: list[str] = []
    for line in reversed(lines):
        plain = _plain(line)
        room -= min(len(plain), LONGEST_LINE) + 1
        if room < 0:
            break
        kept.append(plain)
    return tuple(_cut(line) for line in redact_lines(reversed(kept)))


def _plain(line: str) -> str:
    """Return a line as text alone, little longer than what is shown of it."""
    text = _ESCAPES.sub("", line[: 4 * LONGEST_LINE])
    text = "".join(c for c in text.replace("\t", "    ") if c.isprintable())
    return _LONG_WORD.sub(_shortened, text)[: LONGEST_LINE + _MARGIN]


def _shortened(word: re.Match[str]) -> str:
    return f"{word.group()[: LONGEST_WORD // 2]}…({len(word.group())} characters)"


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
