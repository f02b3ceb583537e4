"""Teams: members and what they may do in a repository."""

from __future__ import annotations

import re
from typing import Any

from playground.github import notify, shapes
from playground.github.api.accounts import organisation
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import invalid, not_found
from playground.github.store import Document

routes = Routes()
PERMISSIONS = {"read": "pull", "write": "push", **{name: name for name in shapes.PERMISSIONS}}


def team_of(call: Call) -> Document:
    org = organisation(call)
    found = call.hub.store.get("teams", org["login"].lower(), call.path("team").lower())
    if found is None:
        raise not_found()
    return found


def save(call: Call, team: Document) -> None:
    call.hub.store.put("teams", team["org"].lower(), team["slug"], team)


def slug_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@routes.get("/orgs/{org}/teams", needs="members:read")
async def teams(call: Call) -> Reply:
    org = organisation(call)
    return call.page(
        call.hub.store.all("teams", org["login"].lower()), shape=lambda team: shapes.team(call.links, team)
    )


@routes.post("/orgs/{org}/teams", needs="members:write")
async def create(call: Call) -> Reply:
    org, name = organisation(call), call.need("name", "Team")
    if call.hub.store.get("teams", org["login"].lower(), slug_of(name)):
        raise invalid("Team", "name", "already_exists", "Name must be unique for this org")
    team = call.hub.add_team(org["login"], slug_of(name), name, call.get("description", ""), [])
    return created(shapes.team(call.links, team, org))


@routes.get("/orgs/{org}/teams/{team}", needs="members:read")
async def read(call: Call) -> Reply:
    return Reply(200, shapes.team(call.links, team_of(call), organisation(call)))


@routes.delete("/orgs/{org}/teams/{team}", needs="members:write")
async def remove(call: Call) -> Reply:
    team = team_of(call)
    call.hub.store.delete("teams", team["org"].lower(), team["slug"])
    return no_content()


@routes.get("/orgs/{org}/teams/{team}/members", needs="members:read")
async def members(call: Call) -> Reply:
    people = [notify.account(call.hub, login) for login in team_of(call)["members"]]
    return call.page(people, shape=lambda person: shapes.user(call.links, person))


def _membership(call: Call, team: Document, login: str) -> dict[str, Any]:
    url = f"{call.links.api}/orgs/{team['org']}/teams/{team['slug']}/memberships/{login}"
    return {"url": url, "role": "maintainer" if team["lead"] == login else "member", "state": "active"}


@routes.get("/orgs/{org}/teams/{team}/memberships/{login}", needs="members:read")
async def membership(call: Call) -> Reply:
    team, login = team_of(call), call.path("login")
    if login not in team["members"]:
        raise not_found()
    return Reply(200, _membership(call, team, login))


@routes.put("/orgs/{org}/teams/{team}/memberships/{login}", needs="members:write")
async def add_member(call: Call) -> Reply:
    team, login = team_of(call), call.path("login")
    if call.hub.account(login) is None:
        raise not_found()
    team["members"] = list(dict.fromkeys([*team["members"], login]))
    save(call, team)
    return Reply(200, _membership(call, team, login))


@routes.delete("/orgs/{org}/teams/{team}/memberships/{login}", needs="members:write")
async def remove_member(call: Call) -> Reply:
    team = team_of(call)
    team["members"] = [login for login in team["members"] if login != call.path("login")]
    save(call, team)
    return no_content()


@routes.get("/orgs/{org}/teams/{team}/repos", needs="members:read")
async def repositories(call: Call) -> Reply:
    team = team_of(call)
    found = [repo for repo in call.hub.repositories(team["org"]) if str(repo["id"]) in team["repos"]]
    return call.page(found, shape=lambda repo: _repository(call, repo, team["repos"][str(repo["id"])]))


def _repository(call: Call, repo: Document, permission: str) -> dict[str, Any]:
    body = shapes.repository(call.links, repo, notify.account(call.hub, repo["owner"]), permission)
    return {**body, "role_name": {"pull": "read", "push": "write"}.get(permission, permission)}


@routes.get("/orgs/{org}/teams/{team}/repos/{owner}/{repo}", needs="members:read")
async def permission(call: Call) -> Reply:
    """Answer 204 for access, 404 for none; with GitHub's repository media type the permissions themselves."""
    granted = team_of(call)["repos"].get(str(call.scope))
    if granted is None:
        raise not_found()
    if "repository+json" not in call.request.headers.get("Accept", ""):
        return no_content()
    return Reply(200, _repository(call, call.repo, granted))


@routes.put("/orgs/{org}/teams/{team}/repos/{owner}/{repo}", needs="administration:write")
async def grant(call: Call) -> Reply:
    team, wanted = team_of(call), call.get("permission", "push")
    if wanted not in PERMISSIONS:
        raise invalid("Team", "permission", "invalid")
    team["repos"][str(call.scope)] = PERMISSIONS[wanted]
    save(call, team)
    return no_content()


@routes.delete("/orgs/{org}/teams/{team}/repos/{owner}/{repo}", needs="administration:write")
async def revoke(call: Call) -> Reply:
    team = team_of(call)
    team["repos"].pop(str(call.scope), None)
    save(call, team)
    return no_content()


@routes.get("/repos/{owner}/{repo}/teams", needs="administration:read")
async def teams_of_repository(call: Call) -> Reply:
    found = [
        team for team in call.hub.store.all("teams", call.repo["owner"].lower()) if str(call.scope) in team["repos"]
    ]

    def shape(team: Document) -> dict[str, Any]:
        granted = team["repos"][str(call.scope)]
        return {**shapes.team(call.links, team), "permission": granted, "permissions": shapes.rights(granted)}

    return call.page(found, shape=shape)
