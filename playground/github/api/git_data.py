"""Git data: blobs, trees, commits, refs and tags, as four calls make a whole commit of them."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from playground.github import protection, shapes_git
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import ApiError, invalid, not_found, unprocessable
from playground.github.gitrepo import (
    ZERO,
    Change,
    GitRepository,
    MissingObject,
    Move,
    RefConflict,
    Signature,
    is_ref_name,
)

routes = Routes()
MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}
SHA = re.compile(r"[0-9a-f]{40}")


def is_sha(value: object) -> bool:
    return isinstance(value, str) and bool(SHA.fullmatch(value))


@routes.post("/repos/{owner}/{repo}/git/blobs", needs="contents:write")
async def create_blob(call: Call) -> Reply:
    text = call.body.get("content")
    if not isinstance(text, str):
        raise invalid("Blob", "content", "missing_field")
    content = decoded(text) if call.get("encoding") == "base64" else text.encode()

    def work(git: GitRepository) -> str:
        git.require_commits()
        return git.write_blob(content)

    sha = await call.git(work)
    return created(
        {"sha": sha, "url": f"{call.links.api}/repos/{call.repo['owner']}/{call.repo['name']}/git/blobs/{sha}"}
    )


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise unprocessable("content is not valid Base64") from error


@routes.get("/repos/{owner}/{repo}/git/blobs/{sha}", needs="contents:read")
async def read_blob(call: Call) -> Reply:
    sha = call.path("sha")
    content = await call.git(lambda git: git.blob(sha))
    if "raw" in call.request.headers.get("Accept", ""):
        return Reply(200, content, {"Content-Type": "application/octet-stream"})
    url = f"{call.links.api}/repos/{call.repo['owner']}/{call.repo['name']}/git/blobs/{sha}"
    text = base64.encodebytes(content).decode()
    body = {"sha": sha, "node_id": sha, "size": len(content), "url": url, "content": text, "encoding": "base64"}
    return Reply(200, body)


@routes.post("/repos/{owner}/{repo}/git/trees", needs="contents:write")
async def create_tree(call: Call) -> Reply:
    lines: list[dict[str, Any]] = call.need("tree", "Tree", list)
    base = call.get("base_tree")

    def work(git: GitRepository) -> dict[str, Any]:
        git.require_commits()
        if base is not None and (not is_sha(base) or git.kind(base) != "tree"):
            raise unprocessable("base_tree is not a valid tree oid")
        changes = {line_path(line): line_change(git, line) for line in lines}
        sha = git.write_tree(base, changes)
        return shapes_git.tree(call.links, call.repo, sha, git.tree(sha))

    return created(await call.git(work))


def line_path(line: object) -> str:
    """Return the path of one line of a tree, or refuse one that Git cannot hold."""
    path = line.get("path") if isinstance(line, dict) else None
    if not isinstance(path, str) or not path:
        raise unprocessable("tree.path is missing")
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" or "\0" in part for part in parts):
        raise unprocessable("tree.path contains a malformed path component")
    return path


def line_change(git: GitRepository, line: dict[str, Any]) -> Change:
    if "sha" in line and line["sha"] is None:
        return None
    mode = line.get("mode", "100644")
    if mode not in MODES:
        raise unprocessable("Must supply a valid tree.mode")
    content, sha = line.get("content"), line.get("sha")
    if content is not None and sha is not None:
        raise unprocessable("Must supply either tree.sha or tree.content, not both")
    if isinstance(content, str) and MODES[mode] == "blob":
        return int(mode, 8), git.write_blob(content.encode())
    if not is_sha(sha):
        raise unprocessable("tree.sha is not a valid SHA")
    if MODES[mode] != "commit" and git.kind(str(sha)) != MODES[mode]:
        raise unprocessable(f"tree.sha {sha} is not a valid {MODES[mode]}")
    return int(mode, 8), str(sha)


@routes.get("/repos/{owner}/{repo}/git/trees/{sha:.+}", needs="contents:read")
async def read_tree(call: Call) -> Reply:
    name, recursive = call.path("sha"), bool(call.query("recursive"))

    def work(git: GitRepository) -> dict[str, Any]:
        git.require_commits()
        sha = name if is_sha(name) and git.kind(name) == "tree" else git.commit(git.resolve(name)).tree.decode()
        return shapes_git.tree(call.links, call.repo, sha, git.tree(sha, recursive=recursive))

    return Reply(200, await call.git(work))


@routes.post("/repos/{owner}/{repo}/git/commits", needs="contents:write")
async def create_commit(call: Call) -> Reply:
    message, tree = call.need("message", "Commit"), call.need("tree", "Commit")
    parents = call.get("parents", [])
    own = call.hub.signature(call.actor.login)
    author = given_signature(call.get("author"), own)
    committer = given_signature(call.get("committer"), author)
    verified = call.actor.app_id is not None and not call.body.keys() & {"author", "committer", "signature"}

    def work(git: GitRepository) -> dict[str, Any]:
        git.require_commits()
        if not is_sha(tree) or git.kind(tree) != "tree":
            raise unprocessable("Tree SHA does not exist")
        if not isinstance(parents, list) or not all(is_sha(p) and git.kind(p) == "commit" for p in parents):
            raise unprocessable("Parent SHA does not exist or is not a commit object")
        sha = git.write_commit(tree, parents, message, author, committer)
        return shapes_git.git_commit(call.links, call.repo, git, sha, verified=verified)

    return created(await call.git(work))


def given_signature(given: object, default: Signature) -> Signature:
    """Read `{name, email, date}`; what is missing comes from `default`."""
    if not isinstance(given, dict):
        return default
    name, email = given.get("name", default.name), given.get("email", default.email)
    if not isinstance(name, str) or not isinstance(email, str) or not name or not email:
        raise invalid("Commit", "author", "invalid")
    try:
        when = datetime.fromisoformat(given["date"]) if given.get("date") else default.when
    except (TypeError, ValueError) as error:
        raise invalid("Commit", "author.date", "invalid") from error
    return Signature(name, email, when if when.tzinfo else when.replace(tzinfo=default.when.tzinfo))


@routes.get("/repos/{owner}/{repo}/git/commits/{sha}", needs="contents:read")
async def read_commit(call: Call) -> Reply:
    sha = call.path("sha")
    return Reply(200, await call.git(lambda git: shapes_git.git_commit(call.links, call.repo, git, sha)))


@routes.get("/repos/{owner}/{repo}/git/ref/{ref:.+}", needs="contents:read")
async def read_ref(call: Call) -> Reply:
    return Reply(200, await one_ref(call, call.path("ref")))


async def one_ref(call: Call, short: str) -> dict[str, Any]:
    def work(git: GitRepository) -> dict[str, Any]:
        git.require_commits()
        sha = git.ref(f"refs/{short}")
        if sha is None:
            raise not_found()
        return shapes_git.reference(call.links, call.repo, f"refs/{short}", sha, git.kind(sha) or "commit")

    return await call.git(work)


@routes.get("/repos/{owner}/{repo}/git/matching-refs/{ref:.*}", needs="contents:read")
async def matching_refs(call: Call) -> Reply:
    return await refs_below(call, call.path("ref"))


@routes.get("/repos/{owner}/{repo}/git/refs", needs="contents:read")
async def all_refs(call: Call) -> Reply:
    return await refs_below(call, "")


@routes.get("/repos/{owner}/{repo}/git/refs/{ref:.+}", needs="contents:read")
async def read_ref_by_its_url(call: Call) -> Reply:
    return Reply(200, await one_ref(call, call.path("ref")))


async def refs_below(call: Call, prefix: str) -> Reply:
    def work(git: GitRepository) -> list[tuple[str, str, str]]:
        git.require_commits()
        return [(name, sha, git.kind(sha) or "commit") for name, sha in git.refs(f"refs/{prefix}").items()]

    return call.page(await call.git(work), shape=lambda ref: shapes_git.reference(call.links, call.repo, *ref))


@routes.post("/repos/{owner}/{repo}/git/refs", needs="contents:write")
async def create_ref(call: Call) -> Reply:
    ref, sha = call.need("ref", "Reference"), call.need("sha", "Reference")
    if not is_ref_name(ref):
        raise unprocessable(f"{ref} is not a valid ref name.")

    def work(git: GitRepository) -> None:
        git.require_commits()
        if not is_sha(sha) or git.kind(sha) is None:
            raise unprocessable("Object does not exist")
        protection.check(call.hub, call.repo, git, Move(ref, ZERO, sha), call.actor)
        git.create_ref(ref, sha)

    await call.git(work)
    await call.hub.ref_changed(call.repo, Move(ref, ZERO, sha), call.actor.login)
    return created(await one_ref(call, ref.removeprefix("refs/")))


@routes.patch("/repos/{owner}/{repo}/git/refs/{ref:.+}", needs="contents:write")
async def move_ref(call: Call) -> Reply:
    short, sha = call.path("ref"), call.need("sha", "Reference")
    ref, force = f"refs/{short}", call.get("force", False) is True

    def work(git: GitRepository) -> str:
        git.require_commits()
        if not is_sha(sha) or git.kind(sha) is None:
            raise unprocessable("Object does not exist")
        before = git.ref(ref)
        if before is None:
            raise RefConflict("Reference does not exist")
        if not force and not git.is_ancestor(before, sha):
            raise RefConflict("Update is not a fast forward")
        protection.check(call.hub, call.repo, git, Move(ref, before, sha), call.actor)
        return git.move_ref(ref, sha, force=force)

    before = await call.git(work)
    if before != sha:
        await call.hub.ref_changed(call.repo, Move(ref, before, sha), call.actor.login)
    return Reply(200, await one_ref(call, short))


@routes.delete("/repos/{owner}/{repo}/git/refs/{ref:.+}", needs="contents:write")
async def delete_ref(call: Call) -> Reply:
    ref = f"refs/{call.path('ref')}"
    if ref == f"refs/heads/{call.repo['default_branch']}":
        raise unprocessable("Cannot delete the default branch")

    def work(git: GitRepository) -> str:
        before = git.ref(ref)
        if before is None:
            raise RefConflict("Reference does not exist")
        protection.check(call.hub, call.repo, git, Move(ref, before, ZERO), call.actor)
        return git.delete_ref(ref)

    before = await call.git(work)
    await call.hub.ref_changed(call.repo, Move(ref, before, ZERO), call.actor.login)
    return no_content()


@routes.post("/repos/{owner}/{repo}/git/tags", needs="contents:write")
async def create_tag(call: Call) -> Reply:
    name, message, target = (call.need(field, "Tag") for field in ("tag", "message", "object"))
    tagger = given_signature(call.get("tagger"), call.hub.signature(call.actor.login))
    sha = await call.git(lambda git: git.write_tag(name, message, target, tagger))
    return created(await tag_object(call, sha))


@routes.get("/repos/{owner}/{repo}/git/tags/{sha}", needs="contents:read")
async def read_tag(call: Call) -> Reply:
    return Reply(200, await tag_object(call, call.path("sha")))


async def tag_object(call: Call, sha: str) -> dict[str, Any]:
    base = f"{call.links.api}/repos/{call.repo['owner']}/{call.repo['name']}/git"

    def work(git: GitRepository) -> dict[str, Any]:
        tag = git.tag(sha)
        kind, target = git.kind(tag.object[1].decode()) or "commit", tag.object[1].decode()
        return {
            "node_id": sha,
            "sha": sha,
            "url": f"{base}/tags/{sha}",
            "tag": tag.name.decode(),
            "message": (tag.message or b"").decode(),
            "tagger": shapes_git.signature(tag.tagger or b"", tag.tag_time or 0),
            "object": {"sha": target, "type": kind, "url": f"{base}/{kind}s/{target}"},
            "verification": shapes_git.verification(False),
        }

    try:
        return await call.git(work)
    except MissingObject as error:
        raise ApiError(404, "Not Found") from error
