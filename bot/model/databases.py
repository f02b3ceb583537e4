"""Databases: which engines there are, who makes them where, what one costs, and what a person has asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.model.configured import Part, Quantity
from bot.model.patterns import checked_fields, checked_path, checked_pattern

Engine = Literal["postgresql", "mysql", "valkey"]
ENGINES: dict[Engine, str] = {"postgresql": "PostgreSQL", "mysql": "MySQL", "valkey": "Valkey (speaks Redis)"}
"""What people call each."""

VERSIONS: dict[Engine, tuple[int, ...]] = {"postgresql": (14, 15, 16, 17, 18), "mysql": (8,), "valkey": (7, 8, 9)}
"""Major versions that can be asked for."""
DEFAULT_VERSION: dict[Engine, int] = {"postgresql": 17, "mysql": 8, "valkey": 8}
"""What an engine gets where nobody says. Raising one upgrades every database that does not say: that is a change for
the users to decide, so whoever asks for a database gets the number written down (`RequestedDatabase.version`)."""
RETENTION_DAYS = 7
"""How long backups are kept where nobody says."""

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


def _six_fields(schedule: str) -> str:
    if len(schedule.split()) != 6 and not schedule.startswith("@"):
        raise ValueError("has not six fields, seconds first: `0 0 2 * * *` is every night at two")
    return schedule


class Backups(Part):
    """How CloudNativePG keeps backups."""

    method: Literal["none", "volume-snapshot", "plugin"] = "none"
    schedule: Annotated[str, AfterValidator(_six_fields)] = "0 0 2 * * *"
    """Six fields, seconds first, as CloudNativePG reads it."""
    snapshot_class: str = ""
    """`volume-snapshot`: the VolumeSnapshotClass; empty for the cluster's default."""
    plugin: str = "barman-cloud.cloudnative-pg.io"
    """`plugin`: its name."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """`plugin`: what it is told, such as `{barmanObjectName: backups}`."""


FACTS = (
    *("name", "engine", "version", "size", "storage_gib", "instance_class", "team", "environment", "retention_days"),
)
"""What the fields of a claim and the text of a file may say of a database."""
CONNECTION = ("host", "port", "name", "user", "password", "url")
"""What it takes to connect."""
_ONE_PLACE = ("name", "environment")
"""What tells a database from all others."""
_NEEDED = ("host", "password")
"""Nothing stands in for these where the secret has them not."""


def _keys(keys: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(keys) - set(CONNECTION))
    if unknown:
        raise ValueError(f"`{unknown[0]}` is not one of {', '.join(CONNECTION)}")
    for name in _NEEDED:
        if keys.get(name) == "":
            raise ValueError(f"`{name}` cannot be empty: without it nobody can connect")
    return keys


Keys = Annotated[dict[str, str], AfterValidator(_keys)]
"""Part of a connection → key in the Secret. Empty: the Secret has none, and it is put together from the others."""


class Claim(Part):
    """A company's own composite type of Crossplane, and how what is asked for is written into it."""

    api_version: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+\.[a-z]+/v[0-9]+((alpha|beta)[0-9]+)?$")]
    """`platform.acme.example/v1alpha1`."""
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")]
    """`SQLInstance`."""
    fields: Annotated[dict[str, str], AfterValidator(checked_fields(FACTS))] = Field(default_factory=dict)
    """Path → text with `{name}`, `{engine}`, `{version}`, `{size}`, `{storage_gib}`, `{instance_class}`, `{team}`,
    `{environment}`, `{retention_days}`: `{spec.parameters.size: "{size}"}`. A number that stands alone stays a number;
    `{version!s}` makes it a text."""
    keys: Keys = Field(default_factory=dict)
    """What the connection secret calls `host`, `port`, `name`, `user`, `password` and `url`, where it is not that.
    Empty, where it has none: `{url: ""}`."""


class GitFile(Part):
    """A file that something else picks up from Git, such as Terraform."""

    template: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
    """Name of a Jinja2 file in one of `platform.templates`: `database.tf.j2`."""
    path: Annotated[str, AfterValidator(checked_path(needs=_ONE_PLACE, knows=(*_ONE_PLACE, "team", "engine")))] = (
        "databases/{team}/{name}-{environment}.tf"
    )
    """Where it is written in `platform.gitops.repository`: of `{team}`, `{name}`, `{environment}`, `{engine}`."""
    keys: Keys = Field(default_factory=dict)
    """As for a claim: what the secret `<name>-db`, which the other side must make, calls its values."""


class Seeding(Part):
    """How other databases are filled from those of this environment."""

    method: Literal["backup", "import", "job"] = "backup"
    """`backup`: from the object storage that the plugin of `backups` writes to. `import`: over the network, from the
    running database. `job`: by a program of yours."""
    secret: Annotated[str, StringConstraints(max_length=253)] = ""
    """`import` and `job`: a Secret that stands in the new database's namespace; for `import` with the key `password`
    of the source, for `job` its keys become variables."""
    image: str = ""
    """Needed by `job`: holds the program. It gets the new connection as `DATABASE_URL` and so on, and `SEED_FROM`."""
    command: tuple[str, ...] = ()
    """Empty: the image's own."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.method == "job" and not self.image:
            raise ValueError("image: is missing; `job` runs one")
        if self.method == "import" and not self.secret:
            raise ValueError("secret: is missing; `import` logs in with it")
        return self


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
    cloud_name: Annotated[str, AfterValidator(checked_pattern(needs=("name",), knows=(*_ONE_PLACE, "team")))] = (
        "{name}-{environment}"
    )
    """Crossplane: what the database is called in the cloud, of `{name}`, `{environment}` and `{team}`. Without
    `{environment}` only one environment of a cluster or a region can have it."""
    connection_namespace: str = "crossplane-system"
    """Crossplane: where a managed resource that stands in no namespace writes its connection, unless it may write
    beside the service."""
    operator_namespace: str = "cnpg-system"
    """CloudNativePG: where its operator runs; the database's network policy lets it in."""
    seeding: Seeding | None = None
    """None: nothing is filled from here."""
    claim: Claim | None = None
    """Needed by `claim`."""
    file: GitFile | None = None
    """Needed by `git`."""
    client_image: str = ""
    """Of the pod in which a person looks into a database; empty: one that holds the engine's own client."""
    contact: str = ""
    """Whom people ask about databases here, in their own words: `#databases`; empty: the platform's channel."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.provider == "claim" and self.claim is None:
            raise ValueError("claim: is missing; say `api_version` and `kind` of your composite type")
        if self.provider == "git" and self.file is None:
            raise ValueError("file: is missing; say which `template` the file is made of")
        if self.backups.method == "plugin" and not self.backups.parameters:
            raise ValueError("backups.parameters: is missing; the plugin must be told where to, as `barmanObjectName`")
        return self

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
    """Major version; None: `DEFAULT_VERSION`."""
    retention_days: Annotated[int, Field(ge=1, le=365)] = RETENTION_DAYS
    """How long backups are kept."""
    seed_from: str = ""
    """Name of the environment that it was first filled from; empty: it began empty."""
    by: str
    """Full reference of who asked."""
    at: AwareDatetime
    protected: bool = True
    """As long as it is, nothing deletes it."""
