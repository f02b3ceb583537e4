"""Previews that stand in a cluster, in memory, and an engine that notes what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import yaml

from bot.deps import Deps
from bot.model.operation import Asked, Behind, OperationView, State, StepState, StepView
from bot.model.platform import Platform
from bot.model.previews import PreviewTerms
from bot.model.principal import Door, Principal
from bot.model.release import Release
from bot.operations.contracts import Planned
from bot.ports import Cluster, EnvironmentRecord, Forge
from bot.previewing import Previewing
from bot.previews.idleness import Senses
from bot.rendering.delivery.change import release_text
from bot.rendering.previews import place_of
from tests.commands.company import CATALOG, deps
from tests.commands.running import CHANNEL
from tests.fakes.cluster import FakeCluster
from tests.fakes.environments import FakeEnvironments
from tests.fakes.forge import FakeForge

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DOWN = "preview.down"
AUTHOR = "user:default/author"
PLATFORM = Platform.model_validate(
    {
        "clusters": {"main": {}},
        "environments": {"staging": {"cluster": "main", "domain": "staging.acme.example"}},
        "previews": {"base": "staging", "domain": "preview.acme.example", "ttl": "3d", "longest": "10d"},
    }
)

__all__ = ["AUTHOR", "DAY", "MONDAY", "PLATFORM", "Planned", "Village"]


@dataclass
class Village:
    """A cluster with previews, a clock, and operations by lane."""

    platform: Platform = PLATFORM
    cluster: FakeCluster = field(default_factory=lambda: FakeCluster("main"))
    forge: FakeForge = field(default_factory=FakeForge)
    book: FakeEnvironments = field(default_factory=FakeEnvironments)
    now: datetime = MONDAY
    asked: list[Asked] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)
    """Operation → the preview that it is about."""
    stuck: set[str] = field(default_factory=set)
    """Operations that wait for something that does not come."""
    catalog: str = CATALOG

    def stands(self, name: str, *, lives: timedelta = 3 * DAY, hosts: bool = True, **terms: Any) -> PreviewTerms:
        """Let a preview of team-orders stand since Monday."""
        given = {"by": AUTHOR, "created_at": MONDAY, "expires_at": MONDAY + lives, "commits": {"orders-api": "a" * 40}}
        told = PreviewTerms.model_validate({**given, **terms})
        place = place_of(self.platform, name, "team-orders")
        document = {
            "apiVersion": "environments.platform.io/v1",
            "kind": "Environment",
            "metadata": {"name": name},
            "spec": {"services": [{"name": "orders-api", "image": "ghcr.io/acme/orders-api:1"}]},
        }
        release = Release(
            service="preview", environment=name, team="team-orders", repository="", document=document, preview=told
        )
        labels = {"causeway.io/service": "orders-api", "causeway.io/environment": name}
        ingress = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "orders-api", "namespace": name, "labels": labels},
            "spec": {"rules": [{"host": f"orders-api.{name}.preview.acme.example"}]},
        }
        files = {"ingress-orders-api.yaml": yaml.safe_dump(ingress)} if hosts else {}
        self.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.cluster.put(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": "causeway-release-preview",
                    "namespace": name,
                    "labels": {"causeway.io/service": "preview", "causeway.io/environment": name},
                },
                "data": {"release.yaml": release_text(release), **files},
            }
        )
        self.book.put(
            EnvironmentRecord(
                name=name,
                kind="preview",
                cluster="main",
                namespace=place.namespace,
                team="team-orders",
                by=AUTHOR,
                operation=f"op-made-{name}",
                created_at=MONDAY,
                expires_at=told.expires_at,
            )
        )
        return told

    @property
    def deps(self) -> Deps:
        clusters = {"main": cast("Cluster", self.cluster)}
        return replace(
            deps(catalog=self.catalog),
            forge=cast("Forge", self.forge),
            platform=self.platform,
            clusters=clusters,
            environments=self.book,
            in_lane=self._in_lane,
            groups_of_channel=self._groups,
        )

    def replica(self, senses: Senses | None = None) -> Previewing:
        return Previewing(self.deps, self._ask, self._view, lambda: self.now, senses=senses, name_in_slack=self._named)

    def done(self, operation: str) -> None:
        """Let a teardown end: the preview is gone."""
        name = self.running.pop(operation)
        for ref in self.cluster.refs():
            if name in (ref.namespace, ref.name):
                self.cluster.remove(ref)

    async def _ask(self, asked: Asked) -> None:
        if any(one.operation == asked.operation for one in self.asked):
            return  # the same operation, as the engine sees it
        self.asked.append(asked)
        if asked.command == "preview.down":
            self.running[asked.operation] = str(asked.request["name"])

    async def _groups(self, channel: str) -> tuple[str, ...]:
        return ("group:default/team-orders",) if channel == CHANNEL else ()

    async def _in_lane(self, lane: str) -> tuple[Behind, ...]:
        name = lane.rpartition("/")[2]
        return tuple(Behind(operation=one, summary="", by="") for one, of in self.running.items() if of == name)

    async def _view(self, operation: str) -> OperationView:
        step = StepView(
            id="remove", text="Delete it", state=StepState.RUNNING, stalled=operation in self.stuck, progress="Held."
        )
        return OperationView.model_validate(
            {
                "id": operation,
                "command": next((f"preview.{word}" for word in ("up", "extend") if operation.startswith(word)), DOWN),
                "request": {},
                "principal": Principal(user=AUTHOR, display_name="Sample Author"),
                "door": Door.AGENDA,
                "origin": {},
                "state": State.RUNNING,
                "steps": (step,),
                "created_at": self.now,
                "updated_at": self.now,
            }
        )

    async def _named(self, email: str) -> str | None:
        return "U0AUTHOR01" if email == "author@acme.example" else None
