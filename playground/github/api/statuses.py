"""What was checked about a commit: statuses, check runs, workflow runs."""

from __future__ import annotations

from typing import Any

from playground.github import continuous_integration, notify, shapes_work
from playground.github.call import Call, Reply, Routes, created
from playground.github.errors import ApiError, invalid, unprocessable
from playground.github.gitrepo import MissingObject
from playground.github.shapes import repository, repository_url
from playground.github.store import Document

routes = Routes()
STATES = ("error", "failure", "pending", "success")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out")


async def _commit(call: Call, name: str) -> str:
    try:
        return await call.git(lambda git: git.resolve(name))
    except MissingObject as error:
        raise unprocessable(f"No commit found for SHA: {name}") from error


def _status(call: Call, record: Document) -> dict[str, Any]:
    return shapes_work.status(call.links, call.repo, record, notify.account(call.hub, record["creator"]))


@routes.post("/repos/{owner}/{repo}/statuses/{sha}", needs="statuses:write")
async def create_status(call: Call) -> Reply:
    sha, state = await _commit(call, call.path("sha")), call.need("state", "Status")
    if state not in STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    record: Document = {
        "id": call.hub.store.next_id("status", 41_001),
        "sha": sha,
        "state": state,
        "context": call.get("context", "default"),
        "description": call.get("description"),
        "target_url": call.get("target_url"),
        "creator": call.actor.login,
        "created_at": call.hub.now(),
    }
    call.hub.store.put("statuses", call.scope, record["id"], record)
    payload = {k: record[k] for k in ("id", "sha", "state", "context", "description", "target_url", "created_at")}
    payload |= {"name": f"{call.repo['owner']}/{call.repo['name']}", "updated_at": record["created_at"], "branches": []}
    notify.emit(call.hub, call.repo, "status", payload, call.actor.login)
    return created(_status(call, record))


@routes.get("/repos/{owner}/{repo}/commits/{ref:.+}/statuses", needs="statuses:read")
async def statuses(call: Call) -> Reply:
    sha = await _commit(call, call.path("ref"))
    found = [record for record in call.hub.store.all("statuses", call.scope) if record["sha"] == sha]
    return call.page(found[::-1], shape=lambda record: _status(call, record))


@routes.get("/repos/{owner}/{repo}/commits/{ref:.+}/status", needs="statuses:read")
async def combined_status(call: Call) -> Reply:
    sha = await _commit(call, call.path("ref"))
    latest = {r["context"]: r for r in call.hub.store.all("statuses", call.scope) if r["sha"] == sha}
    states = {record["state"] for record in latest.values()}
    failed = states & {"error", "failure"}
    state = "failure" if failed else "pending" if "pending" in states or not states else "success"
    base = repository_url(call.links, call.repo)
    body = {
        "state": state,
        "statuses": [_status(call, record) for record in latest.values()],
        "sha": sha,
        "total_count": len(latest),
        "repository": repository(call.links, call.repo, notify.account(call.hub, call.repo["owner"])),
        "commit_url": f"{base}/commits/{sha}",
        "url": f"{base}/commits/{sha}/status",
    }
    return Reply(200, body)


@routes.post("/repos/{owner}/{repo}/check-runs", needs="checks:write")
async def create_check(call: Call) -> Reply:
    name, sha = call.need("name", "CheckRun"), await _commit(call, call.need("head_sha", "CheckRun"))
    now = call.hub.now()
    record: Document = {
        "id": call.hub.store.next_id("check_run", 8001),
        "suite_id": call.hub.store.next_id("check_suite", 9001),
        "name": name,
        "head_sha": sha,
        "external_id": call.get("external_id", ""),
        "details_url": call.get("details_url"),
        "status": "queued",
        "conclusion": None,
        "started_at": call.get("started_at", now),
        "completed_at": None,
        "output": {},
    }
    _fill(call, record)
    _tell(call, record, "created")
    return created(shapes_work.check_run(call.links, call.repo, record))


def _fill(call: Call, record: Document) -> None:
    conclusion = call.get("conclusion")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", "invalid")
    record["output"] = call.get("output", record["output"])
    record["status"] = "completed" if conclusion else call.get("status", record["status"])
    if conclusion:
        record |= {"conclusion": conclusion, "completed_at": call.get("completed_at", call.hub.now())}
    call.hub.store.put("check_runs", call.scope, record["id"], record)


def _tell(call: Call, record: Document, action: str) -> None:
    shown = shapes_work.check_run(call.links, call.repo, record)
    notify.emit(call.hub, call.repo, "check_run", {"action": action, "check_run": shown}, call.actor.login)


@routes.patch("/repos/{owner}/{repo}/check-runs/{id}", needs="checks:write")
async def change_check(call: Call) -> Reply:
    record = call.required("check_runs", call.number("id"))
    _fill(call, record)
    _tell(call, record, "completed" if record["conclusion"] else "created")
    return Reply(200, shapes_work.check_run(call.links, call.repo, record))


@routes.get("/repos/{owner}/{repo}/check-runs/{id}", needs="checks:read")
async def read_check(call: Call) -> Reply:
    record = call.required("check_runs", call.number("id"))
    return Reply(200, shapes_work.check_run(call.links, call.repo, record))


@routes.get("/repos/{owner}/{repo}/commits/{ref:.+}/check-runs", needs="checks:read")
async def checks(call: Call) -> Reply:
    sha, name = await _commit(call, call.path("ref")), call.query("check_name")
    found = [
        record
        for record in call.hub.store.all("check_runs", call.scope)
        if record["head_sha"] == sha and name in {"", record["name"]}
    ]
    return call.page(found, key="check_runs", shape=lambda r: shapes_work.check_run(call.links, call.repo, r))


# --- workflow runs


def _run(call: Call, record: Document) -> dict[str, Any]:
    owner, actor = notify.account(call.hub, call.repo["owner"]), notify.account(call.hub, record["actor"])
    source = continuous_integration.source_of(call.hub, record)
    return shapes_work.run(call.links, call.repo, owner, record, actor, source=source)


@routes.get("/repos/{owner}/{repo}/actions/runs", needs="actions:read")
async def runs(call: Call) -> Reply:
    sha, branch, status = call.query("head_sha"), call.query("branch"), call.query("status")
    found = [
        record
        for record in call.hub.store.all("runs", call.scope)
        if sha in {"", record["head_sha"]}
        and branch in {"", record["head_branch"]}
        and status in {"", record["status"], record["conclusion"]}
    ]
    return call.page(found[::-1], key="workflow_runs", shape=lambda record: _run(call, record))


@routes.get("/repos/{owner}/{repo}/actions/runs/{id}", needs="actions:read")
async def read_run(call: Call) -> Reply:
    return Reply(200, _run(call, call.required("runs", call.number("id"))))


@routes.post("/repos/{owner}/{repo}/actions/runs/{id}/rerun", needs="actions:write")
async def rerun(call: Call) -> Reply:
    record = call.required("runs", call.number("id"))
    if record["status"] != "completed":
        raise ApiError(403, "This workflow run cannot be retried")
    record["run_attempt"] += 1
    wanted = continuous_integration.wanted_conclusion(call.hub, call.repo)
    continuous_integration.finish(call.hub, call.repo, record, wanted, call.actor.login)
    return created({})


@routes.get("/repos/{owner}/{repo}/actions/workflows", needs="actions:read")
async def workflows(call: Call) -> Reply:
    latest = {record["workflow_id"]: record for record in call.hub.store.all("runs", call.scope)}
    return call.page(
        list(latest.values()), key="workflows", shape=lambda record: shapes_work.workflow(call.links, call.repo, record)
    )
