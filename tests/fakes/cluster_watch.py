"""Watches of the cluster in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.ports import Change, ObjectRef


class Scope:
    def __init__(self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str], name: str = "") -> None:
        self._wanted = (api_version, kind, namespace, name)
        self._labels = labels

    def holds(self, obj: Any) -> bool:
        ref, (api_version, kind, namespace, name) = ref_of(obj), self._wanted
        same = (ref.api_version, ref.kind) == (api_version, kind) and namespace in ("", ref.namespace)
        return same and name in ("", ref.name) and self._labels.items() <= obj["metadata"].get("labels", {}).items()


class Watch:
    """Tells how one look at the cluster differs from the one before."""

    def __init__(self, scope: Scope) -> None:
        self.changes: asyncio.Queue[Change] = asyncio.Queue()
        self._scope = scope
        self._seen: dict[str, Any] = {}

    def tell(self, change: Change) -> None:
        self.changes.put_nowait(change)

    def begin(self, objects: Sequence[Any]) -> None:
        self._look(objects, everything=True)
        self.tell(Change("synced"))

    def see(self, objects: Sequence[Any]) -> None:
        self._look(objects, everything=False)

    def _look(self, objects: Sequence[Any], *, everything: bool) -> None:
        now = {obj["metadata"]["uid"]: obj for obj in objects if self._scope.holds(obj)}
        before, self._seen = self._seen, now
        for uid, obj in before.items():
            if uid not in now:
                self.tell(Change("deleted", obj))
        for uid, obj in now.items():
            if everything or uid not in before or obj != before[uid]:
                self.tell(Change("present", obj))


def ref_of(obj: Any) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace", ""))
