"""What follows from a ref that was created, moved or deleted: webhooks, changed pull requests, a workflow run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.github import continuous_integration, notify, pull_requests, shapes
from playground.github.gitrepo import Move
from playground.github.pushed import pushed
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub


async def ref_changed(hub: Hub, repo: Document, move: Move, actor: str, *, runs_workflow: bool) -> None:
    """Say that a branch or tag was created, moved or deleted; then pull requests and workflows follow."""
    kind, _, name = move.ref.removeprefix("refs/").partition("/")
    if kind not in {"heads", "tags"}:
        return
    ref_type = "branch" if kind == "heads" else "tag"
    payload = await hub.git(repo, lambda git: pushed(hub, repo, git, move))
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
    if not move.deletes and runs_workflow and not repo.get("parent"):  # a fork runs nothing until its owner says so
        continuous_integration.pushed(hub, repo, name, payload["head_commit"], actor)
