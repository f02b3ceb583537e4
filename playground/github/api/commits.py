"""History: commits, comparisons, merges of branches."""

from __future__ import annotations

from typing import Any

from playground.github import protection, shapes_git
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import conflict, not_found, unprocessable
from playground.github.gitrepo import GitRepository, MergeConflict, MissingObject, Move
from playground.github.merging import changed_files, merge
from playground.github.shapes import repository_url

routes = Routes()
MOST_COMMITS = 250
MOST_FILES = 300
"""Bounds of a comparison."""


@routes.get("/repos/{owner}/{repo}/commits", needs="contents:read")
async def commits(call: Call) -> Reply:
    start, path = call.query("sha") or call.repo["default_branch"], call.query("path").strip("/")

    def work(git: GitRepository) -> Reply:
        git.require_commits()
        shas = git.history(git.resolve(start), path=path)
        return call.page(shas, shape=lambda sha: shapes_git.commit(call.links, call.repo, git, sha, find))

    find = call.hub.account_by_email
    return await call.git(work)


@routes.get("/repos/{owner}/{repo}/commits/{sha:.+}", needs="contents:read")
async def read_commit(call: Call) -> Reply:
    name = call.path("sha")
    sha_only = "sha" in call.request.headers.get("Accept", "").rpartition(".")[2]

    def work(git: GitRepository) -> Any:
        git.require_commits()
        try:
            sha = git.resolve(name)
        except MissingObject as error:
            raise unprocessable(f"No commit found for SHA: {name}") from error
        if sha_only:
            return sha.encode()
        return shapes_git.full_commit(call.links, call.repo, git, sha, call.hub.account_by_email)

    return Reply(200, await call.git(work))


@routes.get("/repos/{owner}/{repo}/compare/{range:.+}", needs="contents:read")
async def compare(call: Call) -> Reply:
    base, dots, head = call.path("range").partition("...")
    if not dots:
        raise not_found()
    names = [name.rpartition(":")[2] for name in (base, head)]
    url = f"{repository_url(call.links, call.repo)}/compare/{base}...{head}"
    page = f"{call.links.web}/{call.repo['owner']}/{call.repo['name']}/compare/{base}...{head}"

    def work(git: GitRepository) -> dict[str, Any]:
        old, new = git.resolve(names[0]), git.resolve(names[1])
        ancestor = git.merge_base(old, new)
        if ancestor is None:
            raise not_found(f"No common ancestor between {base} and {head}.")
        ahead, behind = git.history(new, exclude=[old]), git.history(old, exclude=[new])
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        find = call.hub.account_by_email
        commits, with_files = _shown(call, ahead[::-1])
        changed = changed_files(git, ancestor, new)[:MOST_FILES] if with_files else []
        return {
            "url": url,
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": shapes_git.commit(call.links, call.repo, git, old, find),
            "merge_base_commit": shapes_git.commit(call.links, call.repo, git, ancestor, find),
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [shapes_git.commit(call.links, call.repo, git, sha, find) for sha in commits],
            "files": [shapes_git.changed_file(call.links, call.repo, new, change) for change in changed],
        }

    return Reply(200, await call.git(work))


def _shown(call: Call, oldest_first: list[str]) -> tuple[list[str], bool]:
    """Return the commits of a comparison that are shown, and whether its files are: without a page the newest 250,
    with one a page from the oldest on, and files on the first page only."""
    if not call.request.query.keys() & {"page", "per_page"}:
        return oldest_first[-MOST_COMMITS:], True
    return list(call.page(oldest_first).data), call.query("page", "1") == "1"


@routes.post("/repos/{owner}/{repo}/merges", needs="contents:write")
async def merge_branch(call: Call) -> Reply:
    base, head = call.need("base", "Merge"), call.need("head", "Merge")
    message = call.get("commit_message", f"Merge {head} into {base}")
    signature, ref = call.hub.signature(call.actor.login), f"refs/heads/{base}"

    def work(git: GitRepository) -> tuple[str, str, Any]:
        before, other = git.ref(ref), git.resolve(head)
        if before is None:
            raise not_found("Base does not exist")
        if git.is_ancestor(other, before):
            return before, before, None
        after = merge(git, before, other, message, signature)
        protection.check(call.hub, call.repo, git, Move(ref, before, after), call.actor)
        git.set_ref(ref, after)
        return before, after, shapes_git.commit(call.links, call.repo, git, after, call.hub.account_by_email)

    try:
        before, after, shown = await call.git(work)
    except MergeConflict as error:
        raise conflict("Merge conflict") from error
    if shown is None:
        return no_content()
    await call.hub.ref_changed(call.repo, Move(ref, before, after), call.actor.login)
    return created(shown)
