"""Releases: create, list, read, delete."""

from __future__ import annotations

from typing import Any

from playground.github import notify, shapes_work
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import invalid, not_found
from playground.github.gitrepo import ZERO, GitRepository, Move
from playground.github.store import Document

routes = Routes()


def shaped(call: Call, record: Document) -> dict[str, Any]:
    return shapes_work.release(call.links, call.repo, record, notify.account(call.hub, record["author"]))


@routes.get("/repos/{owner}/{repo}/releases", needs="contents:read")
async def releases(call: Call) -> Reply:
    return call.page(call.hub.store.all("releases", call.scope)[::-1], shape=lambda record: shaped(call, record))


@routes.post("/repos/{owner}/{repo}/releases", needs="contents:write")
async def create(call: Call) -> Reply:
    tag, draft = call.need("tag_name", "Release"), bool(call.get("draft", False))
    if any(record["tag_name"] == tag for record in call.hub.store.all("releases", call.scope)):
        raise invalid("Release", "tag_name", "already_exists")
    target = call.get("target_commitish", call.repo["default_branch"])
    if not draft:
        await _tag(call, tag, target)
    now = call.hub.now()
    record: Document = {
        "id": call.hub.store.next_id("release", 23_001),
        "tag_name": tag,
        "target_commitish": target,
        "name": call.get("name", tag),
        "body": call.get("body", ""),
        "draft": draft,
        "prerelease": bool(call.get("prerelease", False)),
        "author": call.actor.login,
        "created_at": now,
        "published_at": None if draft else now,
    }
    call.hub.store.put("releases", call.scope, record["id"], record)
    payload = {"action": "created" if draft else "published", "release": shaped(call, record)}
    notify.emit(call.hub, call.repo, "release", payload, call.actor.login)
    return created(shaped(call, record))


async def _tag(call: Call, tag: str, target: str) -> None:
    ref = f"refs/tags/{tag}"

    def work(git: GitRepository) -> str | None:
        git.require_commits()
        if git.ref(ref) is not None:
            return None
        sha = git.resolve(target)
        git.create_ref(ref, sha)
        return sha

    sha = await call.git(work)
    if sha:
        await call.hub.ref_changed(call.repo, Move(ref, ZERO, sha), call.actor.login)


@routes.get("/repos/{owner}/{repo}/releases/latest", needs="contents:read")
async def latest(call: Call) -> Reply:
    found = [r for r in call.hub.store.all("releases", call.scope) if not r["draft"] and not r["prerelease"]]
    if not found:
        raise not_found()
    return Reply(200, shaped(call, found[-1]))


@routes.get("/repos/{owner}/{repo}/releases/tags/{tag:.+}", needs="contents:read")
async def by_tag(call: Call) -> Reply:
    tag = call.path("tag")
    found = next((r for r in call.hub.store.all("releases", call.scope) if r["tag_name"] == tag), None)
    if found is None:
        raise not_found()
    return Reply(200, shaped(call, found))


@routes.get("/repos/{owner}/{repo}/releases/{id}", needs="contents:read")
async def read(call: Call) -> Reply:
    return Reply(200, shaped(call, call.required("releases", call.number("id"))))


@routes.delete("/repos/{owner}/{repo}/releases/{id}", needs="contents:write")
async def remove(call: Call) -> Reply:
    record = call.required("releases", call.number("id"))
    call.hub.store.delete("releases", call.scope, record["id"])
    return no_content()
