"""Repositories: create, read, change, delete; topics, languages, collaborators, custom properties."""

from __future__ import annotations

import re
from typing import Any

from playground.github import notify, shapes
from playground.github.api.accounts import organisation
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import invalid, not_found, unprocessable
from playground.github.gitrepo import ZERO, GitRepository, Move
from playground.github.hub import SETTINGS
from playground.github.store import Document

routes = Routes()
FAILED = "Repository creation failed."
TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


def check_name(name: str) -> None:
    """Raise GitHub's 422 for a name that no repository can have."""
    if len(name) > 100:
        raise invalid("Repository", "name", "custom", "name is too long (maximum is 100 characters)", FAILED)
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or set(name) == {"."} or name.endswith((".git", ".wiki")):
        text = "name can only contain ASCII letters, digits, and the characters ., -, and _"
        raise invalid("Repository", "name", "custom", text, FAILED)


def full(call: Call, repo: Document) -> shapes.Json:
    owner, parent = notify.account(call.hub, repo["owner"]), call.hub.parent_of(repo)
    body = shapes.full_repository(call.links, repo, owner)
    if parent is not None:
        shown = shapes.repository(call.links, parent, notify.account(call.hub, parent["owner"]))
        body |= {"parent": shown, "source": shown}
    return body


@routes.post("/orgs/{org}/repos", needs="administration:write")
async def create_in_organisation(call: Call) -> Reply:
    return await create(call, organisation(call)["login"])


@routes.post("/user/repos", needs="administration:write")
async def create_own(call: Call) -> Reply:
    return await create(call, call.actor.login)


async def create(call: Call, owner: str) -> Reply:
    name = call.need("name", "Repository")
    check_name(name)
    if call.hub.repository(owner, name):
        raise invalid("Repository", "name", "custom", "name already exists on this account", FAILED)
    team = _first_team(call, owner)
    repo = call.hub.add_repository(owner, name, call.body)
    if team:
        team["repos"][str(repo["id"])] = "pull"
        call.hub.store.put("teams", team["org"].lower(), team["slug"], team)
    notify.emit(call.hub, repo, "repository", {"action": "created"}, call.actor.login)
    if call.get("auto_init", False):
        await initialise(call, repo)
    return created(full(call, repo))


def _first_team(call: Call, owner: str) -> Document | None:
    wanted = call.get("team_id")
    if wanted is None:
        return None
    found = next((t for t in call.hub.store.all("teams", owner.lower()) if t["id"] == wanted), None)
    if found is None:
        raise invalid("Repository", "team_id", "invalid", "team does not exist", FAILED)
    return found


async def initialise(call: Call, repo: Document) -> None:
    """Make the first commit, a README, as `auto_init` does."""
    signature = call.hub.signature(call.actor.login)
    text = f"# {repo['name']}\n" + (f"{repo['description']}\n" if repo["description"] else "")

    def work(git: GitRepository) -> str:
        tree = git.write_tree(None, {"README.md": (0o100644, git.write_blob(text.encode()))})
        sha = git.write_commit(tree, [], "Initial commit", signature)
        git.create_ref(f"refs/heads/{repo['default_branch']}", sha)
        return sha

    sha = await call.hub.git(repo, work)
    ref = f"refs/heads/{repo['default_branch']}"
    await call.hub.ref_changed(repo, Move(ref, ZERO, sha), call.actor.login, runs_workflow=False)


@routes.get("/repos/{owner}/{repo}")
async def read(call: Call) -> Reply:
    return Reply(200, full(call, call.repo))


@routes.get("/repositories/{id}")
async def read_by_id(call: Call) -> Reply:
    repo = call.hub.store.get("repositories", "", call.number("id"))
    if repo is None or not call.actor.sees(repo):
        raise not_found()
    return Reply(200, full(call, repo))


@routes.patch("/repos/{owner}/{repo}", needs="administration:write")
async def change(call: Call) -> Reply:
    repo = call.repo
    name, branch = call.get("name", repo["name"]), call.get("default_branch", repo["default_branch"])
    check_name(name)
    other = call.hub.repository(repo["owner"], name)
    if other is not None and other is not repo:
        raise invalid(
            "Repository", "name", "custom", "name already exists on this account", "Repository update failed."
        )
    if branch != repo["default_branch"]:
        if await call.git(lambda git: git.ref(f"refs/heads/{branch}")) is None:
            raise invalid("Repository", "default_branch", "invalid", f"The branch {branch} was not found.")
        await call.git(lambda git: git.set_head(branch))
        repo["default_branch"] = branch
    call.hub.rename(repo, name)
    for field in ("description", "homepage"):
        if field in call.body:
            repo[field] = call.body[field]
    if call.get("visibility") is not None:
        repo["private"] = call.body["visibility"] != "public"
    for field in ("private", "archived"):
        repo[field] = bool(call.get(field, repo[field]))
    repo["settings"] |= {k: bool(call.body[k]) for k in SETTINGS if call.get(k) is not None}
    call.hub.save(repo)
    notify.emit(call.hub, repo, "repository", {"action": "edited", "changes": {}}, call.actor.login)
    return Reply(200, full(call, repo))


