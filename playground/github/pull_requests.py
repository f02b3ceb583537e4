"""The life of pull requests: opened, followed as their branches move, merged by one of GitHub's three methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.github import continuous_integration, notify, shapes_work
from playground.github.errors import ApiError, invalid, unprocessable
from playground.github.gitrepo import GitRepository, MergeConflict, Move
from playground.github.identity import association
from playground.github.merging import changed_files, merge, merged_tree
from playground.github.pushed import pushed_commit
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

FIRST_PULL = 3_000_001
METHODS = ("merge", "squash", "rebase")


async def open_pull(
    hub: Hub, repo: Document, given: Document, *, head: str, base: str, actor: str, source: Document | None = None
) -> Document:
    """Open a pull request from branch `head` to branch `base`. Raise GitHub's 422 where that is not possible.

    `source` is the fork that the branch is in; None for a branch of the repository itself.
    """
    source_id = source["id"] if source else None
    head_sha = await _fetched(hub, source, repo, head) if source else await hub.git(repo, lambda git: _tip(git, head))
    base_sha, facts = await hub.git(repo, lambda git: _compare(git, head_sha, base))
    if any(
        (p["head"], p.get("source"), p["base"], p["state"]) == (head, source_id, base, "open")
        for p in hub.store.all("pulls", repo["id"])
    ):
        raise _refused(f"A pull request already exists for {(source or repo)['owner']}:{head}.")
    if facts["commits"] == 0:
        raise _refused(f"No commits between {base} and {head}")
    now = hub.now()
    record: Document = {
        "id": hub.store.next_id("pull", FIRST_PULL),
        "number": hub.next_number(repo),
        "title": given["title"],
        "body": given.get("body"),
        "draft": bool(given.get("draft", False)),
        "state": "open",
        "head": head,
        "source": source_id,
        "source_owner": (source or repo)["owner"],
        "head_sha": head_sha,
        "base": base,
        "base_sha": base_sha,
        "author": actor,
        "association": association(hub, repo, actor),
        "labels": [],
        "comments": 0,
        "reviews": [],
        "facts": facts,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
        "merged_at": None,
        "merged_by": None,
        "merge_commit_sha": None,
    }
    hub.store.put("pulls", repo["id"], record["number"], record)
    _count_open(hub, repo, +1)
    await hub.git(repo, lambda git: git.set_ref(f"refs/pull/{record['number']}/head", head_sha))
    tell(hub, repo, record, "opened", actor)
    await _build_of_fork(hub, repo, record, actor)
    return record


def _refused(message: str) -> ApiError:
    return unprocessable("Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


def source_of(hub: Hub, repo: Document, record: Document) -> Document | None:
    """Return the repository that the branch is in; None where it is gone."""
    if record.get("source") is None:
        return repo
    return hub.store.get("repositories", "", record["source"])


async def _fetched(hub: Hub, source: Document, repo: Document, branch: str) -> str:
    """Bring a fork's branch here, as GitHub's repositories of one network share their objects; return its commit."""

    def work(theirs: GitRepository, ours: GitRepository) -> str:
        sha = _tip(theirs, branch)
        ours.take(theirs, [sha])
        return sha

    return await hub.between(source, repo, work)


async def _build_of_fork(hub: Hub, repo: Document, record: Document, actor: str) -> None:
    """Build what a fork proposes: its pushes run nothing here, so its pull request does."""
    if record.get("source") is not None:
        head = await hub.git(repo, lambda git: pushed_commit(hub, repo, git, record["head_sha"]))
        continuous_integration.proposed(hub, repo, record, head, actor)


def _tip(git: GitRepository, branch: str, field: str = "head") -> str:
    sha = git.ref(f"refs/heads/{branch}")
    if sha is None:
        raise invalid("PullRequest", field, "invalid")
    return sha


def _compare(git: GitRepository, head_sha: str, base: str) -> tuple[str, Document]:
    base_sha = _tip(git, base, "base")
    return base_sha, facts_of(git, head_sha, base_sha)


def facts_of(git: GitRepository, head: str, base: str) -> Document:
    """Return what comparing the two ends tells: counts, and whether they merge cleanly."""
    ancestor = git.merge_base(base, head)
    files = changed_files(git, ancestor, head)
    try:
        merged_tree(git, ancestor, base, head)
        mergeable = True
    except MergeConflict:
        mergeable = False
    return {
        "mergeable": mergeable,
        "merge_base": ancestor,
        "commits": len(git.history(head, exclude=[base])),
        "additions": sum(change.additions for change in files),
        "deletions": sum(change.deletions for change in files),
        "changed_files": len(files),
    }


def _count_open(hub: Hub, repo: Document, by: int) -> None:
    repo["open_issues"] = max(repo["open_issues"] + by, 0)
    hub.save(repo)


def shown(hub: Hub, repo: Document, record: Document, links: Any = None) -> dict[str, Any]:
    """Return the full object of a pull request."""
    merger = hub.account(record["merged_by"]) if record["merged_by"] else None
    author = notify.account(hub, record["author"])
    return shapes_work.full_pull(links or hub.links, place_of(hub, repo, record), record, author, merger=merger)


def place_of(hub: Hub, repo: Document, record: Document) -> shapes_work.Place:
    """Return both sides of a pull request."""
    source = source_of(hub, repo, record)
    owner = notify.account(hub, record.get("source_owner") or repo["owner"])
    return shapes_work.Place(repo, notify.account(hub, repo["owner"]), source, owner)


def tell(hub: Hub, repo: Document, record: Document, action: str, actor: str, **more: Any) -> None:
    payload = {"action": action, "number": record["number"], "pull_request": shown(hub, repo, record), **more}
    notify.emit(hub, repo, "pull_request", payload, actor)


async def branch_moved(hub: Hub, repo: Document, branch: str, sha: str, actor: str) -> None:
    """Follow a moved or deleted branch in the open pull requests that rest on it."""
    for target, record in _resting_on(hub, repo, branch):
        if set(sha) == {"0"}:
            close(hub, target, record, actor)
        elif await _refresh(hub, target, record, Move(f"refs/heads/{branch}", "", sha), pushed=repo):
            tell(hub, target, record, "synchronize", actor, before=record["previous_sha"], after=sha)
            await _build_of_fork(hub, target, record, actor)


def _resting_on(hub: Hub, repo: Document, branch: str) -> list[tuple[Document, Document]]:
    """Return the open pull requests that rest on a branch, each with the repository that it is for."""
    own = [(repo, one) for one in hub.store.all("pulls", repo["id"]) if _is_side(repo, one, branch)]
    parent = hub.parent_of(repo)
    offered = [(parent, one) for one in hub.store.all("pulls", parent["id"])] if parent else []
    theirs = [(to, one) for to, one in offered if (one.get("source"), one["head"]) == (repo["id"], branch)]
    return [(to, one) for to, one in (*own, *theirs) if one["state"] == "open"]


def _is_side(repo: Document, record: Document, branch: str) -> bool:
    return branch == record["base"] or (record.get("source") is None and branch == record["head"])


async def _refresh(hub: Hub, repo: Document, record: Document, move: Move, *, pushed: Document) -> bool:
    """Compare anew, after a branch of `pushed` has moved; return whether the pull request's own branch has."""
    branch, sha = move.ref.removeprefix("refs/heads/"), move.after
    is_head = branch == record["head"] and (record.get("source") or repo["id"]) == pushed["id"]
    moved = bool(is_head and record["head_sha"] != sha)
    if moved and pushed["id"] != repo["id"]:
        await _fetched(hub, pushed, repo, branch)
    if moved:
        record["previous_sha"], record["head_sha"] = record["head_sha"], sha
        await hub.git(repo, lambda git: git.set_ref(f"refs/pull/{record['number']}/head", sha))
    elif branch == record["base"] and pushed["id"] == repo["id"]:
        record["base_sha"] = sha
    record["facts"] = await hub.git(repo, lambda git: facts_of(git, record["head_sha"], record["base_sha"]))
    _save(hub, repo, record)
    return moved


