"""Branches, tags and classic branch protection."""

from __future__ import annotations

from typing import Any

from playground.github import shapes_git
from playground.github.call import Call, Reply, Routes, no_content
from playground.github.errors import invalid, not_found
from playground.github.gitrepo import GitRepository
from playground.github.shapes import repository_url
from playground.github.store import Document

routes = Routes()
SWITCHES = (
    "enforce_admins", "required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations",
    "required_conversation_resolution", "lock_branch", "allow_fork_syncing",
)  # fmt: skip


@routes.get("/repos/{owner}/{repo}/branches", needs="contents:read")
async def branches(call: Call) -> Reply:
    found = await call.git(lambda git: git.refs("refs/heads/"))
    return call.page(list(found.items()), shape=lambda ref: _short(call, ref[0].removeprefix("refs/heads/"), ref[1]))


def _short(call: Call, name: str, sha: str) -> dict[str, Any]:
    commit = {"sha": sha, "url": f"{repository_url(call.links, call.repo)}/commits/{sha}"}
    return {"name": name, "commit": commit, "protected": _protection(call, name) is not None}


def _protection(call: Call, branch: str) -> Document | None:
    return call.hub.store.get("protection", call.scope, branch)


@routes.get("/repos/{owner}/{repo}/branches/{branch:.+}/protection", needs="administration:read")
async def read_protection(call: Call) -> Reply:
    found = _protection(call, call.path("branch"))
    if found is None:
        raise not_found("Branch not protected")
    return Reply(200, _shown(call, found))


@routes.put("/repos/{owner}/{repo}/branches/{branch:.+}/protection", needs="administration:write")
async def protect(call: Call) -> Reply:
    branch = call.path("branch")
    if await call.git(lambda git: git.ref(f"refs/heads/{branch}")) is None:
        raise not_found("Branch not found")
    for field in ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions"):
        if field not in call.body:
            raise invalid("Branch", field, "missing_field")
    record = {**call.body, "branch": branch}
    call.hub.store.put("protection", call.scope, branch, record)
    return Reply(200, _shown(call, record))


@routes.delete("/repos/{owner}/{repo}/branches/{branch:.+}/protection", needs="administration:write")
async def unprotect(call: Call) -> Reply:
    if not call.hub.store.delete("protection", call.scope, call.path("branch")):
        raise not_found("Branch not protected")
    return no_content()


def _shown(call: Call, record: Document) -> dict[str, Any]:
    url = f"{repository_url(call.links, call.repo)}/branches/{record['branch']}/protection"
    body: dict[str, Any] = {"url": url, **{name: {"enabled": bool(record.get(name))} for name in SWITCHES}}
    body["enforce_admins"]["url"] = f"{url}/enforce_admins"
    checks = record["required_status_checks"]
    if checks:
        contexts = checks.get("contexts") or [check["context"] for check in checks.get("checks", [])]
        body["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": bool(checks.get("strict")),
            "contexts": contexts,
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": context, "app_id": None} for context in contexts],
        }
    reviews = record["required_pull_request_reviews"]
    if reviews is not None:
        body["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": bool(reviews.get("dismiss_stale_reviews")),
            "require_code_owner_reviews": bool(reviews.get("require_code_owner_reviews")),
            "required_approving_review_count": reviews.get("required_approving_review_count", 1),
            "require_last_push_approval": bool(reviews.get("require_last_push_approval")),
        }
    return body


@routes.get("/repos/{owner}/{repo}/branches/{branch:.+}", needs="contents:read")
async def read_branch(call: Call) -> Reply:
    name = call.path("branch")

    def work(git: GitRepository) -> dict[str, Any]:
        sha = git.ref(f"refs/heads/{name}")
        if sha is None:
            raise not_found("Branch not found")
        return shapes_git.commit(call.links, call.repo, git, sha, call.hub.account_by_email)

    commit = await call.git(work)
    url = f"{repository_url(call.links, call.repo)}/branches/{name}"
    links = {"self": url, "html": f"{call.links.web}/{call.repo['owner']}/{call.repo['name']}/tree/{name}"}
    body = {
        **_short(call, name, commit["sha"]),
        "commit": commit,
        "_links": links,
        "protection_url": f"{url}/protection",
    }
    return Reply(200, {**body, "protection": {"enabled": body["protected"]}})


@routes.get("/repos/{owner}/{repo}/tags", needs="contents:read")
async def tags(call: Call) -> Reply:
    base = repository_url(call.links, call.repo)

    def work(git: GitRepository) -> list[dict[str, Any]]:
        names = [name.removeprefix("refs/tags/") for name in git.refs("refs/tags/")]
        return [{"name": name, "sha": git.resolve(f"refs/tags/{name}")} for name in reversed(names)]

    def shape(tag: dict[str, Any]) -> dict[str, Any]:
        archives = {f"{kind}_url": f"{base}/{kind}/refs/tags/{tag['name']}" for kind in ("zipball", "tarball")}
        commit = {"sha": tag["sha"], "url": f"{base}/commits/{tag['sha']}"}
        return {"name": tag["name"], **archives, "commit": commit, "node_id": tag["sha"]}

    return call.page(await call.git(work), shape=shape)
