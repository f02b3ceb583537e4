"""Who asks, and through which door."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel


class Door(StrEnum):
    """Where a request comes in. All doors build the same request and meet the same policy."""

    SLACK = "slack"
    CLI = "cli"
    HTTP = "http"
    FORGE = "forge"
    """Nobody typed it: a build of the default branch succeeded, or a fix was merged."""
    AGENDA = "agenda"
    """A term has come that somebody had set."""


class Principal(BaseModel, frozen=True, extra="forbid"):
    """The human (or agent) behind a request, as the catalog knows them.

    `user` and `groups` are full Backstage entity references in lower case (`user:default/author`,
    `group:default/team-orders`). `groups` holds every group the user belongs to, parents included.
    """

    user: str
    display_name: str
    email: str | None = None
    groups: frozenset[str] = frozenset()
    slack_user: str | None = None
    """The Slack user id (`U…`), if known; used to mention the person, never to authorise."""

    @property
    def handle(self) -> str:
        """The last part of the reference: `author` of `user:default/author`."""
        return self.user.rpartition("/")[2]

    def is_or_belongs_to(self, reference: str) -> bool:
        """Return whether `reference` (a full entity reference) names this person or one of their groups."""
        return reference == self.user or reference in self.groups
