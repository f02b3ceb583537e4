"""What the platform team decides: the `platform` part of `causeway.yaml`. Developers choose from it by name.

Read once, checked whole. Every value has a default that a small company can start with.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bot.errors import NotFound
from bot.model.configured import DnsLabel, DomainName, Part, People, Quantity, cut
from bot.model.databases import Budget, DatabaseProvider, DatabaseSize, Engine
from bot.model.previews import RESERVED, Previews
from bot.model.web_service.shapes import WebAddress
from bot.model.web_service.slo import Slo


class Size(Part):
    """What a service's container gets for one word, and what that costs."""

    cpu: Quantity
    """Requested; there is no CPU limit, which would only slow what could run."""
    memory: Quantity
    """Requested and limit alike, so that a container is never killed for its neighbour's sake."""
    monthly_cost: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    """Of one replica, in `Platform.currency`."""


def _collector(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be an address with its port, such as `http://collector.monitoring.svc:4318`")
    return value.rstrip("/")


class Tls(Part):
    """How an environment's ingresses get certificates."""

    issuer: str = ""
    """cert-manager's ClusterIssuer; empty: the ingress controller's own certificate is used."""


class Dashboards(Part):
    """A Grafana dashboard for each service, as a ConfigMap that Grafana's sidecar looks for."""

    enabled: bool = False
    labels: dict[str, str] = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """By which the sidecar finds it."""
    folder: str = ""
    """In Grafana; empty: the general one."""
    url: WebAddress | Literal[""] = ""
    """Where people open Grafana; alerts then link their dashboard."""
    prometheus: str = "prometheus"
    """Uid of the data source for metrics."""
    loki: str = ""
    """Of the one for logs; empty: the dashboard shows none."""
    tempo: str = ""
    """Of the one for traces; empty: the dashboard shows none."""


class Otlp(Part):
    """Where services send their traces."""

    endpoint: Annotated[str, AfterValidator(_collector)] = ""
    """OTLP over HTTP: `http://collector.monitoring.svc:4318`; empty: nobody is told of any."""
    namespace: str = ""
    """Where the collector runs; the network policy lets services out to it. Empty: `monitoring_namespace`."""


class Monitoring(Part):
    """Whether the Prometheus operator is there, and what its selectors look for."""

    enabled: bool = False
    labels: dict[str, str] = Field(default_factory=dict)
    """Put on every ServiceMonitor and PrometheusRule: `{release: prometheus}`."""
    dashboards: Dashboards = Dashboards()
    otlp: Otlp = Otlp()


def _pattern(*, needs: frozenset[str], knows: frozenset[str]) -> AfterValidator:
    def check(value: str) -> str:
        try:
            fields = {name for _, name, _, _ in Formatter().parse(value) if name is not None}
        except ValueError:
            raise ValueError("has an unclosed brace") from None
        known = ", ".join(f"{{{name}}}" for name in sorted(knows))
        if fields - knows:
            raise ValueError(f"may hold only {known}")
        if not needs <= fields:
            raise ValueError(f"must hold {', '.join(f'{{{name}}}' for name in sorted(needs))}")
        return value

    return AfterValidator(check)


NamespacePattern = Annotated[
    str, _pattern(needs=frozenset({"environment"}), knows=frozenset({"service", "team", "environment"}))
]


class Environment(Part):
    """One environment. Their order in the file is the order in which a version is promoted through them."""

    cluster: str = "default"
    """One of `Platform.clusters`."""
    namespace: NamespacePattern = "{service}-{environment}"
    """Of `{service}`, `{team}` and `{environment}`; cut to what Kubernetes takes, and then ending in a hash."""
    domain: DomainName | Literal[""] = ""
    """A service without a host of its own answers at `<service>.<domain>`; empty: it has no address from outside."""
    ingress_class: str = "nginx"
    ingress_namespace: str = "ingress-nginx"
    """From where the ingress controller's requests come; the network policy lets that namespace in."""
    tls: Tls = Tls()
    monitoring: Monitoring = Monitoring()
    monitoring_namespace: str = "monitoring"
    """From where metrics are scraped; the network policy lets that namespace in."""
    delivery: Literal["gitops", "direct"] = "gitops"
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 10
    """The most that one service may have, autoscaling included."""
    largest_size: str = ""
    """One of `Platform.sizes`; empty: any."""
    may_deploy: People = "owner"
    """Who asks for deploys, restarts and the like here."""
    approve: People = "none"
    """Who approves them: `none`, `owner`, or people."""
    automatic: bool = False
    """Whether each commit of the default branch whose CI succeeds is deployed by itself."""
    database: DatabaseProvider = DatabaseProvider()
    """Who makes the databases here."""
    databases: dict[Engine, DatabaseProvider] = Field(default_factory=dict)
    """Who makes those of one engine, where that is somebody else."""
    budget: Budget = Budget()
    """What each team may have here."""
    personal_data: bool = False
    """Marks an environment whose data may not leave it unmasked."""

    def provider(self, engine: Engine) -> DatabaseProvider | None:
        """Return who makes databases of an engine here; None where nobody does."""
        found = self.databases.get(engine, self.database)
        return found if engine in found.engines() else None

    @model_validator(mode="after")
    def _somebody_approves(self) -> Self:
        if self.approve in ("anyone", ()):
            raise ValueError("approve: say `none`, `owner`, or list who approves")
        return self

    @model_validator(mode="after")
    def _providers_know_their_engines(self) -> Self:
        wrong = [engine for engine, made in self.databases.items() if engine not in made.engines()]
        if wrong:
            told = "; ".join(f"databases.{engine}: {self.databases[engine].provider} makes none" for engine in wrong)
            raise ValueError(told)
        return self


class ClusterAccess(Part):
    """How one cluster is reached. Addresses and credentials stand in the kubeconfig."""

    context: str = ""
    """A context of the kubeconfig (`CAUSEWAY_KUBECONFIG`); empty: its current one, or the pod's service account."""
    argocd_server: str = "https://kubernetes.default.svc"
    """What Argo CD calls this cluster as a destination."""


class GitOps(Part):
    """Where the rendered objects are committed, and where Argo CD finds them."""

    repository: str = ""
    """`acme/gitops`; empty: there is none, and every environment must be delivered directly."""
    branch: str = "main"
    repo_url: str = ""
    """The address that Argo CD uses; empty: the forge's clone URL."""
    apps: str = "apps"
    """`apps/<service>/<environment>/` holds one service in one environment."""
    root: str = "argocd"
    """Applications and projects are files below this folder, which the root application applies."""


class ArgoCD(Part):
    namespace: str = "argocd"
    """Where Application and AppProject resources stand."""
    root_application: str = "root"
    """The app-of-apps: asked to read the repository anew when a file below `GitOps.root` has changed."""
    web_url: str = ""
    """Where people look at it; empty: `CAUSEWAY_ARGOCD_URL`."""
    cluster: str = ""
    """The cluster that Argo CD runs in, one of `Platform.clusters`; empty: the first."""
    write_applications: bool = False
    """Whether we may write Application resources where there is no API: an opt-in right, see the install guide."""


_SIZES = {
    "small": Size(cpu="100m", memory="128Mi", monthly_cost=Decimal(6)),
    "medium": Size(cpu="500m", memory="512Mi", monthly_cost=Decimal(25)),
    "large": Size(cpu="2", memory="2Gi", monthly_cost=Decimal(100)),
}
_DATABASE_SIZES = {
    "small": DatabaseSize(
        cpu="250m", memory="512Mi", storage="10Gi", instance_class="db.t3.micro", monthly_cost=Decimal(20)
    ),
    "medium": DatabaseSize(
        cpu="1",
        memory="2Gi",
        storage="50Gi",
        instances=2,
        instance_class="db.m6g.large",
        monthly_cost=Decimal(150),
    ),
    "large": DatabaseSize(
        cpu="4", memory="16Gi", storage="200Gi", instances=3, instance_class="db.m6g.2xlarge", monthly_cost=Decimal(900)
    ),
}


class Platform(Part):
    """Everything by which a document becomes objects, and objects reach a cluster."""

    clusters: dict[DnsLabel, ClusterAccess] = Field(default_factory=lambda: {"default": ClusterAccess()})
    environments: dict[DnsLabel, Environment] = Field(default_factory=lambda: {"staging": Environment()})
    sizes: dict[DnsLabel, Size] = Field(default_factory=lambda: dict(_SIZES))
    database_sizes: dict[DnsLabel, DatabaseSize] = Field(default_factory=lambda: dict(_DATABASE_SIZES))
    currency: Annotated[str, StringConstraints(min_length=1, max_length=8)] = "EUR"
    registry: str = "ghcr.io"
    """Where an image is looked for whose name holds no registry: `user-api:latest`."""
    image_owner: str = ""
    """The owner in that registry; empty: an image without a slash is taken as it stands."""
    gitops: GitOps = GitOps()
    argocd: ArgoCD = ArgoCD()
    budgets: dict[str, Budget] = Field(default_factory=dict)
    """By the team's name: what it may have in all environments and previews together."""
    previews: Previews | None = None
    """None: nobody can have a preview."""
    slo: Slo | None = None
    """What a service promises whose document says nothing; None: nothing."""
    templates: tuple[Path, ...] = ()
    """Folders whose files replace the shipped templates of the same name; the first that has one wins."""
    queries: tuple[Path, ...] = ()
    """The same for the shipped queries in PromQL, LogQL and TraceQL."""

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        wrong: list[str] = []
        for name, environment in self.environments.items():
            if environment.cluster not in self.clusters:
                wrong.append(f"environments.{name}.cluster: `{environment.cluster}` is not one of clusters")
            if environment.largest_size and environment.largest_size not in self.sizes:
                wrong.append(f"environments.{name}.largest_size: `{environment.largest_size}` is not one of sizes")
        wrong += self._wrong_previews()
        if self.argocd.cluster and self.argocd.cluster not in self.clusters:
            wrong.append(f"argocd.cluster: `{self.argocd.cluster}` is not one of clusters")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _wrong_previews(self) -> list[str]:
        if self.previews is None:
            return []
        wrong = [
            f"environments.{name}: this name is kept for previews" for name in RESERVED if name in self.environments
        ]
        if self.previews.base not in self.environments:
            wrong.append(f"previews.base: `{self.previews.base}` is not one of environments")
        if self.previews.seed and self.previews.seed not in self.environments:
            wrong.append(f"previews.seed: `{self.previews.seed}` is not one of environments")
        if self.previews.cluster and self.previews.cluster not in self.clusters:
            wrong.append(f"previews.cluster: `{self.previews.cluster}` is not one of clusters")
        return wrong

    def environment(self, name: str) -> Environment:
        """Raise `NotFound` that lists those there are."""
        found = self.environments.get(name)
        if found is None:
            raise NotFound(
                f"There is no environment `{name[:63]}`.", hint=f"There are: {', '.join(self.environments)}."
            )
        return found

    def namespace(self, service: str, team: str, environment: str) -> str:
        """Return the namespace of a service in an environment, as Kubernetes takes it: at most 63 characters."""
        pattern = self.environment(environment).namespace
        return cut(pattern.format(service=service, team=team, environment=environment))

    def after(self, environment: str) -> str | None:
        """Return the environment that a version is promoted to from this one; None from the last."""
        names = list(self.environments)
        place = names.index(environment) + 1
        return names[place] if place < len(names) else None


SizeTable = Mapping[str, Size]
