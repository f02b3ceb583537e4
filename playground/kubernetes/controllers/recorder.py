"""Events as the cluster's parts write them: what happened to an object, counted when it happens again."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from playground.kubernetes.controllers.objects import Object, name_of, namespace_of, read_stamp, stamp, uid_of
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Store

LIFETIME = timedelta(hours=1)
"""How long the API server keeps an event."""
REMEMBERED = 2_000
Seen = tuple[str, str, str, str]


class Recorder:
    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._names: OrderedDict[Seen, tuple[str, str]] = OrderedDict()

    def record(
        self, about: Object, reason: str, message: str, kind: str = "Normal", *, component: str, field: str = ""
    ) -> None:
        """Say something about an object. What is said again is counted."""
        seen = (uid_of(about), reason, message, field)
        known = self._names.get(seen)
        if known and self._again(*known):
            return
        event = event_about(about, (reason, message, kind), self._clock(), component=component, field=field)
        try:
            made = self._store.create(event, manager=component)
        except ApiError:
            return  # its namespace is going: nobody is left to read it
        self._names[seen] = (namespace_of(made), name_of(made))
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        self._forget_old(namespace_of(made))

    def _again(self, namespace: str, name: str) -> bool:
        event = self._store.get("", "Event", namespace, name)
        if event is None:
            return False
        event["count"] += 1
        event["lastTimestamp"] = stamp(self._clock())
        self._store.update(event)
        return True

    def _forget_old(self, namespace: str) -> None:
        before = self._clock() - LIFETIME
        for event in self._store.objects.all(("", "events"), namespace):
            if read_stamp(event["lastTimestamp"]) < before:
                self._store.delete("", "Event", namespace, name_of(event))


def event_about(about: Object, said: tuple[str, str, str], now: datetime, *, component: str, field: str = "") -> Object:
    """Return a new event. `said`: reason, message, and `Normal` or `Warning`."""
    reason, message, kind = said
    involved = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": name_of(about),
        "namespace": namespace_of(about),
        "uid": uid_of(about),
        "resourceVersion": about["metadata"].get("resourceVersion", ""),
        "fieldPath": field,
    }
    namespace = namespace_of(about) or "default"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name_of(about)}.{uuid.uuid4().hex[:16]}", "namespace": namespace},
        "involvedObject": {key: value for key, value in involved.items() if value},
        "reason": reason,
        "message": message,
        "type": kind,
        "source": {"component": component},
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "count": 1,
        "eventTime": None,
        "reportingComponent": component,
        "reportingInstance": "",
    }
