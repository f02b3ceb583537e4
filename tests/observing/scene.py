"""A company in memory whose services are observed: Git, Argo CD, a cluster, Prometheus, Alertmanager."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.deps import Deps
from bot.model.platform import Platform
from bot.observing import look
from bot.rendering.delivery import Place
from tests.commands import running
from tests.commands.company import MONDAY
from tests.commands.running import GITOPS, SOURCE
from tests.fakes.alert_book import FakeAlertBook
from tests.fakes.alerts import FakeAlerts
from tests.fakes.cluster import FakeCluster
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.forge import FakeForge
from tests.fakes.metrics import FakeMetrics

COMPANY = running.COMPANY.replace(
    "metadata: {name: checkout-web}\nspec: {type: website, lifecycle: experimental, owner: team-checkout}",
    "metadata: {name: checkout-web, annotations: {github.com/project-slug: acme/checkout-web}}\n"
    "spec: {type: website, lifecycle: experimental, owner: team-checkout, dependsOn: [component:orders-api]}",
)
PLATFORM = Platform.model_validate(
    {"environments": {"staging": {}, "production": {}}, "gitops": {"repository": GITOPS}, "image_owner": "acme"}
)
COMMIT, EARLIER = "1" * 40, "2" * 40
PROMISES = {"availability": 99.9, "latency": {"target": 99, "below": "250ms"}}


@dataclass
class Scene:
    forge: FakeForge
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    book: FakeAlertBook = field(default_factory=FakeAlertBook)
    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    cluster: FakeCluster = field(
        default_factory=lambda: FakeCluster(
            namespaces=[f"{name}-{where}" for name in ("orders-api", "checkout-web") for where in PLATFORM.environments]
        )
    )

    @property
    def deps(self) -> Deps:
        made = running.running(
            self.forge,
            clusters={"default": self.cluster},
            deployments=self.deployments,
            platform=PLATFORM,
            catalog=COMPANY,
        )
        return replace(made, metrics=self.metrics, alerts=self.alerts, alert_book=self.book)

    def runs(self, service: str, environment: str, *, ready: int = 2, wanted: int = 2, pods: Any = ()) -> None:
        """Let it be deployed there, and run."""
        self.deployments.put(application(f"{service}-{environment}"))
        uid = self.cluster.put(_deployment(service, environment, ready=ready, wanted=wanted))["metadata"]["uid"]
        for number, status in enumerate(pods):
            self.cluster.put(_pod(service, environment, number, status, owner=uid))

    def measures(
        self, service: str, environment: str, *, rate: float = 12.0, errors: float = 0.0, p99: float = 0.1
    ) -> None:
        """Let it be asked so often, with so many failures and such a latency, all the time."""
        namespace = f'namespace="{service}-{environment}"'
        for beginning, value in (
            ("sum(rate(http_requests_total", rate),
            ("(\n    sum(rate", errors),
            ("histogram_quantile", p99),
        ):
            self.metrics.answers(_fits(beginning, namespace), value)

    def promises(self, environment: str, service: str = "orders-api", *, history: Any = (), **spec: Any) -> None:
        """Write down a release, deployed an hour ago, whose document holds the given `spec`."""
        document = {"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": {"name": service}}
        release = running.a_release(COMMIT, environment, document={**document, "spec": spec}, history=history)
        running.keep(self.forge, release.model_copy(update={"service": service}))

    def place(self, service: str = "orders-api", environment: str = "production") -> Place:
        team = {"orders-api": "team-orders", "checkout-web": "team-checkout"}[service]
        return Place(platform=PLATFORM, service=service, environment=environment, team=team)


def hold(system: Any, *methods: str) -> asyncio.Event:
    """Let a fake answer these calls only once the returned event is set."""
    event = asyncio.Event()

    def held(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def wait(*given: Any, **named: Any) -> Any:
            await event.wait()
            return await method(*given, **named)

        return wait

    for name in methods:
        setattr(system, name, held(getattr(system, name)))
    return event


async def scene() -> Scene:
    """Return one in which nothing runs yet."""
    return Scene(await running.forge())


def _fits(beginning: str, namespace: str) -> Callable[[str], bool]:
    return lambda query: query.startswith(beginning) and namespace in query


def _deployment(service: str, environment: str, *, ready: int, wanted: int) -> dict[str, Any]:
    labels = {"causeway.io/service": service, "causeway.io/environment": environment}
    counts = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": ready, "availableReplicas": ready}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": service,
            "namespace": f"{service}-{environment}",
            "labels": labels,
            "generation": 1,
            "uid": f"{service}-{environment}",
        },
        "spec": {"replicas": wanted, "template": {"metadata": {"labels": labels}, "spec": {"containers": []}}},
        "status": {"observedGeneration": 1, **counts},
    }


def _pod(service: str, environment: str, number: int, status: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Return a pod that belongs to the Deployment by itself: the fake makes no ReplicaSets."""
    labels = {"causeway.io/service": service, "causeway.io/environment": environment}
    ready = status.get("ready") is True
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{service}-{number}",
            "namespace": f"{service}-{environment}",
            "labels": labels,
            "ownerReferences": [{"kind": "ReplicaSet", "uid": owner, "controller": True}],
        },
        "spec": {"containers": [{"name": service, "image": f"ghcr.io/{SOURCE}:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": service, **status}],
        },
    }


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The first answer is due once everything that nobody holds back has arrived: no clock is asked."""
    rung = asyncio.Event()

    async def pause(_: float) -> None:
        for _ in range(2_000):  # turns of the loop, in which fakes answer
            await asyncio.sleep(0)
        rung.set()

    monkeypatch.setattr(look, "pause", pause)
    return rung


NOW = MONDAY
