"""Databases: which engines there are, who makes them where, what one costs, and what a person has asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from bot.model.configured import Part, Quantity

Engine = Literal["postgresql", "mysql", "valkey"]
ENGINES: dict[Engine, str] = {"postgresql": "PostgreSQL", "mysql": "MySQL", "valkey": "Valkey (speaks Redis)"}
"""What people call each."""

Maker = Literal["cloudnativepg", "crossplane", "claim", "git"]
_MAKES: dict[Maker, frozenset[Engine]] = {
    "cloudnativepg": frozenset({"postgresql"}),
    "crossplane": frozenset({"postgresql", "mysql"}),
    "claim": frozenset(ENGINES),
    "git": frozenset(ENGINES),
}


class DatabaseSize(Part):
    """What a database gets for one word, and what that costs."""

    cpu: Quantity
    memory: Quantity
    storage: Quantity
    instances: Annotated[int, Field(ge=1, le=9)] = 1
    """More than 1: a standby takes over when the primary fails."""
    instance_class: str = ""
    """The cloud's own word, where a cloud runs it: `db.t3.micro`."""
    pooler: Annotated[int, Field(ge=0, le=9)] = 0
    """CloudNativePG: so many connection poolers stand before it; 0 for none."""
    monthly_cost: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    """Of the whole database, in `Platform.currency`."""


class Backups(Part):
    """How CloudNativePG keeps backups."""

    method: Literal["none", "volume-snapshot", "plugin"] = "none"
    schedule: str = "0 0 2 * * *"
    """Six fields, seconds first, as CloudNativePG reads it."""
    snapshot_class: str = ""
    """`volume-snapshot`: the VolumeSnapshotClass; empty for the cluster's default."""
    plugin: str = "barman-cloud.cloudnative-pg.io"
    """`plugin`: its name."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """`plugin`: what it is told, such as `{barmanObjectName: backups}`."""


class Claim(Part):
    """A company's own composite type of Crossplane, and how what is asked for is written into it."""

    api_version: str
    """`platform.acme.example/v1alpha1`."""
    kind: str
    """`SQLInstance`."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Path → text with `{name}`, `{engine}`, `{version}`, `{size}`, `{storage_gib}`, `{team}`, `{environment}`,
    `{retention_days}`: `{spec.parameters.size: "{size}"}`."""
    keys: dict[str, str] = Field(default_factory=dict)
    """What the connection secret calls `host`, `port`, `name`, `user`, `password` and `url`, where it is not that."""


class GitFile(Part):
    """A file that something else picks up from Git, such as Terraform."""

    template: str
    """Name of a Jinja2 file in one of `platform.templates`: `database.tf.j2`."""
    path: str = "databases/{team}/{name}-{environment}.tf"
    """Where it is written in `platform.gitops.repository`."""
    keys: dict[str, str] = Field(default_factory=dict)
    """As for a claim: what the secret `<name>-db`, which the other side must make, calls its values."""


class DatabaseProvider(Part):
    """Who makes the databases of one environment."""

    provider: Maker = "cloudnativepg"
    storage_class: str = ""
    """CloudNativePG: empty for the cluster's default."""
    backups: Backups = Backups()
    region: str = "eu-central-1"
    """Crossplane: where the cloud keeps it."""
    provider_config: str = "default"
    """Crossplane: name of the ProviderConfig."""
    connection_namespace: str = "crossplane-system"
    """Crossplane: where a managed resource that stands in no namespace writes its connection, unless it may write
    beside the service."""
    claim: Claim | None = None
    """Needed by `claim`."""
    file: GitFile | None = None
    """Needed by `git`."""
    contact: str = ""
    """Whom people ask about databases here, in their own words: `#databases`; empty: the platform's channel."""

    def engines(self) -> frozenset[Engine]:
        """Return which engines it makes."""
        return _MAKES[self.provider]


class Budget(Part):
    """The most that a team may have. None: as much as it likes."""

    databases: Annotated[int, Field(ge=0)] | None = None
    previews: Annotated[int, Field(ge=0)] | None = None
    monthly_cost: Annotated[Decimal, Field(ge=0)] | None = None
    """Of databases and previews, in `Platform.currency`."""


class RequestedDatabase(BaseModel):
    """A database that a person asked for: part of the release of its service, or of one that has no version at all.

    Laid over what the service's own document says of a database, as a number of replicas is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Engine = "postgresql"
    size: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    """One of `Platform.database_sizes`."""
    version: int | None = None
    """Major version; None: the newest that we know."""
    retention_days: Annotated[int, Field(ge=1, le=365)] = 7
    """How long backups are kept."""
    seed_from: str = ""
    """Name of the environment that it was first filled from; empty: it began empty."""
    by: str
    """Full reference of who asked."""
    at: AwareDatetime
    protected: bool = True
    """As long as it is, nothing deletes it."""
