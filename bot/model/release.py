"""What runs of one service in one environment: written beside its objects, so that Git (or the cluster) alone tells.

In gitops mode it is `apps/<service>/<environment>/.causeway/release.yaml`: Argo CD reads no subfolder, so it is never
applied. In direct mode the same text stands in a ConfigMap of the namespace.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.model.canonical import JSON
from bot.model.databases import RequestedDatabase
from bot.model.previews import PreviewTerms

API_VERSION = "causeway.io/v1"
FILE = ".causeway/release.yaml"
MOST_HISTORY = 20
"""Earlier releases that are remembered; older ones stand in Git."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Version(_Part):
    """One version that can be deployed."""

    name: str
    """What people call it: a tag (`v1.4.2`) or the first seven characters of the commit."""
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    """In the service's repository, 40 hexadecimal digits."""
    image: str
    """Complete: `ghcr.io/acme/orders-api:1a2b3c…`."""


class Deployed(_Part):
    """One release of the past, or the present one."""

    version: Version
    at: AwareDatetime
    by: str
    """Full reference of the person."""
    operation: str


class Pin(_Part):
    """Holds a version: nothing newer is deployed by itself until the fix is there, the term is over, or a person
    lets go."""

    reason: str
    by: str
    at: AwareDatetime
    until: AwareDatetime
    bad: Version
    """The version that was left. A version that holds this commit and at least one more is a fix, and ends the pin."""


class Scaled(_Part):
    """A number of replicas that wins over the document's, perhaps for a while only."""

    replicas: int = Field(ge=0)
    by: str
    until: AwareDatetime | None = None


class Freeze(_Part):
    """Nothing is deployed, promoted, scaled or restarted here; only rolling back is possible."""

    reason: str
    by: str
    at: AwareDatetime
    until: AwareDatetime | None = None


class Release(_Part):
    """The state of a service in an environment, as decided; what the cluster makes of it is another matter."""

    service: str
    environment: str
    team: str
    """Name of the owning group: `team-orders`."""
    repository: str
    """Where its source is: `acme/orders-api`."""
    current: Deployed | None = None
    """None while it was only frozen and never deployed."""
    document: Mapping[str, JSON] = Field(default_factory=dict)
    """The platform document as it was rendered, without defaults."""
    pin: Pin | None = None
    scaled: Scaled | None = None
    restarted_at: AwareDatetime | None = None
    freeze: Freeze | None = None
    database: RequestedDatabase | None = None
    """What a person asked for beside, or instead of, what the document says."""
    preview: PreviewTerms | None = None
    """Only of a preview: the document is then an Environment."""
    history: tuple[Deployed, ...] = ()
    """Earlier releases, newest first; at most `MOST_HISTORY`."""
