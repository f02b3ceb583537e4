"""What this installation is told: `causeway.yaml` for what is decided, `CAUSEWAY_*` for addresses and secrets.

Both are read once, at start, and checked whole: all mistakes are listed at once, each with its path and a mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, field_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import Invalid, Mistake
from bot.model.duration import Duration
from bot.model.platform import Platform
from bot.policy.rules import Rules

P = TypeVar("P", bound=BaseModel)

PREFIX = "CAUSEWAY_"
LATER = frozenset({"token", "test_cache"})
"""Names that other parts read."""


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value.rstrip("/")


def _address_or_none(value: str) -> str:
    return _address(value) if value else value


Address = Annotated[str, AfterValidator(_address)]


class Part(BaseModel):
    """Settings never echo a value in an error: it may be a secret."""

    model_config = {"frozen": True, "extra": "forbid", "hide_input_in_errors": True, "populate_by_name": True}


class Environment(Part):
    """Addresses and secrets, each from the environment variable `CAUSEWAY_` + its name in capitals."""

    slack_signing_secret: SecretStr = SecretStr("")
    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    """Set: deliveries come over Socket Mode instead of HTTP."""
    slack_api_url: Address = "https://slack.com/api"
    github_api_url: Address = "https://api.github.com"
    github_token: SecretStr = SecretStr("")
    github_app_id: str = ""
    github_app_key: SecretStr = SecretStr("")
    """The App's private key, PEM. `CAUSEWAY_GITHUB_APP_KEY_FILE` names a file instead."""
    github_webhook_secret: SecretStr = SecretStr("")
    kubeconfig: str = ""
    """A kubeconfig file with a context for each cluster; empty: the pod's own service account, where there is one."""
    argocd_url: Annotated[str, AfterValidator(_address_or_none)] = ""
    """Argo CD's own address; empty: there is none, and applications are only read from the cluster."""
    argocd_token: SecretStr = SecretStr("")
    prometheus_url: Annotated[str, AfterValidator(_address_or_none)] = ""
    """Prometheus' own address; empty: nobody measures, so health tells no signals and no preview sleeps by itself."""
    alertmanager_url: Annotated[str, AfterValidator(_address_or_none)] = ""
    """Alertmanager's own address, for silences and for what its webhook has missed."""
    alertmanager_token: SecretStr = SecretStr("")
    """The bearer token with which Alertmanager calls `/webhooks/alertmanager`; empty: nothing is taken there."""
    loki_url: Annotated[str, AfterValidator(_address_or_none)] = ""
    tempo_url: Annotated[str, AfterValidator(_address_or_none)] = ""
    database_url: str = "sqlite:///.causeway/causeway.db"
    config: Path = Path("causeway.yaml")
    listen: str = "127.0.0.1:8080"
    """Host and port of the HTTP server; behind a proxy that ends TLS."""
    public_url: str = ""
    """Where Slack reaches this server over HTTP; it goes into the app manifest."""
    clock_url: str = ""
    """The playground's clock. Never set in production."""
    ledger_key_file: str = ""
    """Ed25519 private key (PEM) that signs the ledger's head; made beside the database when not set."""
    replica: str = ""
    """A name for this process among its replicas; a random one when not set."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError as error:
            raise ValueError(
                "is not a database URL; write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
            ) from error
        if backend not in ("sqlite", "postgresql"):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @property
    def host_and_port(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host or "127.0.0.1", int(port)

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        if not value.rpartition(":")[2].isdecimal():
            raise ValueError("must be HOST:PORT, such as 0.0.0.0:8080")
        return value


class CatalogPart(Part):
    folders: tuple[Path, ...] = ()
    """Local folders with catalog files, read at start and at each sweep."""
    repositories: tuple[str, ...] = ()
    """Repositories whose `catalog-info.yaml` is read: `acme/catalog`, or all of an owner's: `acme/*`.

    People and groups are believed only from folders and from repositories that are named in full."""
    sweep: Duration = timedelta(minutes=10)
    """How often everything is read anew, in case a webhook was lost."""


class GitTemplates(Part):
    repository: str
    path: str = ""
    """Folder below which `template.yaml` files are looked for."""
    ref: str = ""
    """Branch, tag or hash; the default branch when empty. The commit is pinned in each plan."""


class GoldenPathsPart(Part):
    folders: tuple[Path, ...] = ()
    """Folders of Backstage templates. Without any, the two that ship with Causeway."""
    repositories: tuple[GitTemplates, ...] = ()
    cpu_s: Annotated[int, Field(ge=1, le=60)] = 10
    """CPU seconds one rendering may use."""
    memory_mb: Annotated[int, Field(ge=128, le=4096)] = 512
    wall_s: Annotated[int, Field(ge=1, le=120)] = 20


class ApiToken(Part):
    """A bearer token of the HTTP door and the command line: only its hash is stored."""

    user: str
    """Whom the token names: `user:default/author` or `author`."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class GitFile(Part):
    repository: str
    path: str = "ledger-heads.jsonl"


