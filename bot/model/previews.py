"""Previews: what the platform team decides about them, and the terms on which one stands."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bot.model.configured import DnsLabel, DomainName, Part, People, Quantity
from bot.model.duration import Duration

PREVIEW, FORK = "preview", "fork"
"""What policy calls the environment of every preview, and that of one whose source is a stranger's."""
RESERVED = (PREVIEW, FORK)


class Quota(Part):
    """The most that one preview may hold; its namespace enforces it."""

    cpu: Quantity = "4"
    memory: Quantity = "8Gi"
    storage: Quantity = "20Gi"
    pods: Annotated[int, Field(ge=1, le=1000)] = 50


class Masking(Part):
    """What makes real data harmless before anybody sees it: a job beside the database, before the services start."""

    image: str
    """Holds the program: `ghcr.io/acme/mask:4`."""
    command: tuple[str, ...] = ()
    """Empty: the image's own. It gets the connection as `DATABASE_URL` and so on, as a service does."""
    version: str
    """Of the masking rules; it stands on the card."""


class Previews(Part):
    """What a preview is like, how long it lives, and who may have one."""

    base: DnsLabel
    """The environment that it takes after: classes, sizes, providers; and where services are found that it has not."""
    cluster: DnsLabel | Literal[""] = ""
    """Empty: the base's."""
    domain: DomainName | Literal[""] = ""
    """A service of it answers at `<service>.<preview>.<domain>`; empty: none has an address from outside."""
    delivery: Literal["gitops", "direct"] = "direct"
    ttl: Duration = timedelta(days=3)
    """How long one lives that says nothing."""
    longest: Duration = timedelta(days=30)
    """The latest end, counted from its beginning: nobody extends beyond."""
    reminder: Duration = timedelta(hours=12)
    """So long before the end its owner is asked what shall become of it."""
    idle_after: Duration | None = timedelta(days=1)
    """So long without traffic, commits or talk, and it is put to sleep; None: never."""
    quota: Quota = Quota()
    may_ask: People = "owner"
    """Who asks for previews, of the services' owners by default."""
    approve: People = "none"
    approve_forks: People = "owner"
    """Who approves one whose source comes from a fork."""
    label: str = "preview"
    """A pull request with this label gets one."""
    every_pull_request: bool = False
    """Whether each pull request of an own branch gets one by itself."""
    secrets: bool = False
    """Whether the platform team provides the services' Secrets in previews too (its namespaces are labelled
    `causeway.io/secrets: wanted`). Otherwise, and always for forks, services start without."""
    seed: DnsLabel | Literal[""] = ""
    """The environment that databases are filled from where nobody says another; empty: they begin empty."""
    masking: Masking | None = None

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        if not timedelta(0) < self.ttl <= self.longest:
            raise ValueError("ttl: is longer than `longest`, or nothing at all")
        if self.reminder >= self.ttl:
            raise ValueError("reminder: is not shorter than `ttl`")
        for name in ("approve", "approve_forks"):
            if getattr(self, name) in ("anyone", ()):
                raise ValueError(f"{name}: say `none`, `owner`, or list who approves")
        return self


class PullRequestSource(BaseModel):
    """The pull request that a preview shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: str
    """`acme/orders-api`."""
    number: int
    head: str = Field(pattern=r"^[0-9a-f]{40}$")
    """The commit that is shown."""
    fork: bool = False


class PreviewTerms(BaseModel):
    """On which terms a preview stands. Written beside its objects, as the rest of its release: its end is computed from
    what exists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    """Full reference of the person whose it is: they are asked before it ends."""
    created_at: AwareDatetime
    expires_at: AwareDatetime
    asleep_since: AwareDatetime | None = None
    source: PullRequestSource | None = None
    masked: str = ""
    """Version of the masking rules that its data went through."""
    commits: dict[str, str] = Field(default_factory=dict)
    """Service → the commit at which its platform document was read, 40 hexadecimal digits: it is read there again when
    the preview is rendered anew."""
    monthly_cost: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    """What all of it costs while it is awake, in `Platform.currency`."""
    used_at: AwareDatetime | None = None
    """When somebody last made something of it: a new version, waking it, or another end. Idleness counts from there."""
