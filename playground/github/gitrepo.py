"""One bare Git repository on disk, through dulwich. All of it blocks: call it off the event loop, one at a time."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dulwich.errors import NotCommitError
from dulwich.graph import can_fast_forward, find_merge_base
from dulwich.object_store import MissingObjectFinder, iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

ZERO = "0" * 40
"""Git's hash of nothing."""
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
TREE_MODE, LINK_MODE, MODULE_MODE = 0o040000, 0o120000, 0o160000


@dataclass(frozen=True, slots=True)
class Move:
    """A ref that went from one hash to another; `ZERO` where it did not exist."""

    ref: str
    before: str
    after: str

    @property
    def creates(self) -> bool:
        return self.before == ZERO

    @property
    def deletes(self) -> bool:
        return self.after == ZERO


class EmptyRepository(Exception):
    """Nothing has been committed yet."""


class MissingObject(Exception):
    """No object of that kind has this hash."""


class RefConflict(Exception):
    """The ref is not where the caller believes, exists already or does not exist; the text is GitHub's."""


class MergeConflict(Exception):
    """Both sides changed the same path."""


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    email: str
    when: datetime

    def line(self) -> bytes:
        clean = "".join(c for c in f"{self.name} <{self.email}>" if c not in "\n\0")
        return clean.encode()