class LedgerPart(Part):
    publish_file: Path | None = None
    """Signed heads are appended here, one JSON object a line; keep it on another disk than the database."""
    publish_git: GitFile | None = None
    """Signed heads are committed to this file of a repository."""
    publish_channel: str = ""
    """Signed heads are posted here too."""


class SlackPart(Part):
    command_prefix: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,16}$")] = ""
    """`acme-` makes the commands `/acme-idp`, `/acme-service`, …"""
    platform_channel: str = "platform"
    """Where people are sent for help, and where a card goes whose own channel cannot be used."""
    channels: dict[str, str] = Field(default_factory=dict)
    """Group → channel, where the catalog does not say it (`causeway.io/slack-channel`)."""


class AlertsPart(Part):
    budget: Annotated[int, Field(ge=1, le=10_000)] = 20
    """How many alert cards a channel gets a day. Beyond it, what is not critical goes on one digest of the day."""
    budgets: dict[str, Annotated[int, Field(ge=1, le=10_000)]] = Field(default_factory=dict)
    """Channel → its own budget."""
    wait: Duration = timedelta(seconds=5)
    """How long a new group waits for its cause before it is told, so that it can be folded into it."""
    unposted: Duration = timedelta(minutes=10)
    """A critical alert whose card could not be posted for so long is told in the platform channel as well."""
    receivers: tuple[str, ...] = ()
    """Alertmanager's receivers that are ours, for what its webhook has missed. Without any: those that have called."""


class GithubPart(Part):
    organization: str = ""
    """Owner of new repositories whose template names none."""
    other_organizations: tuple[str, ...] = ()
    """Further owners that golden paths may name; all others are refused."""
    host: str = "github.com"
    """What stands before the `?` in a template's `repoUrl`."""
    web_url: Address = "https://github.com"
    """Where repositories are seen in a browser."""
    private_repositories: bool = True
    writes_per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """How fast changes follow one another after a burst. GitHub advises 1."""
    creations_per_minute: Annotated[int, Field(ge=1)] = 80
    creations_per_hour: Annotated[int, Field(ge=1)] = 500
    """GitHub's limits on what makes content; higher only where the server allows it."""
    points_per_minute: Annotated[int, Field(ge=5)] = 900
    """GitHub's limit on all calls together: one that reads counts 1, one that writes 5."""


class Configuration(Part):
    """`causeway.yaml`."""

    slack: SlackPart = SlackPart()
    github: GithubPart = GithubPart()
    catalog: CatalogPart = CatalogPart()
    golden_paths: GoldenPathsPart = GoldenPathsPart()
    platform: Platform = Platform()
    policy: Rules = Rules()
    api_tokens: tuple[ApiToken, ...] = ()
    ledger: LedgerPart = LedgerPart()
    alerts: AlertsPart = AlertsPart()


