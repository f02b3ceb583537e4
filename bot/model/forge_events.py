"""What a forge tells us by webhook, as far as we use it."""

from __future__ import annotations

from pydantic import BaseModel


class ForgeEvent(BaseModel, frozen=True, extra="forbid"):
    """`delivery` is the sender's id of it: a redelivery carries the same."""

    delivery: str
    repository: str | None = None
    """`owner/name`; None for what belongs to an organisation or to the App itself."""


class Push(ForgeEvent, frozen=True):
    """A branch or tag moved, appeared or vanished."""

    branch: str | None
    """None when a tag was pushed."""
    default_branch: str
    before: str
    after: str
    """Both are all zeros where there is no commit on that side."""
    paths: frozenset[str]
    """Files that the pushed commits name; a forced push may have changed others as well."""
    forced: bool = False

    @property
    def to_default_branch(self) -> bool:
        return self.branch == self.default_branch

    @property
    def deleted(self) -> bool:
        return set(self.after) == {"0"}


class PullRequestEvent(ForgeEvent, frozen=True):
    action: str
    """`opened`, `synchronize`, `closed`, …"""
    number: int
    title: str
    web_url: str
    head: str
    head_sha: str
    base: str
    author: str
    merged: bool = False


class WorkflowRun(ForgeEvent, frozen=True):
    action: str
    """`requested`, `in_progress`, `completed`."""
    run: int
    name: str
    branch: str
    sha: str
    status: str
    conclusion: str | None
    """`success`, `failure`, …; None until it is completed."""
    web_url: str


class RepositoryEvent(ForgeEvent, frozen=True):
    action: str
    """`created`, `deleted`, `renamed`, `archived`, `transferred`, …"""
    id: int
    former_name: str | None = None
    """`owner/name` before a rename or transfer."""


class UnknownEvent(ForgeEvent, frozen=True):
    """Anything else; kept by name so that it can be counted."""

    event: str
    action: str | None = None
