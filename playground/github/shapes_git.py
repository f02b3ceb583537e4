"""GitHub's JSON objects for what Git holds: commits, trees, refs, files. They read through a `GitRepository`, so they
run where Git work runs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from playground.github.call import Links
from playground.github.gitrepo import Entry, GitRepository, Signature, parse_signature
from playground.github.merging import FileChange, changed_files
from playground.github.shapes import Json, node_id, repository_url, stamp, user
from playground.github.store import Document

FindUser = Callable[[str], Document | None]
"""Finds an account by its e-mail address."""


def signature(line: bytes, seconds: int) -> Json:
    parsed = parse_signature(line, seconds)
    return signature_of(parsed)


def signature_of(parsed: Signature) -> Json:
    return {"name": parsed.name, "email": parsed.email, "date": stamp(parsed.when)}


def verification(verified: bool) -> Json:
    return {
        "verified": verified,
        "reason": "valid" if verified else "unsigned",
        "signature": None,
        "payload": None,
        "verified_at": None,
    }


def git_commit(links: Links, repo: Document, git: GitRepository, sha: str, *, verified: bool = False) -> Json:
    """Return the object of `/git/commits`."""
    commit, base = git.commit(sha), repository_url(links, repo)
    page = f"{links.web}/{repo['owner']}/{repo['name']}/commit"
    parents = [parent.decode() for parent in commit.parents]
    tree = commit.tree.decode()
    return {
        "sha": sha,
        "node_id": node_id("Commit", int(sha[:8], 16)),
        "url": f"{base}/git/commits/{sha}",
        "html_url": f"{page}/{sha}",
        "author": signature(commit.author, commit.author_time),
        "committer": signature(commit.committer, commit.commit_time),
        "tree": {"sha": tree, "url": f"{base}/git/trees/{tree}"},
        "message": commit.message.decode(errors="replace"),
        "parents": [{"sha": p, "url": f"{base}/git/commits/{p}", "html_url": f"{page}/{p}"} for p in parents],
        "verification": verification(verified),
    }


def commit(links: Links, repo: Document, git: GitRepository, sha: str, find_user: FindUser) -> Json:
    """Return the object of `/commits`, without its files."""
    inner = git_commit(links, repo, git, sha)
    base = repository_url(links, repo)
    accounts = [find_user(inner[role]["email"]) for role in ("author", "committer")]
    return {
        "sha": sha,
        "node_id": inner["node_id"],
        "commit": {
            **{name: inner[name] for name in ("author", "committer", "message", "tree", "url", "verification")},
            "comment_count": 0,
        },
        "url": f"{base}/commits/{sha}",
        "html_url": inner["html_url"],
        "comments_url": f"{base}/commits/{sha}/comments",
        "author": user(links, accounts[0]) if accounts[0] else None,
        "committer": user(links, accounts[1]) if accounts[1] else None,
        "parents": [{**parent, "url": f"{base}/commits/{parent['sha']}"} for parent in inner["parents"]],
    }


def full_commit(links: Links, repo: Document, git: GitRepository, sha: str, find_user: FindUser) -> Json:
    body = commit(links, repo, git, sha, find_user)
    parent = body["parents"][0]["sha"] if body["parents"] else None
    files = changed_files(git, parent, sha)
    additions, deletions = sum(f.additions for f in files), sum(f.deletions for f in files)
    return {
        **body,
        "stats": {"total": additions + deletions, "additions": additions, "deletions": deletions},
        "files": [changed_file(links, repo, sha, change) for change in files],
    }


def changed_file(links: Links, repo: Document, sha: str, change: FileChange) -> Json:
    page = f"{links.web}/{repo['owner']}/{repo['name']}"
    body: Json = {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{page}/blob/{sha}/{change.path}",
        "raw_url": f"{page}/raw/{sha}/{change.path}",
        "contents_url": f"{repository_url(links, repo)}/contents/{change.path}?ref={sha}",
    }
    return body if change.patch is None else {**body, "patch": change.patch}


def reference(links: Links, repo: Document, name: str, sha: str, kind: str = "commit") -> Json:
    base = repository_url(links, repo)
    return {
        "ref": name,
        "node_id": base64.b64encode(f"Ref{name}".encode()).decode(),
        "url": f"{base}/git/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{base}/git/{kind}s/{sha}"},
    }


def tree(links: Links, repo: Document, sha: str, entries: list[Entry]) -> Json:
    base = repository_url(links, repo)
    lines: list[Any] = []
    for entry in entries:
        line: Json = {"path": entry.path, "mode": f"{entry.mode:06o}", "type": entry.kind, "sha": entry.sha}
        if entry.size is not None:
            line["size"] = entry.size
        if entry.kind != "commit":
            line["url"] = f"{base}/git/{entry.kind}s/{entry.sha}"
        lines.append(line)
    return {"sha": sha, "url": f"{base}/git/trees/{sha}", "tree": lines, "truncated": False}


def content(links: Links, repo: Document, entry: Entry, ref: str, data: bytes | None = None) -> Json:
    """Return the object of `/contents`: with `data` for one file, without for a line of a folder."""
    page, path = f"{links.web}/{repo['owner']}/{repo['name']}", entry.path
    kind = {"tree": "dir", "commit": "submodule"}.get(entry.kind, "file")
    url = f"{repository_url(links, repo)}/contents/{path}?ref={ref}"
    git_url = f"{repository_url(links, repo)}/git/{entry.kind}s/{entry.sha}"
    html_url = f"{page}/{'tree' if kind == 'dir' else 'blob'}/{ref}/{path}"
    body: Json = {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": len(data) if data is not None else entry.size or 0,
        "url": url,
        "html_url": html_url,
        "git_url": git_url,
        "download_url": f"{page}/raw/{ref}/{path}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": html_url},
    }
    if data is not None:
        body |= {"content": base64.encodebytes(data).decode(), "encoding": "base64"}
    return body
