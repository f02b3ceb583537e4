"""GitHub's documents → the types of our port. Missing fields of other servers are met with their plain defaults."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.ports import Author, Commit, PullRequest, Repository, Ruleset, Webhook

Document = Mapping[str, Any]
PERMISSIONS = ("admin", "maintain", "push", "triage", "pull")
ROLES = {"read": "pull", "write": "push"}
"""GitHub has two words for these; the older one is what its API takes."""


def repository(document: Document) -> Repository:
    return Repository(
        id=int(document["id"]),
        full_name=document["full_name"],
        description=document.get("description") or "",
        default_branch=document.get("default_branch") or "main",
        private=bool(document.get("private")),
        web_url=document.get("html_url") or "",
        clone_url=document.get("clone_url") or "",
        archived=bool(document.get("archived")),
        homepage=document.get("homepage") or "",
    )


def commit(document: Document) -> Commit:
    """Read what the commits of both APIs have: `GET /commits` wraps the Git commit, `/git/commits` is one."""
    git = document.get("commit") or document
    return Commit(
        sha=document["sha"],
        tree=git["tree"]["sha"],
        parents=tuple(parent["sha"] for parent in document.get("parents") or ()),
        message=git.get("message") or "",
        author=(git.get("author") or {}).get("name") or "",
        web_url=document.get("html_url") or "",
    )


def author(document: Document) -> Author:
    """Read who made a Git commit."""
    return Author(document["author"]["name"], document["author"]["email"])


def pull_request(document: Document) -> PullRequest:
    source, target = full_name(document["head"].get("repo")), full_name(document["base"].get("repo"))
    return PullRequest(
        number=int(document["number"]),
        web_url=document.get("html_url") or "",
        head=document["head"]["ref"],
        head_sha=document["head"]["sha"],
        base=document["base"]["ref"],
        title=document.get("title") or "",
        state="closed" if document.get("state") == "closed" else "open",
        merged=bool(document.get("merged_at") or document.get("merged")),
        body=document.get("body") or "",
        author=(document.get("user") or {}).get("login") or "",
        head_repository=source,
        fork=is_fork(source, target),
        labels=labels(document),
        draft=bool(document.get("draft")),
    )


def full_name(document: Document | None) -> str:
    """Return `owner/name`, or an empty text for a repository that is gone."""
    return str((document or {}).get("full_name") or "")


def is_fork(source: str, target: str) -> bool:
    """Say whether a branch of `source` is somebody else's; one whose repository is gone is."""
    return not source or source.lower() != target.lower()


def labels(document: Document) -> tuple[str, ...]:
    return tuple(str(one["name"]) for one in document.get("labels") or ())


def webhook(document: Document) -> Webhook:
    config = document.get("config") or {}
    return Webhook(int(document["id"]), config.get("url") or "", tuple(document.get("events") or ()))


def permission(document: Document) -> str | None:
    """Return a team's permission from the repository as the team sees it."""
    granted = document.get("permissions") or {}
    role = document.get("role_name") or next((name for name in PERMISSIONS if granted.get(name)), None)
    return ROLES.get(role, role) if role else None


def ruleset_body(ruleset: Ruleset) -> dict[str, Any]:
    rules: list[dict[str, Any]] = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {
            "type": "pull_request",
            "parameters": {
                "required_approving_review_count": ruleset.required_approvals,
                "require_code_owner_review": ruleset.require_code_owners,
                "dismiss_stale_reviews_on_push": True,
                "require_last_push_approval": False,
                "required_review_thread_resolution": False,
            },
        },
    ]
    if ruleset.required_checks:
        rules.append({"type": "required_status_checks", "parameters": _checks(ruleset.required_checks)})
    return {
        "name": ruleset.name,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": rules,
    }


def _checks(names: Sequence[str]) -> dict[str, Any]:
    return {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": name} for name in names],
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree or of a folder; `content` where the answer held it."""

    path: str
    type: str
    mode: str
    sha: str
    content: bytes | None = None


def entries(document: Document) -> list[Entry] | None:
    """Read a whole tree, or None where GitHub has cut it short."""
    if document.get("truncated"):
        return None
    return [Entry(one["path"], one["type"], one["mode"], one["sha"]) for one in document["tree"]]


def entry(document: Document | list[Any]) -> Entry | None:
    """Read a file as the contents call gives it, or None for a folder."""
    if isinstance(document, list) or document.get("type") != "file":
        return None
    held = document.get("encoding") == "base64" and bool(document.get("content"))
    return Entry(document["path"], "blob", "", document["sha"], blob(document) if held else None)


def blob(document: Document) -> bytes:
    text: str = document["content"]
    return base64.b64decode(text) if document.get("encoding") == "base64" else text.encode()


def sha(document: Document) -> str:
    return str(document["sha"])


def number(document: Document) -> int:
    return int(document["id"])