class Settings(Part):
    environment: Environment
    configuration: Configuration


def load(environ: Mapping[str, str], *, config: Path | None = None) -> Settings:
    """Read everything. Raise `Invalid` that lists every mistake of both sources."""
    values, mistakes = _environment(environ)
    if config is not None:
        values["config"] = str(config)
    environment = _checked(Environment, values, mistakes, lambda path: f"{PREFIX}{path.upper()}")
    file = Path(values.get("config", "causeway.yaml"))
    document = _document(file, explicit="config" in values, mistakes=mistakes)
    configuration = _checked(Configuration, document, mistakes, lambda path: f"{file.name}: {path}")
    if environment is None or configuration is None or mistakes:
        raise Invalid("Causeway cannot start with these settings.", mistakes, hint="Mend each and start again.")
    return Settings(environment=environment, configuration=_anchored(configuration, file.resolve().parent))


def _environment(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Mistake]]:
    mistakes: list[Mistake] = []
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value != ""
    }
    if file := values.pop("github_app_key_file", None):
        try:
            values["github_app_key"] = Path(file).read_text()
        except OSError as error:
            mistakes.append(Mistake(f"{PREFIX}GITHUB_APP_KEY_FILE", f"cannot be read: {error.strerror}"))
    known = set(Environment.model_fields)
    for name in sorted(set(values) - known - LATER):
        near = difflib.get_close_matches(name, known, 1)
        mend = f"did you mean {PREFIX}{near[0].upper()}?" if near else "no setting has this name; remove it"
        mistakes.append(Mistake(f"{PREFIX}{name.upper()}", mend))
    return {name: value for name, value in values.items() if name in known}, mistakes


def _document(file: Path, *, explicit: bool, mistakes: list[Mistake]) -> Any:
    if not explicit and not file.exists():
        return {}
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        mistakes.append(Mistake(str(file), f"cannot be read: {error.strerror}"))
        return {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        mistakes.append(Mistake(str(file), f"is not YAML{f': look at line {mark.line + 1}' if mark else ''}"))
        return {}
    return {} if content is None else content


def _checked(model: type[P], values: Any, mistakes: list[Mistake], name: Callable[[str], str]) -> P | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            path = ".".join(str(part) for part in problem["loc"])
            mistakes.append(Mistake(name(path), _mend(problem["type"], problem["msg"], path, model)))
        return None


def _mend(kind: str, message: str, path: str, model: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        known = _names(model)
        near = difflib.get_close_matches(path.rpartition(".")[2], known, 1)
        return f"is not a setting; did you mean `{near[0]}`?" if near else "is not a setting; remove it"
    if kind == "missing":
        return "is missing; add it"
    return message.removeprefix("Value error, ")


def _names(model: type[BaseModel]) -> set[str]:
    """Names of all settings below `model`, for a suggestion."""
    names: set[str] = set()
    for name, field in model.model_fields.items():
        names.add(name)
        inner = [field.annotation, *get_args(field.annotation)]
        for annotation in inner:
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                names |= _names(annotation)
    return names


def _anchored(configuration: Configuration, base: Path) -> Configuration:
    """Resolve relative folders against the file that names them, not against where the program was started."""
    catalog = configuration.catalog
    golden_paths = configuration.golden_paths
    ledger = configuration.ledger
    platform = configuration.platform
    return configuration.model_copy(
        update={
            "catalog": catalog.model_copy(update={"folders": tuple(base / folder for folder in catalog.folders)}),
            "golden_paths": golden_paths.model_copy(
                update={"folders": tuple(base / folder for folder in golden_paths.folders)}
            ),
            "platform": platform.model_copy(
                update={
                    "templates": tuple(base / folder for folder in platform.templates),
                    "queries": tuple(base / folder for folder in platform.queries),
                }
            ),
            "ledger": ledger.model_copy(
                update={"publish_file": base / ledger.publish_file if ledger.publish_file else None}
            ),
        }
    )
