"""What volumes and databases are made to be on request, remembered until they are to be ready again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from playground.kubernetes.controllers.objects import Object, labels_of, name_of, namespace_of

READY = "ready"
Order = Mapping[str, Any]


class Orders:
    """Orders by namespace and labels or name; a later one wins. They hold for what comes later, and after a restart.

    Of what stands in no namespace the name alone is asked.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._orders: list[dict[str, Any]] = json.loads(file.read_text()) if file and file.exists() else []

    def order(
        self,
        namespace: str,
        state: str,
        things: Iterable[Object],
        *,
        labels: Mapping[str, str] | None = None,
        name: str = "",
        message: str = "",
    ) -> None:
        """Keep an order. `ready` takes back every order that holds for one of `things`, or is the same but for that."""
        new = {"namespace": namespace, "labels": dict(labels or {}), "name": name}
        there = list(things)
        if state == READY:
            self._orders = [
                old for old in self._orders if not (_same(old, new) or any(_fits(old, one) for one in there))
            ]
        else:
            self._orders = [old for old in self._orders if not _same(old, new)]
            self._orders.append({**new, "state": state, "message": message})
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._orders, indent=1))

    def state(self, thing: Object) -> str:
        """Return what was ordered for it; `ready` where nothing was."""
        found = self._of(thing)
        return str(found["state"]) if found else READY

    def message(self, thing: Object) -> str:
        found = self._of(thing)
        return str(found["message"]) if found else ""

    def _of(self, thing: Object) -> Order | None:
        return next((order for order in reversed(self._orders) if _fits(order, thing)), None)


def _same(one: Order, other: Order) -> bool:
    return all(one[key] == other[key] for key in ("namespace", "labels", "name"))


def _fits(order: Order, thing: Object) -> bool:
    wanted: Mapping[str, str] = order["labels"]
    return bool(
        (order["namespace"] == namespace_of(thing) or not namespace_of(thing))
        and (not order["name"] or order["name"] == name_of(thing))
        and wanted.items() <= labels_of(thing).items()
    )
