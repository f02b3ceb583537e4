"""What follows from a ref that was created, moved or deleted: webhooks, changed pull requests, a workflow run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.github import continuous_integration, notify, pull_requests, shapes, shapes_work
from playground.github.gitrepo import ZERO, GitRepository, Move, parse_signature
from playground.github.merging import changed_paths
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

MAX_COMMITS = 20
"""A push payload lists at most so many commits here (GitHub: 2048), newest last."""


async def ref_changed(hub: Hub, repo: Document, move: Move, actor: str, *, runs_workflow: bool) -> None:
    """Say that a branch or tag was created, moved or deleted; then pull requests and workflows follow."""
    kind, _, name = move.ref.removeprefix("refs/").partition("/")
    if kind not in {"heads", "tags"}:
        return
    ref_type = "branch" if kind == "heads" else "tag"
    payload = await hub.git(repo, lambda git: _push(hub, repo, git, move))
    payload["repository"] = shapes.pushed_repository(hub.links, repo, notify.account(hub, repo["owner"]))
    payload["pusher"] = {"name": actor, "email": hub.signature(actor).email}
    told = {"ref": name, "ref_type": ref_type, "pusher_type": "user"}
    if move.creates:
        about = {"master_branch": repo["default_branch"], "description": repo["description"]}
        notify.emit(hub, repo, "create", {**told, **about}, actor)
    if move.deletes:
        notify.emit(hub, repo, "delete", told, actor)
    notify.emit(hub, repo, "push", payload, actor)
    if ref_type == "branch":
        await pull_requests.branch_moved(hub, repo, name, move.after, actor)
    if not move.deletes and runs_workflow:
        continuous_integration.pushed(hub, repo, name, payload["head_commit"], actor)


def _push(hub: Hub, repo: Document, git: GitRepository, move: Move) -> dict[str, Any]:
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
        "commits": [_pushed_commit(hub, repo, git, sha) for sha in shas],
        "head_commit": _pushed_commit(hub, repo, git, git.resolve(after)) if after != ZERO else None,
    }


def _pushed_commit(hub: Hub, repo: Document, git: GitRepository, sha: str) -> dict[str, Any]:
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
