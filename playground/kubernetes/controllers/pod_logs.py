"""What a pod's containers would have written: a few plausible lines, the same each time they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from playground.kubernetes.controllers.containers import OOM_EXIT
from playground.kubernetes.controllers.objects import Object, name_of, read_stamp, spec_of, stamp, status_of

Line = tuple[datetime, str]
EVERY = timedelta(seconds=15)
"""How often a running container answers a request."""
MOST = 200
"""A running container's older requests are forgotten."""
PATHS = ("/orders", "/orders/1", "/healthz", "/orders?state=paid", "/metrics")


class NoLogs(Exception):
    """There is nothing to read; the text is the kubelet's."""


def log_lines(pod: Object, container: str, now: datetime, *, previous: bool = False) -> list[Line]:
    """Return what a container has written, oldest first. Raise `NoLogs` where it has not run (before)."""
    found = next((one for one in status_of(pod).get("containerStatuses") or [] if one["name"] == container), None)
    if found is None:
        raise NoLogs(f'container "{container}" in pod "{name_of(pod)}" is waiting to start: ContainerCreating')
    if previous:
        ended = found["lastState"].get("terminated")
        if not ended:
            raise NoLogs(f'previous terminated container "{container}" in pod "{name_of(pod)}" not found')
        return _ended(pod, ended)
    state = found["state"]
    if "running" in state:
        return _running(pod, read_stamp(state["running"]["startedAt"]), now)
    ended = state.get("terminated") or found["lastState"].get("terminated")
    if ended:
        return _ended(pod, ended)
    raise NoLogs(_waiting(pod, container, state["waiting"]["reason"]))


def _waiting(pod: Object, container: str, reason: str) -> str:
    why = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
    return f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {why.get(reason, reason)}'


def _entry(at: datetime, level: str, message: str, **more: object) -> Line:
    return at, json.dumps({"time": stamp(at), "level": level, "message": message, **more})


def _started(pod: Object, at: datetime) -> list[Line]:
    images = [container["image"] for container in spec_of(pod)["containers"]]
    version = images[0].rpartition(":")[2][:7]
    return [_entry(at, "info", "starting", version=version), _entry(at, "info", "configuration read")]


def _running(pod: Object, since: datetime, now: datetime) -> list[Line]:
    return [*_started(pod, since), _entry(since, "info", "listening", port=8080), *_requests(pod, since, now)]


def _requests(pod: Object, since: datetime, now: datetime) -> Iterator[Line]:
    count = max(int((now - since) / EVERY), 0)
    for number in range(max(count - MOST, 0), count):
        digest = hashlib.sha256(f"{name_of(pod)} {number}".encode()).digest()
        at = since + EVERY * (number + 1)
        path = PATHS[digest[0] % len(PATHS)]
        yield _entry(at, "info", "request", method="GET", path=path, status=200, duration_ms=digest[1] % 40 + 2)


def _ended(pod: Object, ended: Object) -> list[Line]:
    start, end = read_stamp(ended["startedAt"]), read_stamp(ended["finishedAt"])
    lines = _started(pod, start)
    if ended["exitCode"] == OOM_EXIT:
        lines.append(_entry(end, "warning", "the cache grows faster than it is emptied", used_mib=489, limit_mib=512))
    elif ended["exitCode"] and (words := _wish(pod)):
        lines.append((end, words))
    elif ended["exitCode"]:
        traceback = (
            "Traceback (most recent call last):",
            '  File "/app/app.py", line 12, in <module>',
            '    database = connect(os.environ["DATABASE_URL"])',
            '  File "<frozen os>", line 685, in __getitem__',
            "KeyError: 'DATABASE_URL'",
        )
        lines += [(end, text) for text in traceback]
    else:
        lines.append(_entry(end, "info", "done"))
    return lines


def _wish(pod: Object) -> str:
    """Return the last words that the pod itself asks for, by an environment variable of one of its containers."""
    variables = (one for container in spec_of(pod)["containers"] for one in container.get("env") or [])
    return next((str(one.get("value", "")) for one in variables if one.get("name") == LAST_WORDS), "")


LAST_WORDS = "PLAYGROUND_SAYS"
