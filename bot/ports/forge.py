"""The place of repositories, their builds and the deployments that it is told of (GitHub)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.model.canonical import JSON


@dataclass(frozen=True, slots=True)
class Repository:
    """`full_name` is `owner/name`. `id` never changes, so a repository deleted and made anew is another one."""

    id: int
    full_name: str
    description: str
    default_branch: str
    private: bool
    web_url: str
    clone_url: str
    archived: bool = False
    homepage: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a tree. `mode` is Git's: `100644`, `100755`, `120000` (link; content is the target)."""

    path: str
    content: bytes
    mode: str = "100644"
    sha: str = ""
    """Git's hash of the content, where the file was read from a repository. A commit of a file that has one takes the
    content that the repository holds already, so a file read without its content can be put back."""


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    web_url: str


@dataclass(frozen=True, slots=True)
class Author:
    """Whose name a commit carries. Who committed it stays the bot."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    number: int
    web_url: str
    head: str
    """Branch name."""
    head_sha: str
    base: str
    title: str
    state: Literal["open", "closed"]
    merged: bool
    body: str = ""
    author: str = ""
    """Login; that of an app ends in `[bot]`."""
    head_repository: str = ""
    """Where the branch is: `owner/name`; empty where that repository is gone."""
    fork: bool = False
    """Whether the branch is in another repository than the base: what it holds may come from anybody."""
    labels: tuple[str, ...] = ()
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment in the conversation of a pull request (or issue)."""

    id: int
    body: str
    """Markdown, as it was written."""
    author: str
    """Login; that of an app ends in `[bot]`."""
    web_url: str
    ours: bool = False
    """Whether we have written it: nobody else can pretend to."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What is in a repository, to tell whether anybody but us has worked in it."""

    heads: Mapping[str, str]
    """Branch → commit hash."""
    tags: tuple[str, ...]
    pull_requests: tuple[PullRequest, ...]
    """Open and closed, the newest 100."""
    issues: int
    """Open and closed, pull requests not counted."""
    forks: int = 0


@dataclass(frozen=True, slots=True)
class NewRepository:
    full_name: str
    description: str
    private: bool = True


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Protection of the default branch."""

    name: str
    required_approvals: int = 1
    require_code_owners: bool = True
    required_checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    id: int
    url: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """Files below a path at one commit. `sha` is the hash of that path's tree (`absent` where there is none)."""

    commit: str
    sha: str
    files: Sequence[File] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    sha: str
    """The commit it names."""


@dataclass(frozen=True, slots=True)
class Release:
    """A published release; drafts are nobody's business."""

    tag: str
    name: str
    published_at: datetime
    prerelease: bool
    web_url: str


