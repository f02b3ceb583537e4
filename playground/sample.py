"""The sample company that every peer of the playground tells the same story about."""

from __future__ import annotations

from dataclasses import dataclass

ORGANISATION = "acme"
"""Owner of every sample repository."""
GITOPS = f"{ORGANISATION}/gitops"
"""Where what runs is written down."""

COMPOSITES = "platform.acme.example"
"""API group of the composite types that the sample company's platform team has defined for Crossplane."""
CACHE_CLAIM = {
    "api_version": f"{COMPOSITES}/v1alpha1",
    "kind": "CacheInstance",
    "fields": {
        "spec.parameters.engine": "{engine}",
        "spec.parameters.version": "{version}",
        "spec.parameters.size": "{size}",
    },
    "keys": {"host": "endpoint", "user": "username", "name": "database"},
}
"""How what a team asks for is written into the company's claim for caches."""


@dataclass(frozen=True, slots=True)
class Person:
    handle: str
    name: str
    slack_id: str
    groups: tuple[str, ...] = ()
    is_guest: bool = False
    """Single-channel guest."""
    is_outsider: bool = False
    """From another organisation, through Slack Connect."""
    in_catalog: bool = True

    @property
    def email(self) -> str:
        return f"{self.handle}@{'partner' if self.is_outsider else 'acme'}.example"


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    slack_id: str
    purpose: str
    members: tuple[str, ...]
    is_shared: bool = False


PEOPLE = (
    Person("author", "Sample Author", "U0AUTHOR01", ("team-orders",)),
    Person("teammate", "Sample Teammate", "U0TEAMMATE1", ("team-orders",)),
    Person("approver", "Sample Approver", "U0APPROVER1", ("team-orders",)),
    Person("platform", "Sample Platform Engineer", "U0PLATFORM1", ("platform",)),
    Person("stranger", "Sample Stranger", "U0STRANGER1", ("team-checkout",)),
    Person("guest", "Sample Guest", "U0GUEST0001", is_guest=True, in_catalog=False),
    Person("outsider", "Sample Outsider", "U0OUTSIDER1", is_outsider=True, in_catalog=False),
)

GROUPS = {"team-orders": "Team Orders", "team-checkout": "Team Checkout", "platform": "Platform Team"}
LEADS = {"team-orders": "approver", "team-checkout": "stranger", "platform": "platform"}

_STAFF = ("author", "teammate", "approver", "platform", "stranger")
CHANNELS = (
    Channel("team-orders", "C0TEAMORDER", "What team orders ships", ("author", "teammate", "approver", "platform")),
    Channel("team-checkout", "C0TEAMCHECK", "What team checkout ships", ("stranger", "platform")),
    Channel("platform", "C0PLATFORM1", "Questions to the platform team", (*_STAFF, "outsider"), is_shared=True),
    Channel("general", "C0GENERAL01", "Everybody", (*_STAFF, "guest")),
)
BOT_NAME = "Causeway"
BOT_USER = "U0CAUSEWAY1"
BOT_ID = "B0CAUSEWAY1"
APP_ID = "A0CAUSEWAY1"
TEAM_ID = "T0ACME00001"
