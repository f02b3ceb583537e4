"""What a push webhook says of the commits that it brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.github import shapes, shapes_work
from playground.github.gitrepo import ZERO, GitRepository, Move, parse_signature
from playground.github.merging import changed_paths
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

MAX_COMMITS = 20
"""A push payload lists at most so many commits here (GitHub: 2048), newest last."""


def pushed(hub: Hub, repo: Document, git: GitRepository, move: Move) -> dict[str, Any]:
    ref, before, after = move.ref, move.before, move.after
    web = shapes_work.page(hub.links, repo)
    shas: list[str] = []
    if after != ZERO and ref.startswith("refs/heads/"):
        known = [before] if before != ZERO and git.kind(before) else []
        others = [sha for name, sha in git.refs("refs/heads/").items() if name != ref]
        shas = list(reversed(git.history(git.resolve(after), exclude=known or others, limit=MAX_COMMITS)))
    moved = ZERO not in {before, after}
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == ZERO,
        "deleted": after == ZERO,
        "forced": moved and not git.is_ancestor(before, after),
        "base_ref": None,
        "compare": f"{web}/compare/{before[:12]}...{after[:12]}" if moved else f"{web}/commit/{after[:12]}",
        "commits": [pushed_commit(hub, repo, git, sha) for sha in shas],
        "head_commit": pushed_commit(hub, repo, git, git.resolve(after)) if after != ZERO else None,
    }


def pushed_commit(hub: Hub, repo: Document, git: GitRepository, sha: str) -> dict[str, Any]:
    commit = git.commit(sha)
    author = _pusher(hub, commit.author, commit.author_time)
    return {
        "id": sha,
        "tree_id": commit.tree.decode(),
        "distinct": True,
        "message": commit.message.decode(errors="replace"),
        "timestamp": shapes.stamp(parse_signature(commit.committer, commit.commit_time).when),
        "url": f"{shapes_work.page(hub.links, repo)}/commit/{sha}",
        "author": author,
        "committer": _pusher(hub, commit.committer, commit.commit_time),
        **changed_paths(git, commit.parents[0].decode() if commit.parents else None, sha),
    }


def _pusher(hub: Hub, line: bytes, seconds: int) -> dict[str, str]:
    signature = parse_signature(line, seconds)
    known = hub.account_by_email(signature.email)
    body = {"name": signature.name, "email": signature.email}
    return {**body, "username": known["login"]} if known else body