@dataclass(frozen=True, slots=True)
class Image:
    """One container image of a repository's own package."""

    tags: tuple[str, ...]
    digest: str
    """`sha256:…`"""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChangedFile:
    path: str
    status: Literal["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]
    was: str = ""
    """The path before a rename."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `head` has that `base` has not, as `git log base..head` and `git diff base...head` tell it."""

    ahead: int
    behind: int
    """Commits that `base` has and `head` has not: above 0, `head` is no descendant of `base`."""
    commits: tuple[Commit, ...]
    """Oldest first, at most the newest 250."""
    files: tuple[ChangedFile, ...]
    """At most 300."""
    web_url: str


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of the repository's CI for one commit."""

    id: int
    name: str
    sha: str
    branch: str
    status: Literal["queued", "in_progress", "completed", "waiting", "requested", "pending"]
    conclusion: str | None
    """`success`, `failure`, `cancelled`, `timed_out`, …; None until it is completed."""
    web_url: str
    updated_at: datetime


DeploymentState = Literal["queued", "in_progress", "success", "failure", "inactive", "error", "pending"]


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment as the forge was told of it; `payload` holds the operation that told it."""

    id: int
    sha: str
    environment: str
    payload: Mapping[str, JSON]
    created_at: datetime


RECENT_COMMITS = 50
"""How far back `recent_commits` reads."""

NEWEST_IMAGES = 100
"""How many `images` returns at most."""

LONGEST_COMMENT = 65_536
"""Characters that a comment may have."""


class Forge(Protocol):
    """Repositories, their settings and their files."""

    async def repository(self, full_name: str) -> Repository | None:
        """Return it, under its new name when it was renamed."""

    async def repositories(self, owner: str) -> Sequence[Repository]: ...
    async def create_repository(self, new: NewRepository) -> Repository:
        """Create it with one empty first commit. Raise `Conflict` when the name is taken."""

    async def update_repository(
        self, full_name: str, *, description: str | None = None, homepage: str | None = None
    ) -> Repository: ...
    async def delete_repository(self, full_name: str) -> None: ...
    async def activity(self, full_name: str) -> Activity: ...

    async def branch_head(self, full_name: str, branch: str) -> Commit | None: ...
    async def recent_commits(self, full_name: str, branch: str) -> Sequence[Commit]:
        """Return the newest `RECENT_COMMITS` of a branch (or up to a commit, by its hash), the head first; nothing
        where it is missing."""

    async def tree(self, full_name: str, ref: str, path: str = "", *, contents: bool = True) -> Tree:
        """Read the files below `path` at `ref` (branch, tag or hash). Raise `NotFound` for an unknown ref."""

    async def file(self, full_name: str, ref: str, path: str) -> bytes | None:
        """Read one file, or None where there is none at that ref."""

    async def commit(
        self,
        full_name: str,
        branch: str,
        files: Sequence[File],
        message: str,
        *,
        parent: str | None,
        deleted: Sequence[str] = (),
        author: Author | None = None,
    ) -> Commit:
        """Make one commit of all files. With `parent=None` it replaces the branch's history (a fresh repository);
        otherwise it builds on that commit and raises `Conflict` when the branch has moved. Creates a missing branch.

        With `author` the commit carries that person's name and the bot's as committer. GitHub signs the commits of an
        App only where nobody's name is given, so a branch that takes signed commits alone refuses such a commit: leave
        it out there and name the person in the message.
        """

    async def move_branch(self, full_name: str, branch: str, *, to: str, expected: str) -> None:
        """Let the branch name another commit, even an older one. Raise `Conflict` when it is not at `expected`."""

    async def delete_branch(self, full_name: str, branch: str) -> None: ...
    async def create_pull_request(self, full_name: str, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """Raise `Conflict` when one is open for that head already (find it with `pull_request_for`)."""

    async def pull_request_for(self, full_name: str, head: str) -> PullRequest | None:
        """Return the newest one of that branch, open or closed."""

    async def pull_request(self, full_name: str, number: int) -> PullRequest | None: ...
    async def close_pull_request(self, full_name: str, number: int) -> None: ...

    async def comments(self, full_name: str, number: int) -> Sequence[Comment]:
        """Return the comments of a pull request or issue, oldest first, at most the first 2,000. Raise `NotFound` where
        there is no such number."""

    async def create_comment(self, full_name: str, number: int, body: str) -> Comment:
        """Write a comment below a pull request. `body` has at most `LONGEST_COMMENT` characters."""

    async def update_comment(self, full_name: str, comment: int, body: str) -> None:
        """Raise `NotFound` where it is gone."""

    async def delete_comment(self, full_name: str, comment: int) -> None:
        """Raise `NotFound` where it is gone."""

    async def topics(self, full_name: str) -> tuple[str, ...]: ...
    async def replace_topics(self, full_name: str, topics: Sequence[str]) -> None: ...
    async def team_permission(self, full_name: str, team: str) -> str | None: ...
    async def grant_team(self, full_name: str, team: str, permission: str) -> None: ...
    async def revoke_team(self, full_name: str, team: str) -> None: ...
    async def variable(self, full_name: str, name: str) -> str | None: ...
    async def set_variable(self, full_name: str, name: str, value: str) -> None: ...
    async def delete_variable(self, full_name: str, name: str) -> None: ...
    async def ruleset(self, full_name: str, name: str) -> int | None:
        """Return its id."""

    async def create_ruleset(self, full_name: str, ruleset: Ruleset) -> int: ...
    async def delete_ruleset(self, full_name: str, ruleset_id: int) -> None: ...
    async def webhooks(self, full_name: str) -> Sequence[Webhook]: ...
    async def create_webhook(self, full_name: str, url: str, events: Sequence[str], *, secret_name: str) -> Webhook:
        """The adapter looks the secret up by its name in the settings: no effect, plan or ledger ever holds it.
        Raise `NotFound` when no secret has that name."""

    async def delete_webhook(self, full_name: str, webhook_id: int) -> None: ...

    # --- versions, builds, deployments

    async def tags(self, full_name: str) -> Sequence[Tag]:
        """Return the newest 100 as the forge orders them."""

    async def releases(self, full_name: str) -> Sequence[Release]:
        """Return the newest 100, newest first."""

    async def images(self, full_name: str) -> Sequence[Image]:
        """Return the newest `NEWEST_IMAGES` that have a tag of the container package named like the repository, newest
        first. None without one, and none where the forge shows us no packages: GitHub shows an App none."""

    async def compare(self, full_name: str, base: str, head: str) -> Comparison:
        """Raise `NotFound` when either is unknown."""

    async def workflow_runs(self, full_name: str, sha: str) -> Sequence[WorkflowRun]:
        """Return the runs for exactly that commit, newest first, the newest attempt of each. Runs that a schedule or
        a comment began are left out: they happen to meet the commit, and say nothing about it."""

    async def create_deployment(
        self,
        full_name: str,
        ref: str,
        environment: str,
        *,
        description: str,
        payload: Mapping[str, JSON],
        transient: bool = False,
    ) -> DeploymentRecord:
        """Record that `ref` is being deployed. It merges nothing and waits for no check. `transient` says that the
        environment will be gone some day."""

    async def deployment_records(self, full_name: str, environment: str) -> Sequence[DeploymentRecord]:
        """Return the newest 30, newest first."""

    async def deployment_state(self, full_name: str, deployment: int) -> DeploymentState | None:
        """Return the state of its newest status; None where it has none. Raise `NotFound` for an unknown one."""

    async def set_deployment_state(
        self, full_name: str, deployment: int, state: DeploymentState, *, description: str = "", url: str = ""
    ) -> None:
        """`url` is where the service answers. A success makes earlier successes of the environment inactive, except in
        production environments, of which GitHub shows only the newest as active."""
