"""Copies of a repository in other accounts, from which strangers offer their changes."""

from __future__ import annotations

from playground.github import notify, shapes
from playground.github.api.repositories import check_name, full
from playground.github.call import Call, Reply, Routes
from playground.github.errors import ApiError, invalid
from playground.github.store import Document

routes = Routes()


@routes.get("/repos/{owner}/{repo}/forks")
async def forks(call: Call) -> Reply:
    found = [one for one in call.hub.repositories() if one.get("parent") == call.scope and call.actor.sees(one)]

    def shape(repo: Document) -> shapes.Json:
        return shapes.repository(call.links, repo, notify.account(call.hub, repo["owner"]))

    return call.page(found[::-1], shape=shape)


@routes.post("/repos/{owner}/{repo}/forks", needs="administration:write|person:write")
async def fork(call: Call) -> Reply:
    """Fork to the caller's own account. One that is there already is answered again, as GitHub does."""
    owner, name = call.get("organization", call.actor.login), call.get("name", call.repo["name"])
    check_name(name)
    if call.repo.get("parent") or owner.lower() == call.repo["owner"].lower():
        raise ApiError(403, "Forks of forks and forks of one's own are not played here.")
    there = next((one for one in call.hub.repositories(owner) if one.get("parent") == call.scope), None)
    if there is None and call.hub.repository(owner, name):
        raise invalid("Repository", "name", "custom", "name already exists on this account")
    if there is None:
        only = bool(call.get("default_branch_only", False))
        there = await call.hub.fork(call.repo, owner, name, default_branch_only=only)
        shown = shapes.repository(call.hub.links, there, notify.account(call.hub, owner))
        notify.emit(call.hub, call.repo, "fork", {"forkee": shown}, call.actor.login)
    return Reply(202, full(call, there))
