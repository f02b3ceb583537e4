"""The workflow run that every push completes, and the container image that a successful run leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.github import notify, shapes, shapes_work
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

WORKFLOW = "CI"
FIRST_RUN = 9_000_000_001
CONCLUSIONS = (
    "success", "failure", "cancelled", "skipped", "timed_out", "neutral", "action_required", "in_progress", "none",
)  # fmt: skip
"""What `/sim/workflows` may ask for: GitHub's conclusions, `in_progress` (a run without end), `none` (no run)."""


def wanted_conclusion(hub: Hub, repo: Document) -> str:
    """Return what `/sim/workflows` said last about the repository's runs, `success` until it said anything."""
    said = hub.store.get("workflow_conclusions", repo["id"], "next")
    return str(said["conclusion"]) if said else "success"


def pushed(hub: Hub, repo: Document, name: str, head: Mapping[str, Any], actor: str) -> None:
    """Run the workflow for a pushed branch or tag, to its end at once."""
    wanted = wanted_conclusion(hub, repo)
    if wanted != "none":
        run = _new_run(hub, repo, name, head, actor)
        finish(hub, repo, run, wanted, actor)


def proposed(hub: Hub, repo: Document, record: Document, head: Mapping[str, Any], actor: str) -> None:
    """Run the workflow for what a pull request from a fork proposes; the run belongs to `repo`."""
    wanted = wanted_conclusion(hub, repo)
    if wanted != "none":
        run = _new_run(hub, repo, record["head"], head, actor) | {"event": "pull_request", "source": record["source"]}
        finish(hub, repo, run, wanted, actor)


def finish(hub: Hub, repo: Document, run: Document, wanted: str, actor: str) -> None:
    """Bring a run to `wanted`: a conclusion, or `in_progress` and no further."""
    run |= {"status": "queued", "conclusion": None, "updated_at": hub.now()}
    _tell(hub, repo, run, "requested", actor)
    if wanted in {"in_progress", "none"}:
        run["status"] = "in_progress"
        hub.store.put("runs", repo["id"], run["id"], run)
        _tell(hub, repo, run, "in_progress", actor)
    else:
        conclude(hub, repo, run, wanted, actor)


def conclude(hub: Hub, repo: Document, run: Document, conclusion: str, actor: str) -> None:
    """End a run; success makes its image pullable."""
    run |= {"status": "completed", "conclusion": conclusion, "updated_at": hub.now()}
    hub.store.put("runs", repo["id"], run["id"], run)
    check = _check(hub, repo, run)
    if conclusion == "success":
        _publish(hub, repo, run)
    notify.emit(
        hub,
        repo,
        "check_run",
        {"action": "completed", "check_run": shapes_work.check_run(hub.links, repo, check)},
        actor,
    )
    _tell(hub, repo, run, "completed", actor)


def _new_run(hub: Hub, repo: Document, name: str, head: Mapping[str, Any], actor: str) -> Document:
    workflow = hub.store.get("workflows", repo["id"], WORKFLOW) or {
        "runs": 0,
        "id": hub.store.next_id("workflow", 5001),
    }
    workflow["runs"] += 1
    hub.store.put("workflows", repo["id"], WORKFLOW, workflow)
    now = hub.now()
    return {
        "id": hub.store.next_id("run", FIRST_RUN),
        "workflow_id": workflow["id"],
        "name": WORKFLOW,
        "title": str(head["message"]).partition("\n")[0],
        "head_branch": name,
        "head_sha": head["id"],
        "head_commit": {
            **{name: head[name] for name in ("id", "tree_id", "message", "timestamp")},
            **{role: {k: head[role][k] for k in ("name", "email")} for role in ("author", "committer")},
        },
        "run_number": workflow["runs"],
        "run_attempt": 1,
        "status": "queued",
        "conclusion": None,
        "actor": actor,
        "created_at": now,
        "updated_at": now,
    }


def _tell(hub: Hub, repo: Document, run: Document, action: str, actor: str) -> None:
    owner = notify.account(hub, repo["owner"])
    person = notify.account(hub, run["actor"])
    shown = shapes_work.run(hub.links, repo, owner, run, person, source=source_of(hub, run))
    workflow = shapes_work.workflow(hub.links, repo, run)
    notify.emit(hub, repo, "workflow_run", {"action": action, "workflow_run": shown, "workflow": workflow}, actor)


def source_of(hub: Hub, run: Document) -> dict[str, Any] | None:
    """Return the fork that a run's commit comes from."""
    source = hub.store.get("repositories", "", run["source"]) if run.get("source") else None
    return shapes.minimal_repository(hub.links, source, notify.account(hub, source["owner"])) if source else None


def _check(hub: Hub, repo: Document, run: Document) -> Document:
    check = {
        "id": hub.store.next_id("check_run", 8001),
        "suite_id": run["id"] + 1,
        "name": "build",
        "head_sha": run["head_sha"],
        "external_id": str(run["id"]),
        "details_url": f"{shapes_work.page(hub.links, repo)}/actions/runs/{run['id']}",
        "status": "completed",
        "conclusion": run["conclusion"],
        "started_at": run["created_at"],
        "completed_at": run["updated_at"],
        "output": {},
    }
    return hub.store.put("check_runs", repo["id"], check["id"], check)


def _publish(hub: Hub, repo: Document, run: Document) -> None:
    name = f"{hub.registry}/{repo['owner']}/{repo['name']}".lower()
    branch = run["head_branch"].replace("/", "-")
    names = () if run.get("source") else (branch,)  # a fork's branch of that name is another one
    for tag in (run["head_sha"], run["head_sha"][:7], *names):
        image = {"image": f"{name}:{tag}", "sha": run["head_sha"], "run": run["id"], "at": run["updated_at"]}
        hub.store.put("images", "", image["image"], image)
