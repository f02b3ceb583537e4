"""What we need of other systems, by role. Adapters in `integrations/` say how.

Every method may raise `UpstreamUnavailable` (it may pass), `OutcomeUnknown` (a write without an answer: look first),
`Refused` (our token may not), `NotFound`, `Conflict`. Nothing else leaves an adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Clock = Callable[[], datetime]
"""Returns the time, timezone-aware, UTC."""

# --- Forge: the place of repositories (GitHub) ---------------------------------------------------------------------


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


RECENT_COMMITS = 50
"""How far back `recent_commits` reads."""


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
    ) -> Commit:
        """Make one commit of all files. With `parent=None` it replaces the branch's history (a fresh repository);
        otherwise it builds on that commit and raises `Conflict` when the branch has moved. Creates a missing branch.
        """

    async def move_branch(self, full_name: str, branch: str, *, to: str, expected: str) -> None:
        """Let the branch name another commit, even an older one. Raise `Conflict` when it is not at `expected`."""

    async def delete_branch(self, full_name: str, branch: str) -> None: ...
    async def create_pull_request(self, full_name: str, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """Raise `Conflict` when one is open for that head already (find it with `pull_request_for`)."""

    async def pull_request_for(self, full_name: str, head: str) -> PullRequest | None:
        """Return the newest one of that branch, open or closed."""

    async def close_pull_request(self, full_name: str, number: int) -> None: ...

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


# --- Catalog registration -------------------------------------------------------------------------------------------


class CatalogRegistry(Protocol):
    """Where components become known: Causeway's own catalog."""

    async def registered(self, location: str) -> str | None:
        """Return the operation that registered `location` (a URL of a `catalog-info.yaml`), or None."""

    async def register(self, location: str, *, operation: str) -> tuple[str, ...]:
        """Read the file behind `location`, add its entities, return their references. Idempotent.
        Raise `Invalid` when the file is broken, `Conflict` when an entity belongs to another location."""

    async def unregister(self, location: str, *, operation: str) -> bool:
        """Remove what that operation registered; return whether anything was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What effects may reach. A port that the installation does not have is None; planning refuses what needs it."""

    forge: Forge
    catalog: CatalogRegistry
