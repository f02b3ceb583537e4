"""What pods are made to look like on request, remembered until they are to be ready again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.controllers.objects import Object, labels_of, namespace_of


class Forced:
    """Orders by namespace and labels; a later one wins. They hold for pods that come later, and after a restart."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._orders: list[dict[str, Any]] = json.loads(file.read_text()) if file and file.exists() else []

    def order(self, namespace: str, labels: Mapping[str, str], look: Look, pods: Sequence[Object]) -> None:
        """Keep an order. `ready` takes back every order that holds for one of `pods`, or for the same labels."""
        if look is Look.READY:
            kept = [
                order
                for order in self._orders
                if not (order["namespace"] == namespace and order["labels"] == dict(labels))
                and not any(_fits(order, pod) for pod in pods)
            ]
        else:
            kept = [*self._orders, {"namespace": namespace, "labels": dict(labels), "look": look.value}]
        self._orders = kept
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(kept, indent=1))

    def look(self, pod: Object) -> Look | None:
        found = next((order for order in reversed(self._orders) if _fits(order, pod)), None)
        return Look(found["look"]) if found else None


def _fits(order: Mapping[str, Any], pod: Object) -> bool:
    wanted: Mapping[str, str] = order["labels"]
    return bool(order["namespace"] == namespace_of(pod) and wanted.items() <= labels_of(pod).items())
