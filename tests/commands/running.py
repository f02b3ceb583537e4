"""The small company of `company.py` with things that run: a forge, a cluster, Argo CD, a channel of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.command import Context
from bot.deps import Deps
from bot.model.operation import Behind
from bot.model.platform import Platform
from bot.model.principal import Door
from bot.model.release import Deployed, Release, Version
from bot.ports import Cluster, Deployments, NewRepository
from bot.rendering.delivery.change import release_text
from tests.commands.company import CATALOG, MONDAY, context, deps
from tests.fakes.cluster import FakeCluster
from tests.fakes.faults import call
from tests.fakes.forge import FakeForge

SOURCE, GITOPS = "acme/orders-api", "acme/gitops"
CHANNEL = "C0TEAMORDER"
ORDERS = "group:default/team-orders"
COMPANY = CATALOG.replace(
    "  name: orders-api\n", f"  name: orders-api\n  annotations: {{github.com/project-slug: {SOURCE}}}\n"
)
PLATFORM = Platform.model_validate(
    {
        "environments": {"staging": {"domain": "staging.acme.example"}, "production": {}},
        "gitops": {"repository": GITOPS},
    }
)


class LoggingCluster(FakeCluster):
    """A fake cluster whose containers have logs of their own, and of the run before."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.written: dict[tuple[str, str, bool], Sequence[str]] = {}
        """Lines by pod, container and whether they are of the run before."""
        self.asked: list[tuple[str, str, bool]] = []

    @call
    async def log_tail(
        self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False
    ) -> tuple[str, ...]:
        self.asked.append((pod, container, previous))
        return tuple(self.written.get((pod, container, previous), ()))[-lines:]


def pod(name: str, environment: str = "staging", **status: Any) -> dict[str, Any]:
    """Return a pod of orders-api with one container; `status` is what its container status says beside its name."""
    labels = {"causeway.io/service": "orders-api", "causeway.io/environment": environment}
    ready = status.get("ready") is True
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": f"orders-api-{environment}", "labels": labels},
        "spec": {"containers": [{"name": "orders-api", "image": "ghcr.io/acme/orders-api:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "orders-api", **status}],
        },
    }


READY: dict[str, Any] = {"ready": True, "state": {"running": {}}}
CRASHING: dict[str, Any] = {
    "restartCount": 4,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
}


def cluster(*pods: Mapping[str, Any]) -> LoggingCluster:
    made = LoggingCluster(namespaces=["orders-api-staging", "orders-api-production"])
    for one in pods:
        made.put(one)
    return made


async def forge() -> FakeForge:
    """Return a forge with the service's repository and an empty GitOps repository."""
    made = FakeForge()
    for name in (SOURCE, GITOPS):
        await made.create_repository(NewRepository(name, ""))
    return made


def running(
    made_forge: FakeForge,
    *,
    clusters: Mapping[str, Cluster] | None = None,
    deployments: Deployments | None = None,
    lanes: Mapping[str, tuple[Behind, ...]] | None = None,
    platform: Platform = PLATFORM,
    catalog: str = COMPANY,
) -> Deps:
    """Return what commands may reach where things run; no cluster and no Argo CD unless they are given."""

    async def groups(channel: str) -> tuple[str, ...]:
        return (ORDERS,) if channel == CHANNEL else ()

    async def in_lane(lane: str) -> tuple[Behind, ...]:
        return (lanes or {}).get(lane, ())

    return replace(
        deps(catalog=catalog),
        forge=made_forge,
        platform=platform,
        clusters=clusters or {},
        deployments=deployments,
        groups_of_channel=groups,
        in_lane=in_lane,
    )


def in_slack(*groups: str, channel: str | None = CHANNEL) -> Context:
    return replace(context(*groups or ("team-orders",)), door=Door.SLACK, channel=channel)


def a_release(commit: str, environment: str = "staging", name: str = "", **fields: Any) -> Release:
    """Return a release of orders-api that was deployed an hour ago."""
    version = Version(name=name or commit[:7], commit=commit, image=f"ghcr.io/{SOURCE}:{commit}")
    current = Deployed(version=version, at=MONDAY - timedelta(hours=1), by="user:default/author", operation="op-0")
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "orders-api"},
        "spec": {"replicas": 2},
    }
    told: dict[str, Any] = {"current": current, "document": document, **fields}
    return Release(service="orders-api", environment=environment, team="team-orders", repository=SOURCE, **told)


def keep(made_forge: FakeForge, *releases: Release) -> None:
    """Put releases where the GitOps repository has them."""
    files = {
        f"apps/{one.service}/{one.environment}/.causeway/release.yaml": release_text(one).encode() for one in releases
    }
    made_forge.push(GITOPS, files)