@routes.delete("/repos/{owner}/{repo}", needs="administration:write")
async def remove(call: Call) -> Reply:
    notify.emit(call.hub, call.repo, "repository", {"action": "deleted"}, call.actor.login)
    await call.hub.remove_repository(call.repo)
    return no_content()


@routes.get("/repos/{owner}/{repo}/topics")
async def topics(call: Call) -> Reply:
    return Reply(200, {"names": list(call.repo["topics"])})


@routes.put("/repos/{owner}/{repo}/topics", needs="administration:write")
async def replace_topics(call: Call) -> Reply:
    names = call.body.get("names")
    if not isinstance(names, list):
        raise invalid("Repository", "names", "missing_field")
    if len(names) > 20:
        raise unprocessable("Validation Failed", [{"message": "A repository cannot have more than 20 topics."}])
    if not all(isinstance(name, str) and TOPIC.fullmatch(name.lower()) for name in names):
        text = "Topics must start with a lowercase letter or number, and hold 50 characters or less and hyphens."
        raise unprocessable("Validation Failed", [{"message": text}])
    call.repo["topics"] = list(dict.fromkeys(name.lower() for name in names))
    call.hub.save(call.repo)
    return Reply(200, {"names": call.repo["topics"]})


@routes.get("/repos/{owner}/{repo}/languages")
async def languages(call: Call) -> Reply:
    names = {".py": "Python", ".js": "JavaScript", ".ts": "TypeScript", ".go": "Go", ".html": "HTML", ".sh": "Shell"}

    def work(git: GitRepository) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for entry in [] if git.is_empty() else git.tree(git.resolve("HEAD"), recursive=True):
            language = names.get("." + entry.path.rpartition(".")[2])
            if language:
                sizes[language] = sizes.get(language, 0) + (entry.size or 0)
        return sizes

    return Reply(200, await call.git(work))


def people_with(call: Call) -> dict[str, str]:
    """Return login → permission of those who were added by name."""
    return dict(call.repo["collaborators"])


@routes.get("/repos/{owner}/{repo}/collaborators")
async def collaborators(call: Call) -> Reply:
    return call.page(list(people_with(call).items()), shape=lambda pair: _collaborator(call, *pair))


def _collaborator(call: Call, login: str, permission: str) -> shapes.Json:
    body = shapes.user(call.links, notify.account(call.hub, login))
    return {**body, "permissions": shapes.rights(permission), "role_name": permission}


@routes.get("/repos/{owner}/{repo}/collaborators/{login}")
async def is_collaborator(call: Call) -> Reply:
    if call.path("login") not in people_with(call):
        raise not_found()
    return no_content()


@routes.get("/repos/{owner}/{repo}/collaborators/{login}/permission")
async def collaborator_permission(call: Call) -> Reply:
    account = call.hub.account(call.path("login"))
    if account is None:
        raise not_found()
    permission = "admin" if account["login"] == call.actor.login else people_with(call).get(account["login"], "read")
    return Reply(
        200,
        {"permission": permission, "role_name": permission, "user": _collaborator(call, account["login"], permission)},
    )


@routes.put("/repos/{owner}/{repo}/collaborators/{login}", needs="administration:write")
async def add_collaborator(call: Call) -> Reply:
    account = call.hub.account(call.path("login"))
    if account is None:
        raise not_found()
    call.repo["collaborators"][account["login"]] = call.get("permission", "push")
    call.hub.save(call.repo)
    return no_content()


@routes.delete("/repos/{owner}/{repo}/collaborators/{login}", needs="administration:write")
async def remove_collaborator(call: Call) -> Reply:
    call.repo["collaborators"].pop(call.path("login"), None)
    call.hub.save(call.repo)
    return no_content()


@routes.get("/repos/{owner}/{repo}/properties/values")
async def properties(call: Call) -> Reply:
    return Reply(200, [{"property_name": k, "value": v} for k, v in call.repo["custom_properties"].items()])


@routes.patch("/repos/{owner}/{repo}/properties/values", needs="administration:write")
async def change_properties(call: Call) -> Reply:
    values: list[dict[str, Any]] = call.need("properties", "Repository", list)
    call.repo["custom_properties"] = _properties(call.repo["custom_properties"], values)
    call.hub.save(call.repo)
    return no_content()


@routes.patch("/orgs/{org}/properties/values", needs="organization_custom_properties:write")
async def change_many_properties(call: Call) -> Reply:
    owner = organisation(call)["login"]
    values: list[dict[str, Any]] = call.need("properties", "Repository", list)
    for name in call.need("repository_names", "Repository", list):
        repo = call.hub.repository(owner, name)
        if repo is None:
            raise not_found()
        repo["custom_properties"] = _properties(repo["custom_properties"], values)
        call.hub.save(repo)
    return no_content()


def _properties(old: dict[str, Any], values: list[dict[str, Any]]) -> dict[str, Any]:
    merged = {**old, **{value["property_name"]: value["value"] for value in values}}
    return {name: value for name, value in merged.items() if value is not None}
