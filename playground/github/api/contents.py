"""`/contents`: one file or folder at a time."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from playground.github import protection, shapes_git
from playground.github.api.git_data import decoded, given_signature, line_path
from playground.github.call import Call, Reply, Routes
from playground.github.errors import conflict, invalid, not_found, unprocessable
from playground.github.gitrepo import ZERO, Change, Entry, GitRepository, Move

routes = Routes()


@routes.get("/repos/{owner}/{repo}/readme", needs="contents:read")
async def readme(call: Call) -> Reply:
    return await show(call, "README.md")


@routes.get("/repos/{owner}/{repo}/contents{path:(/.*)?}", needs="contents:read")
async def read(call: Call) -> Reply:
    return await show(call, unquote(call.path("path")).strip("/"))


async def show(call: Call, path: str) -> Reply:
    ref = call.query("ref") or call.repo["default_branch"]
    raw = "raw" in call.request.headers.get("Accept", "")

    def work(git: GitRepository) -> Any:
        if git.is_empty():
            raise not_found("This repository is empty.")
        commit = git.resolve(ref)
        entry = git.entry(commit, path)
        if entry is None:
            raise not_found()
        if entry.kind == "blob":
            data = git.blob(entry.sha)
            return data if raw else shapes_git.content(call.links, call.repo, entry, ref, data)
        prefix = f"{path}/" if path else ""
        lines = [Entry(prefix + e.path, e.mode, e.sha, e.size) for e in git.tree(entry.sha)]
        return [shapes_git.content(call.links, call.repo, line, ref) for line in lines]

    found = await call.git(work)
    return Reply(200, found, {"Content-Type": "application/vnd.github.raw"} if isinstance(found, bytes) else {})


@routes.put("/repos/{owner}/{repo}/contents/{path:.+}", needs="contents:write")
async def write(call: Call) -> Reply:
    message = call.need("message", "Content")
    text = call.body.get("content")
    if not isinstance(text, str):
        raise invalid("Content", "content", "missing_field")
    return await commit_one(call, message, decoded(text))


@routes.delete("/repos/{owner}/{repo}/contents/{path:.+}", needs="contents:write")
async def remove(call: Call) -> Reply:
    call.need("sha", "Content")
    return await commit_one(call, call.need("message", "Content"), None)


async def commit_one(call: Call, message: str, content: bytes | None) -> Reply:
    """Commit one file (None deletes it) on a branch, guarded by the file's old hash."""
    path = line_path({"path": unquote(call.path("path"))})
    branch = call.get("branch", call.repo["default_branch"])
    ref, old_sha = f"refs/heads/{branch}", call.get("sha")
    own = call.hub.signature(call.actor.login)
    author = given_signature(call.get("author") or call.get("committer"), own)
    committer = given_signature(call.get("committer"), own)

    def work(git: GitRepository) -> tuple[str, str, dict[str, Any], bool]:
        before = git.ref(ref)
        if before is None and not git.is_empty():
            raise not_found(f"Branch {branch} not found")
        old = git.entry(before, path) if before else None
        _guard(path, old, old_sha, deletes=content is None)
        blob = git.write_blob(content) if content is not None else ""
        change: Change = (old.mode if old else 0o100644, blob) if content is not None else None
        tree = git.write_tree(git.commit(before).tree.decode() if before else None, {path: change})
        sha = git.write_commit(tree, [before] if before else [], message, author, committer)
        protection.check(call.hub, call.repo, git, Move(ref, before or ZERO, sha), call.actor)
        git.set_ref(ref, sha)
        body: dict[str, Any] = {
            "content": None,
            "commit": shapes_git.git_commit(call.links, call.repo, git, sha),
        }
        entry = git.entry(sha, path)
        if content is not None and entry is not None:
            body["content"] = shapes_git.content(call.links, call.repo, entry, branch, content)
            del body["content"]["content"], body["content"]["encoding"]
        return before or ZERO, sha, body, old is None

    before, sha, body, is_new = await call.git(work)
    await call.hub.ref_changed(call.repo, Move(ref, before, sha), call.actor.login)
    return Reply(201 if is_new else 200, body)


def _guard(path: str, old: Entry | None, sha: object, *, deletes: bool) -> None:
    if old is None and deletes:
        raise not_found()
    if old is not None and old.kind != "blob":
        raise unprocessable(f"{path} is a directory")
    if old is not None and sha is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if old is not None and sha != old.sha:
        raise conflict(f"{path} does not match {sha}")
