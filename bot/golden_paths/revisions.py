"""Hashes that say whether a folder of files has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Union

from bot.ports import File

Tree = dict[str, Union["Tree", File]]


def folder_revision(files: Iterable[File]) -> str:
    """Return the SHA-256 over modes, paths and contents, as `sha256:` and 64 hexadecimal digits."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        content = hashlib.sha256(file.content).hexdigest()
        whole.update(f"{file.mode} {len(file.path.encode())} {file.path} {content}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def git_tree(files: Iterable[File]) -> str:
    """Return Git's own hash of a tree of these files: what `git rev-parse HEAD:folder` prints."""
    root: Tree = {}
    for file in files:
        *folders, name = file.path.split("/")
        at = root
        for folder in folders:
            below = at.setdefault(folder, {})
            assert not isinstance(below, File), "Git holds no file and folder of one name"  # noqa: S101 - narrows
            at = below
        at[name] = file
    return _tree(root).hex()


def _tree(tree: Mapping[str, Tree | File]) -> bytes:
    rows = []
    for name, item in tree.items():
        if isinstance(item, File):
            rows.append((name.encode(), item.mode.encode(), _object(b"blob", item.content)))
        else:
            rows.append((name.encode() + b"/", b"40000", _tree(item)))
    body = b"".join(mode + b" " + name.rstrip(b"/") + b"\0" + digest for name, mode, digest in sorted(rows))
    return _object(b"tree", body)


def _object(kind: bytes, body: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (kind, len(body)) + body, usedforsecurity=False).digest()
