"""Differences and merges of trees, file by file, as pull requests and comparisons need them. Blocks, like `gitrepo`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from playground.github.gitrepo import EMPTY_TREE, Change, GitRepository, MergeConflict, Signature, parse_signature


@dataclass(frozen=True, slots=True)
class FileChange:
    """`status` is GitHub's `added`, `removed` or `modified`; `patch` is None for binary files."""

    path: str
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


def changed_paths(git: GitRepository, old: str | None, new: str) -> dict[str, list[str]]:
    """Return `added`, `removed` and `modified` paths between two trees or commits, without reading the files."""
    before, after = git.files(old or EMPTY_TREE), git.files(new)
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "modified": sorted(path for path in before.keys() & after.keys() if before[path] != after[path]),
    }


def changed_files(git: GitRepository, old: str | None, new: str) -> list[FileChange]:
    """Compare two trees or commits; `old=None` is the empty tree."""
    before, after = git.files(old or EMPTY_TREE), git.files(new)
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return [_change(git, path, before.get(path), after.get(path)) for path in paths]


def _change(git: GitRepository, path: str, old: tuple[int, str] | None, new: tuple[int, str] | None) -> FileChange:
    status = "added" if old is None else "removed" if new is None else "modified"
    lines = _lines(git, old), _lines(git, new)
    sha = (new or old or (0, ""))[1]
    if lines[0] is None or lines[1] is None:
        return FileChange(path, status, sha, 0, 0, None)
    diff = list(difflib.unified_diff(lines[0], lines[1], lineterm="", n=3))[2:]
    added = sum(line.startswith("+") for line in diff)
    removed = sum(line.startswith("-") for line in diff)
    return FileChange(path, status, sha, added, removed, "\n".join(diff))


def _lines(git: GitRepository, side: tuple[int, str] | None) -> list[str] | None:
    if side is None:
        return []
    content = git.blob(side[1]) if git.kind(side[1]) == "blob" else b""
    return None if b"\0" in content else content.decode(errors="replace").splitlines()


def merged_tree(git: GitRepository, base: str | None, ours: str, theirs: str) -> str:
    """Return the tree of `ours` with what `theirs` changed since `base`. Raise `MergeConflict`."""
    old = git.files(base or EMPTY_TREE)
    left, right = git.files(ours), git.files(theirs)
    changes: dict[str, Change] = {}
    for path in old.keys() | right.keys():
        if right.get(path) == old.get(path) or right.get(path) == left.get(path):
            continue
        if left.get(path) != old.get(path):
            raise MergeConflict(path)
        changes[path] = right.get(path)
    return git.write_tree(git.commit(ours).tree.decode(), changes)


def merge(
    git: GitRepository, base: str, head: str, message: str, signature: Signature, *, method: str = "merge"
) -> str:
    """Return the commit that merging `head` into `base` by `merge`, `squash` or `rebase` makes."""
    ancestor = git.merge_base(base, head)
    if method == "rebase":
        return _rebase(git, base, head, ancestor, signature)
    tree = merged_tree(git, ancestor, base, head)
    parents = [base] if method == "squash" else [base, head]
    return git.write_commit(tree, parents, message, signature)


def _rebase(git: GitRepository, base: str, head: str, ancestor: str | None, committer: Signature) -> str:
    tip = base
    for sha in reversed(git.history(head, exclude=[ancestor] if ancestor else [])):
        commit = git.commit(sha)
        parent = commit.parents[0].decode() if commit.parents else None
        tree = merged_tree(git, parent, tip, sha)
        author = parse_signature(commit.author, commit.author_time)
        tip = git.write_commit(tree, [tip], commit.message.decode(errors="replace"), author, committer)
    return tip
