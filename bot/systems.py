"""Outside systems, opened as the settings say. Nothing is sent before the first call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.errors import UpstreamUnavailable
from bot.ports import Clock, Cluster
from bot.settings import Settings
from integrations.alertmanager import Alertmanager
from integrations.alertmanager import connect as connect_alertmanager
from integrations.argocd import ApplicationResources, ArgoCDApi, ResourcesAndApi
from integrations.argocd import connect as connect_argocd
from integrations.github import GitHubForge, Pace, connect
from integrations.kubernetes import KubernetesCluster
from integrations.kubernetes import connect as connect_clusters
from integrations.loki import Loki
from integrations.loki import connect as connect_loki
from integrations.prometheus import PrometheusMetrics
from integrations.prometheus import connect as connect_prometheus
from integrations.tempo import Tempo
from integrations.tempo import connect as connect_tempo


class Closing(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What tells how services are; None where the installation has no such system."""

    metrics: PrometheusMetrics | None
    alerts: Alertmanager | None
    logs: Loki | None
    traces: Tempo | None

    @property
    def opened(self) -> tuple[Closing, ...]:
        return tuple(port for port in (self.metrics, self.alerts, self.logs, self.traces) if port is not None)


def open_observed(settings: Settings) -> Observed:
    """Prometheus, Alertmanager, Loki and Tempo, each where it is configured."""
    environment = settings.environment
    return Observed(
        metrics=connect_prometheus(environment.prometheus_url) if environment.prometheus_url else None,
        alerts=connect_alertmanager(environment.alertmanager_url) if environment.alertmanager_url else None,
        logs=connect_loki(environment.loki_url) if environment.loki_url else None,
        traces=connect_tempo(environment.tempo_url) if environment.tempo_url else None,
    )


def open_forge(settings: Settings) -> GitHubForge:
    """The forge as configured; nothing is sent before the first call."""
    environment, part = settings.environment, settings.configuration.github
    return connect(
        environment.github_api_url,
        token=environment.github_token,
        app_id=environment.github_app_id,
        app_key=environment.github_app_key if environment.github_app_id else None,
        secrets={"github_webhook": environment.github_webhook_secret},
        pace=Pace(
            points_per_minute=part.points_per_minute,
            creations_per_minute=part.creations_per_minute,
            creations_per_hour=part.creations_per_hour,
            seconds_between_writes=1 / part.writes_per_second,
        ),
    )


def open_clusters(settings: Settings) -> dict[str, KubernetesCluster]:
    """The clusters as configured, by name; nothing is sent before the first call. None outside of Kubernetes without a
    kubeconfig. Raise `Invalid` for a kubeconfig that does not fit."""
    contexts = {name: access.context for name, access in settings.configuration.platform.clusters.items()}
    return connect_clusters(settings.environment.kubeconfig, contexts)


def open_deployments(
    settings: Settings, clusters: Mapping[str, Cluster], clock: Clock
) -> ArgoCDApi | ApplicationResources | ResourcesAndApi | None:
    """Argo CD by its API, by its resources, or by both; None where it is configured by neither."""
    environment, platform = settings.environment, settings.configuration.platform
    if not environment.argocd_url and not platform.gitops.repository:
        return None
    return connect_argocd(
        url=environment.argocd_url,
        token=environment.argocd_token,
        cluster=clusters.get(platform.argocd.cluster or next(iter(platform.clusters), "")),
        namespace=platform.argocd.namespace,
        web_url=platform.argocd.web_url,
        may_write=platform.argocd.write_applications,
        clock=clock,
    )


@contextlib.contextmanager
def spoken_database() -> Iterator[None]:
    """Raise `UpstreamUnavailable` for whatever the database's driver raises: it may hold the URL's password."""
    try:
        yield
    except SQLAlchemyError as error:
        kind = type(error).__name__
        hint = "Check CAUSEWAY_DATABASE_URL, that the server runs, and that `causeway serve` has made its tables."
        raise UpstreamUnavailable(f"The database cannot be used ({kind}).", hint=hint) from None


def ledger_key_file(settings: Settings) -> Path:
    """The configured file, else one beside the SQLite database, else one in the working directory."""
    if settings.environment.ledger_key_file:
        return Path(settings.environment.ledger_key_file)
    url = settings.environment.database_url
    folder = Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:///") else Path(".causeway")
    return folder / "ledger-key.pem"
