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
    """`opened`, `reopened`, `ready_for_review`, `labeled`, `unlabeled`, `synchronize`, `closed`, …"""
    number: int
    title: str
    web_url: str
    head: str
    head_sha: str
    base: str
    author: str
    merged: bool = False
    head_repository: str = ""
    """Where the branch is: `owner/name`; empty where that repository is gone."""
    fork: bool = True
    """Whether the branch is in another repository than the base. What does not say so may come from anybody."""
    labels: tuple[str, ...] = ()
    """All that it carries now."""
    is_open: bool = True
    label: str = ""
    """The one that came or went, where that is what happened."""
    draft: bool = False
    sender: str = ""
    """Login of whoever did it."""
    at: str = ""
    """When it was changed last, as the forge writes it: tells two events of one kind apart, and is the same in every
    delivery of one."""


class PullRequestComment(ForgeEvent, frozen=True):
    """Somebody has said something new below a pull request."""

    number: int
    comment: int
    """Its id."""
    author: str
    """Login; that of an app ends in `[bot]`."""
    association: str
    """What the author is to the repository, in GitHub's words: `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`,
    `NONE`, …"""
    text: str
    """Markdown; its beginning, where it is very long."""
    is_open: bool = True
    """Whether the pull request is."""


class WorkflowRun(ForgeEvent, frozen=True):
    """A run of CI that goes on; its end is a `BuildEnded`."""

    action: str
    """`requested`, `in_progress`."""
    run: int
    name: str
    branch: str
    sha: str
    status: str
    conclusion: str | None
    """`success`, `failure`, …; None until it is completed."""
    web_url: str


class BuildEnded(ForgeEvent, frozen=True):
    """A run of CI has ended, for good or ill. A commit may have several: look at all of them before you believe it."""

    run: int
    name: str
    """Of the workflow."""
    sha: str
    branch: str
    is_default_branch: bool
    """Whether the commit is on the repository's default branch: not for a fork's branch of that name, nor for a tag."""
    conclusion: str
    """`success`, `failure`, `cancelled`, `timed_out`, `skipped`, `neutral`, …"""
    actor: str
    """Login of whoever began the run; that of an app ends in `[bot]`."""
    web_url: str

    @property
    def succeeded(self) -> bool:
        return self.conclusion == "success"


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