def _save(hub: Hub, repo: Document, record: Document) -> None:
    record["updated_at"] = hub.now()
    hub.store.put("pulls", repo["id"], record["number"], record)


def close(hub: Hub, repo: Document, record: Document, actor: str) -> None:
    record["state"], record["closed_at"] = "closed", hub.now()
    _save(hub, repo, record)
    _count_open(hub, repo, -1)
    tell(hub, repo, record, "closed", actor)


def reopen(hub: Hub, repo: Document, record: Document, actor: str) -> None:
    record["state"], record["closed_at"] = "open", None
    _save(hub, repo, record)
    _count_open(hub, repo, +1)
    tell(hub, repo, record, "reopened", actor)


async def merge_pull(
    hub: Hub, repo: Document, record: Document, actor: str, *, method: str = "merge", title: str = "", body: str = ""
) -> str:
    """Merge and return the new head of the base branch. Raise GitHub's 405 where that is not possible."""
    if record["state"] != "open" or record["draft"]:
        raise ApiError(405, "Pull Request is not mergeable")
    subject = title or _subject(repo, record, method)
    message = f"{subject}\n\n{body or record['title']}" if method == "merge" or body else subject
    signature = hub.signature(actor)

    def work(git: GitRepository) -> tuple[str, str]:
        if record["merge_commit_sha"]:  # another call was quicker
            raise ApiError(405, "Pull Request is not mergeable")
        before = git.ref(f"refs/heads/{record['base']}") or ""
        after = merge(git, before, record["head_sha"], message, signature, method=method)
        git.move_ref(f"refs/heads/{record['base']}", after, force=False)
        record["merge_commit_sha"] = after
        return before, after

    try:
        before, after = await hub.git(repo, work)
    except MergeConflict as error:
        raise ApiError(405, "Pull Request is not mergeable") from error
    record |= {"state": "closed", "merged_by": actor}
    record["closed_at"] = record["merged_at"] = hub.now()
    _save(hub, repo, record)
    _count_open(hub, repo, -1)
    tell(hub, repo, record, "closed", actor)
    await hub.ref_changed(repo, Move(f"refs/heads/{record['base']}", before, after), actor)
    if repo["settings"]["delete_branch_on_merge"] and record.get("source") is None:
        await _delete_head(hub, repo, record, actor)
    return after


def _subject(repo: Document, record: Document, method: str) -> str:
    if method == "merge":
        owner = record.get("source_owner", repo["owner"])
        return f"Merge pull request #{record['number']} from {owner}/{record['head']}"
    return f"{record['title']} (#{record['number']})"


async def _delete_head(hub: Hub, repo: Document, record: Document, actor: str) -> None:
    ref = f"refs/heads/{record['head']}"
    before = await hub.git(repo, lambda git: git.delete_ref(ref))
    await hub.ref_changed(repo, Move(ref, before, "0" * 40), actor)
