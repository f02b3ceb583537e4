"""A simulated cluster with its controllers running, and what tests ask of it most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from playground.kubernetes.controllers.objects import controlled_by
from playground.kubernetes.controllers.suite import Controllers
from playground.kubernetes.objects import Change
from playground.kubernetes.seed import IN_CLOUD, STANDARD
from playground.kubernetes.store import Store

T = TypeVar("T")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONGEST_S = 60.0
GOOD, BETTER, ABSENT = (f"ghcr.io/acme/orders-api:{letter * 40}" for letter in "abc")
LABELS = {"app.kubernetes.io/name": "orders-api"}


@dataclass
class Clock:
    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Cluster:
    store: Store
    clock: Clock
    controllers: Controllers
    images: set[str] = field(default_factory=set)

    async def until(self, look: Callable[[], T | None]) -> T:
        """Wait for a change that makes `look` answer something true, and return that."""
        changed = asyncio.Event()

        def hear(_: Change) -> None:
            changed.set()

        self.store.objects.listen(hear)
        try:
            async with asyncio.timeout(LONGEST_S):
                while not (found := look()):
                    await changed.wait()
                    changed.clear()
        finally:
            self.store.objects.unlisten(hear)
        return found

    def deployment(self, name: str = "orders-api") -> dict[str, Any]:
        found = self.store.get("apps", "Deployment", "default", name)
        assert found is not None
        return found

    def sets(self) -> list[dict[str, Any]]:
        found = controlled_by(self.deployment(), self.store.list("apps", "ReplicaSet", "default"))
        return sorted(found, key=lambda one: int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))

    def pods(self, image: str = "") -> list[dict[str, Any]]:
        pods = self.store.list("", "Pod", "default")
        return [pod for pod in pods if not image or pod["spec"]["containers"][0]["image"] == image]

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        found = self.deployment()
        edit(found)
        self.store.update(found)

    def deploy(self, image: str) -> None:
        def edit(found: dict[str, Any]) -> None:
            found["spec"]["template"]["spec"]["containers"][0]["image"] = image

        self.change(edit)

    async def rolled_out(self) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.deployment()
            status, wanted = found.get("status", {}), found["spec"]["replicas"]
            numbers = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
            seen = status.get("observedGeneration") == found["metadata"]["generation"]
            return found if seen and numbers == [wanted] * 3 else None

        return await self.until(look)

    def told(self, reason: str) -> list[dict[str, Any]]:
        return [event for event in self.store.list("", "Event") if event["reason"] == reason]


def deployment(image: str = GOOD, replicas: int = 2, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "orders-api", "namespace": "default", "labels": LABELS},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 8080}]}]},
            },
            **spec,
        },
    }


@asynccontextmanager
async def running(folder: Path | None = None, clock: Clock | None = None) -> AsyncIterator[Cluster]:
    """A cluster of three nodes; with a folder it has what it had when it ended."""
    clock = clock or Clock()
    images = {GOOD, BETTER}
    store = Store(folder / "kubernetes.sqlite" if folder else None, clock)
    controllers = Controllers(
        store,
        clock,
        pullable=lambda image: image in images or image.startswith("ghcr.io/cloudnative-pg/"),
        file=folder / "forced.json" if folder else None,
    )
    for number in range(1, 4):
        if store.get("", "Node", "", f"node-{number}") is None:
            store.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}"}})
    for wanted in (STANDARD, IN_CLOUD):
        group, _, _ = str(wanted["apiVersion"]).partition("/")
        if not store.list(group, str(wanted["kind"])):
            store.create(dict(wanted))
    controllers.start()
    try:
        yield Cluster(store, clock, controllers, images)
    finally:
        await controllers.close()
        store.close()
