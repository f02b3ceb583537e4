"""Deployments and their statuses."""

from __future__ import annotations

from typing import Any

from playground.github import notify, shapes_work
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import conflict, invalid, unprocessable
from playground.github.gitrepo import MissingObject
from playground.github.store import Document

routes = Routes()
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
LONGEST_DESCRIPTION = 140
"""Characters of a status's description."""


def shaped(call: Call, record: Document) -> dict[str, Any]:
    return shapes_work.deployment(call.links, call.repo, record, notify.account(call.hub, record["creator"]))


def shaped_status(call: Call, record: Document) -> dict[str, Any]:
    return shapes_work.deployment_status(call.links, call.repo, record, notify.account(call.hub, record["creator"]))


@routes.get("/repos/{owner}/{repo}/deployments", needs="deployments:read")
async def deployments(call: Call) -> Reply:
    wanted = {name: call.query(name) for name in ("sha", "ref", "task", "environment") if call.query(name)}
    found = [
        record
        for record in call.hub.store.all("deployments", call.scope)
        if all(record[name] == value for name, value in wanted.items())
    ]
    return call.page(found[::-1], shape=lambda record: shaped(call, record))


@routes.post("/repos/{owner}/{repo}/deployments", needs="deployments:write")
async def create(call: Call) -> Reply:
    ref = call.need("ref", "Deployment")
    try:
        sha = await call.git(lambda git: git.resolve(ref))
    except MissingObject as error:
        raise unprocessable(f"No ref found for: {ref}") from error
    _check_contexts(call, ref, sha)
    now, environment = call.hub.now(), call.get("environment", "production")
    record: Document = {
        "id": call.hub.store.next_id("deployment", 87_001),
        "sha": sha,
        "ref": ref,
        "task": call.get("task", "deploy"),
        "payload": call.get("payload", {}),
        "original_environment": environment,
        "environment": environment,
        "description": call.get("description"),
        "creator": call.actor.login,
        "transient_environment": bool(call.get("transient_environment", False)),
        "production_environment": bool(call.get("production_environment", environment == "production")),
        "created_at": now,
        "updated_at": now,
    }
    call.hub.store.put("deployments", call.scope, record["id"], record)
    payload = {"action": "created", "deployment": shaped(call, record), "workflow": None, "workflow_run": None}
    notify.emit(call.hub, call.repo, "deployment", payload, call.actor.login)
    return created(shaped(call, record))


def _check_contexts(call: Call, ref: str, sha: str) -> None:
    """Refuse a commit whose checks have not passed: the named ones, or where none are named, all that it has."""
    latest = {s["context"]: s["state"] for s in call.hub.store.all("statuses", call.scope) if s["sha"] == sha}
    for check in call.hub.store.all("check_runs", call.scope):
        if check["head_sha"] == sha:
            good = check["conclusion"] in {"success", "neutral", "skipped"}
            latest[check["name"]] = "success" if good else "failure" if check["conclusion"] else "pending"
    wanted = call.body.get("required_contexts")
    failing = [name for name in (latest if wanted is None else wanted) if latest.get(name) != "success"]
    if failing:
        raise conflict(f"Conflict: Commit status checks failed for {ref}.")


@routes.get("/repos/{owner}/{repo}/deployments/{id}", needs="deployments:read")
async def read(call: Call) -> Reply:
    return Reply(200, shaped(call, call.required("deployments", call.number("id"))))


@routes.delete("/repos/{owner}/{repo}/deployments/{id}", needs="deployments:write")
async def remove(call: Call) -> Reply:
    record = call.required("deployments", call.number("id"))
    states = _statuses(call, record["id"])
    if states and states[-1]["state"] in {"success", "in_progress"}:
        raise unprocessable("We cannot delete an active deployment unless it is the only deployment.")
    call.hub.store.delete("deployments", call.scope, record["id"])
    return no_content()


def _statuses(call: Call, deployment_id: int) -> list[Document]:
    return [s for s in call.hub.store.all("deployment_statuses", call.scope) if s["deployment_id"] == deployment_id]


@routes.get("/repos/{owner}/{repo}/deployments/{id}/statuses", needs="deployments:read")
async def statuses(call: Call) -> Reply:
    record = call.required("deployments", call.number("id"))
    return call.page(_statuses(call, record["id"])[::-1], shape=lambda status: shaped_status(call, status))


@routes.post("/repos/{owner}/{repo}/deployments/{id}/statuses", needs="deployments:write")
async def create_status(call: Call) -> Reply:
    deployment = call.required("deployments", call.number("id"))
    state = call.need("state", "DeploymentStatus")
    if state not in STATES:
        raise invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
    if len(call.get("description", "")) > LONGEST_DESCRIPTION:
        raise invalid(
            "DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)"
        )
    record = _add_status(call, deployment, state)
    if state == "success" and call.get("auto_inactive", True) is not False:
        _let_earlier_be_inactive(call, deployment)
    shown = {"deployment_status": shaped_status(call, record), "deployment": shaped(call, deployment)}
    notify.emit(call.hub, call.repo, "deployment_status", {"action": "created", **shown}, call.actor.login)
    return created(shaped_status(call, record))


def _let_earlier_be_inactive(call: Call, deployment: Document) -> None:
    """Do what `auto_inactive` means: neither transient nor production environments, and only what had succeeded."""
    for other in call.hub.store.all("deployments", call.scope):
        if other["environment"] != deployment["environment"] or other["id"] >= deployment["id"]:
            continue
        states = _statuses(call, other["id"])
        kept = other["transient_environment"] or other["production_environment"]
        if not kept and states and states[-1]["state"] == "success":
            _add_status(call, other, "inactive", own=False)


def _add_status(call: Call, deployment: Document, state: str, *, own: bool = True) -> Document:
    """Store a status: with what the call says, or with nothing but its state."""
    said = call.body if own else {}
    record: Document = {
        "id": call.hub.store.next_id("deployment_status", 171_001),
        "deployment_id": deployment["id"],
        "state": state,
        "description": said.get("description") or "",
        "environment": said.get("environment") or deployment["environment"],
        "environment_url": said.get("environment_url") or "",
        "log_url": said.get("log_url") or said.get("target_url") or "",
        "creator": call.actor.login,
        "created_at": call.hub.now(),
    }
    return call.hub.store.put("deployment_statuses", call.scope, record["id"], record)


@routes.get("/repos/{owner}/{repo}/deployments/{id}/statuses/{status}", needs="deployments:read")
async def read_status(call: Call) -> Reply:
    return Reply(200, shaped_status(call, call.required("deployment_statuses", call.number("status"))))
