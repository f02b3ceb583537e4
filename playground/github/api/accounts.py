"""`/user`, `/users`, `/orgs`, `/rate_limit` and the few calls that need no token."""

from __future__ import annotations

from playground.github import identity, shapes
from playground.github.call import Call, Reply, Routes
from playground.github.errors import not_found
from playground.github.store import Document

routes = Routes()


def organisation(call: Call) -> Document:
    """Return the organisation of the path, or answer 404."""
    account = call.hub.account(call.path("org"))
    if account is None or account["type"] != "Organization":
        raise not_found()
    return account


@routes.get("/zen", needs="")
async def zen(call: Call) -> Reply:
    return Reply(200, b"Build roads, not roadblocks.", {"Content-Type": "text/plain"})


@routes.get("/meta", needs="")
async def meta(call: Call) -> Reply:
    return Reply(200, {"verifiable_password_authentication": False, "installed_version": "3.19.0"})


@routes.get("/rate_limit", needs="")
async def rate_limit(call: Call) -> Reply:
    access = call.hub.access
    usage = access.usage(call.actor)
    core = {
        "limit": access.hourly_limit,
        "used": usage.used,
        "remaining": max(access.hourly_limit - usage.used, 0),
        "reset": int(usage.resets.timestamp()),
        "resource": "core",
    }
    names = ("core", "search", "graphql", "integration_manifest", "code_scanning_upload")
    return Reply(200, {"resources": {name: {**core, "resource": name} for name in names}, "rate": core})


@routes.get("/user", needs="metadata:read")
async def own_user(call: Call) -> Reply:
    account = call.hub.account(call.actor.login)
    if account is None:
        raise not_found()
    return Reply(
        200, shapes.full_user(call.links, account), {"X-OAuth-Scopes": "admin:org, delete_repo, repo, workflow"}
    )


@routes.get("/user/orgs")
async def own_organisations(call: Call) -> Reply:
    accounts = [a for a in call.hub.store.all("accounts") if a["type"] == "Organization"]
    return call.page(accounts, shape=lambda a: shapes.organization(call.links, a))


@routes.get("/users/{login}")
async def read_user(call: Call) -> Reply:
    account = call.hub.account(call.path("login"))
    if account is None:
        raise not_found()
    return Reply(200, shapes.full_user(call.links, account))


@routes.get("/users/{login}/repos")
async def user_repositories(call: Call) -> Reply:
    return owned(call, call.path("login"))


@routes.get("/orgs/{org}")
async def read_organisation(call: Call) -> Reply:
    return Reply(200, shapes.full_organization(call.links, organisation(call)))


@routes.get("/orgs/{org}/members", needs="members:read")
async def members(call: Call) -> Reply:
    organisation(call)
    people = [a for a in call.hub.store.all("accounts") if identity.is_member(call.hub, a["login"])]
    return call.page(people, shape=lambda a: shapes.user(call.links, a))


@routes.get("/orgs/{org}/members/{login}", needs="members:read")
async def is_member(call: Call) -> Reply:
    organisation(call)
    if not identity.is_member(call.hub, call.path("login")):
        raise not_found()
    return Reply(204)


@routes.get("/orgs/{org}/repos")
async def organisation_repositories(call: Call) -> Reply:
    return owned(call, str(organisation(call)["login"]))


@routes.get("/user/repos")
async def own_repositories(call: Call) -> Reply:
    return owned(call, None)


@routes.get("/installation/repositories")
async def installation_repositories(call: Call) -> Reply:
    reply = owned(call, None)
    reply.data = {"total_count": len(visible(call, None)), "repository_selection": "all", "repositories": reply.data}
    return reply


@routes.get("/search/repositories")
async def search(call: Call) -> Reply:
    """Understand words of the name and `org:`, `user:`, `topic:`; pass over other qualifiers."""
    words = call.query("q").lower().split()
    owners = [word.partition(":")[2] for word in words if word.startswith(("org:", "user:"))]
    topics = [word.partition(":")[2] for word in words if word.startswith("topic:")]
    plain = [word for word in words if ":" not in word]
    found = [
        repo
        for repo in visible(call, None)
        if (not owners or repo["owner"].lower() in owners)
        and set(topics) <= set(repo["topics"])
        and all(word in f"{repo['name']} {repo['description'] or ''}".lower() for word in plain)
    ]
    reply = call.page(found, key="items", shape=lambda r: {**shaped(call, r), "score": 1.0})
    reply.data["incomplete_results"] = False
    return reply


def visible(call: Call, owner: str | None) -> list[Document]:
    return [repo for repo in call.hub.repositories(owner) if call.actor.sees(repo)]


def owned(call: Call, owner: str | None) -> Reply:
    found = visible(call, owner)
    order, newest_first = call.query("sort", "created"), call.query("direction", "desc") == "desc"
    key = {"full_name": lambda r: r["name"].lower(), "updated": lambda r: r["updated_at"]}.get(order, lambda r: r["id"])
    found.sort(key=key, reverse=newest_first and order != "full_name")
    return call.page(found, shape=lambda r: shaped(call, r))


def shaped(call: Call, repo: Document) -> shapes.Json:
    owner = call.hub.account(repo["owner"])
    return shapes.repository(call.links, repo, owner or {"login": repo["owner"], "id": 0, "type": "User"})