def parse_signature(line: bytes, seconds: int) -> Signature:
    """Read Git's `Name <email>` and its time in seconds since 1970."""
    name, _, rest = line.decode(errors="replace").partition(" <")
    return Signature(name, rest.rstrip(">"), datetime.fromtimestamp(seconds, UTC))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree; `path` is the whole path where trees are read recursively."""

    path: str
    mode: int
    sha: str
    size: int | None = None

    @property
    def kind(self) -> str:
        return {TREE_MODE: "tree", MODULE_MODE: "commit"}.get(self.mode, "blob")


Change = tuple[int, str] | None
"""Mode and hash that a path shall have, or None to delete it."""


def is_ref_name(name: str) -> bool:
    return name.startswith("refs/") and name.count("/") >= 2 and check_ref_format(Ref(name.encode()))


class GitRepository:
    """Hashes go in and out as hexadecimal text."""

    def __init__(self, path: Path, default_branch: str = "main") -> None:
        if path.exists():
            self._repo = Repo(str(path))
        else:
            self._repo = Repo.init_bare(path, mkdir=True, default_branch=default_branch.encode())

    @property
    def dulwich(self) -> Repo:
        return self._repo

    def close(self) -> None:
        self._repo.close()

    # --- refs

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return full name → hash for the refs whose full name starts with `prefix`, sorted."""
        return {
            name.decode(): sha.decode()
            for name, sha in sorted(self._repo.get_refs().items())
            if name.decode().startswith(prefix) and name != b"HEAD"
        }

    def ref(self, name: str) -> str | None:
        try:
            return self._repo.refs[Ref(name.encode())].decode()
        except KeyError:
            return None

    def take(self, other: GitRepository, shas: Iterable[str]) -> None:
        """Copy what is missing here of another repository's commits, with all that they hold."""
        wanted = [ObjectID(sha.encode()) for sha in shas]
        have = [ObjectID(sha.encode()) for sha in self.refs().values()]
        theirs = other.dulwich.object_store
        missing = MissingObjectFinder(theirs, haves=have, wants=wanted, shallow=set())
        self._repo.object_store.add_objects([(theirs[sha], None) for sha, _ in missing])

    def is_empty(self) -> bool:
        return not self.refs("refs/heads/")

    def require_commits(self) -> None:
        if self.is_empty():
            raise EmptyRepository

    def create_ref(self, name: str, sha: str) -> None:
        if self.ref(name) is not None:
            raise RefConflict("Reference already exists")
        self._repo.refs[Ref(name.encode())] = ObjectID(sha.encode())

    def move_ref(self, name: str, sha: str, *, force: bool) -> str:
        """Point an existing ref elsewhere and return where it pointed before."""
        before = self.ref(name)
        if before is None:
            raise RefConflict("Reference does not exist")
        if not force and not self.is_ancestor(before, sha):
            raise RefConflict("Update is not a fast forward")
        self._repo.refs[Ref(name.encode())] = ObjectID(sha.encode())
        return before

    def set_ref(self, name: str, sha: str) -> None:
        self._repo.refs[Ref(name.encode())] = ObjectID(sha.encode())

    def delete_ref(self, name: str) -> str:
        before = self.ref(name)
        if before is None:
            raise RefConflict("Reference does not exist")
        del self._repo.refs[Ref(name.encode())]
        return before

    def set_head(self, branch: str) -> None:
        self._repo.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/" + branch.encode()))

    def resolve(self, name: str) -> str:
        """Return the commit behind a branch, tag, `heads/x`, full ref name or (shortened) hash."""
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name}", name):
            sha = self.ref(candidate) if candidate.startswith("refs/") or candidate == "HEAD" else None
            if sha is not None:
                return self._peel(sha)
        if len(name) == 40 and self.kind(name) in {"commit", "tag"}:
            return self._peel(name)
        if 7 <= len(name) < 40:
            return self._lengthen(name)
        raise MissingObject(name)

    def _lengthen(self, short: str) -> str:
        try:
            found = [sha.decode() for sha in self._repo.object_store.iter_prefix(short.encode())]
        except ValueError:  # not hexadecimal
            found = []
        commits = [sha for sha in found if self.kind(sha) == "commit"]
        if len(commits) != 1:
            raise MissingObject(short)
        return commits[0]

    def _peel(self, sha: str) -> str:
        found = self._object(sha)
        while isinstance(found, Tag):
            found = self._object(found.object[1].decode())
        return found.id.decode()

    # --- objects

    def _object(self, sha: str) -> ShaFile:
        try:
            return self._repo.object_store[ObjectID(sha.encode())]
        except (KeyError, ValueError, AssertionError) as error:
            raise MissingObject(sha) from error

    def kind(self, sha: str) -> str | None:
        """Return `blob`, `tree`, `commit`, `tag`, or None where there is no such object."""
        try:
            return self._object(sha).type_name.decode()
        except MissingObject:
            return None

    def write_blob(self, content: bytes) -> str:
        blob = Blob.from_string(content)
        if blob.id not in self._repo.object_store:
            self._repo.object_store.add_object(blob)
        return blob.id.decode()

    def blob(self, sha: str) -> bytes:
        found = self._object(sha)
        if not isinstance(found, Blob):
            raise MissingObject(sha)
        return bytes(found.data)

    def _tree(self, sha: str) -> Tree:
        if sha == EMPTY_TREE:
            return Tree()
        found = self._object(sha)
        if isinstance(found, Commit):
            found = self._object(found.tree.decode())
        if not isinstance(found, Tree):
            raise MissingObject(sha)
        return found

    def tree(self, sha: str, *, recursive: bool = False) -> list[Entry]:
        """List a tree (or a commit's tree) as GitHub does: trees included, their contents after them."""
        entries = []
        for name, mode, child in self._tree(sha).iteritems():
            entry = Entry(name.decode(errors="replace"), mode, child.decode())
            if entry.kind == "blob":
                entry = Entry(entry.path, mode, entry.sha, len(self.blob(entry.sha)))
            entries.append(entry)
            if recursive and entry.kind == "tree":
                below = self.tree(entry.sha, recursive=True)
                entries += [Entry(f"{entry.path}/{e.path}", e.mode, e.sha, e.size) for e in below]
        return entries

    def files(self, sha: str) -> dict[str, tuple[int, str]]:
        """Return path → (mode, hash) of every file below a tree."""
        tree = self._tree(sha)
        if sha == EMPTY_TREE:
            return {}
        found = iter_tree_contents(self._repo.object_store, tree.id)
        return {(e.path or b"").decode(errors="replace"): (e.mode or 0, (e.sha or b"").decode()) for e in found}

    def entry(self, tree: str, path: str) -> Entry | None:
        """Return what stands at `path` (the tree itself for an empty path)."""
        current = Entry(path, TREE_MODE, self._tree(tree).id.decode())
        for part in [part for part in path.split("/") if part]:
            if current.kind != "tree":
                return None
            try:
                mode, sha = self._tree(current.sha)[part.encode()]
            except KeyError:
                return None
            current = Entry(path, mode, sha.decode())
        return current

    def write_tree(self, base: str | None, changes: Mapping[str, Change]) -> str:
        """Return the tree that `base` becomes with `changes`; a tree left empty disappears."""
        tree = Tree.from_string(self._tree(base).as_raw_string()) if base else Tree()
        inner: dict[str, dict[str, Change]] = {}
        for path, change in changes.items():
            head, _, rest = path.partition("/")
            if rest:
                inner.setdefault(head, {})[rest] = change
            elif change is not None:
                tree.add(head.encode(), change[0], ObjectID(change[1].encode()))
            elif head.encode() in tree:
                del tree[head.encode()]
        for head, below in inner.items():
            self._graft(tree, head, below)
        self._repo.object_store.add_object(tree)
        return tree.id.decode()

    def _graft(self, tree: Tree, name: str, changes: Mapping[str, Change]) -> None:
        key = name.encode()
        was_tree = key in tree and stat.S_ISDIR(tree[key][0])
        sha = self.write_tree(tree[key][1].decode() if was_tree else None, changes)
        if sha != EMPTY_TREE:
            tree.add(key, TREE_MODE, ObjectID(sha.encode()))
        elif key in tree:
            del tree[key]

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Signature, committer: Signature | None = None
    ) -> str:
        committer = committer or author
        self._tree(tree)
        if any(self.kind(parent) != "commit" for parent in parents):
            raise MissingObject("parent")
        commit = Commit()
        commit.tree = ObjectID(tree.encode())
        commit.parents = [ObjectID(parent.encode()) for parent in parents]
        commit.message = message.encode()
        commit.author, commit.committer = author.line(), committer.line()
        commit.author_time, commit.commit_time = int(author.when.timestamp()), int(committer.when.timestamp())
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = None
        self._repo.object_store.add_object(commit)
        return commit.id.decode()

    def commit(self, sha: str) -> Commit:
        found = self._object(sha)
        if not isinstance(found, Commit):
            raise MissingObject(sha)
        return found

    def tag(self, sha: str) -> Tag:
        found = self._object(sha)
        if not isinstance(found, Tag):
            raise MissingObject(sha)
        return found

    def write_tag(self, name: str, message: str, target: str, tagger: Signature) -> str:
        kind = type(self._object(target))
        tag = Tag()
        tag.name, tag.message = name.encode(), message.encode()
        tag.object = (kind, ObjectID(target.encode()))
        tag.tagger, tag.tag_time, tag.tag_timezone = tagger.line(), int(tagger.when.timestamp()), 0
        self._repo.object_store.add_object(tag)
        return tag.id.decode()

    # --- history

    def is_ancestor(self, old: str, new: str) -> bool:
        try:
            return can_fast_forward(self._repo, ObjectID(old.encode()), ObjectID(new.encode()))
        except (KeyError, NotCommitError):
            return False

    def merge_base(self, one: str, other: str) -> str | None:
        found = find_merge_base(self._repo, [ObjectID(one.encode()), ObjectID(other.encode())])
        return found[0].decode() if found else None

    def history(
        self, start: str, *, exclude: Iterable[str] = (), path: str = "", limit: int | None = None
    ) -> list[str]:
        """Return commit hashes, newest first."""
        walker = self._repo.get_walker(
            include=[ObjectID(start.encode())],
            exclude=[ObjectID(sha.encode()) for sha in exclude],
            paths=[path.encode()] if path else None,
            max_entries=limit,
        )
        return [entry.commit.id.decode() for entry in walker]
