"""A tree of files in memory, and what may stand in it.

Imported by the child process: the standard library only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.golden_paths.faults import Fault

LINK = "120000"
PLAIN = "100644"
EXECUTABLE = "100755"
MODES = frozenset({PLAIN, EXECUTABLE, LINK})

PART_MAX = 255
"""The longest file name, in bytes: the limit of the usual file systems."""
PATH_MAX = 1024
"""The longest path, in bytes."""
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?")
"""Names that cannot be checked out on Windows."""
OWN = ".causeway"
"""The folder in which a repository remembers its template; templates may not write there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: Git's mode and the content (of a link: its target)."""

    mode: str
    content: bytes


def checked_path(path: str) -> str:
    """Return `path` without `./`. Raise `Fault` for a path that leaves the tree or cannot be a file anywhere."""
    shown = _shown(path)
    if path.startswith("/"):
        raise Fault(f"The path {shown} is absolute; paths start inside the repository.")
    parts = [part for part in path.split("/") if part != "."]
    if not parts or any(not part for part in parts):
        raise Fault(f"The path {shown} has an empty part.")
    if len(path.encode("utf-8", "surrogatepass")) > PATH_MAX:
        raise Fault(f"The path {shown} is longer than {PATH_MAX} bytes.")
    for part in parts:
        _check_part(part, shown)
    return "/".join(parts)


def _check_part(part: str, shown: str) -> None:
    if part == "..":
        raise Fault(f"The path {shown} leaves the repository (`..`).")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for char in part) or "\\" in part:
        raise Fault(f"The path {shown} has a control or invisible character or a backslash.")
    bare = unicodedata.normalize("NFKC", part).casefold().rstrip(". ")
    if bare in (".git", "git~1"):
        raise Fault(f"The path {shown} is inside Git's own folder.")
    if RESERVED.fullmatch(part) or part != part.rstrip(". "):
        raise Fault(f"The path {shown} has a name that some systems cannot store.")
    if len(part.encode()) > PART_MAX:
        raise Fault(f"The path {shown} has a name longer than {PART_MAX} bytes.")


def _shown(path: str) -> str:
    cut = path if len(path) <= 80 else path[:79] + "…"
    return f"`{''.join(char if char.isprintable() and char != '`' else '�' for char in cut)}`"


def utf8(text: str) -> bytes:
    """Return the bytes of a text. Raise `Fault` for half a surrogate pair, which JSON can hold and no file can."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Fault("A value holds half a Unicode character, which no file can store.") from error


class Workspace:
    """The files that steps have made so far. At most `max_files` files and `max_bytes` bytes."""

    def __init__(self, max_files: int, max_bytes: int) -> None:
        self._entries: dict[str, Entry] = {}
        self._folded: dict[str, str] = {}
        self._folders: dict[str, int] = {}
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._bytes = 0

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def get(self, path: str) -> Entry | None:
        return self._entries.get(path)

    def put(self, path: str, entry: Entry, *, replace: bool = False) -> None:
        """Add a file; one that is there stays unless `replace`. Raise `Fault` for what no repository can hold."""
        path = checked_path(path)
        if path.partition("/")[0].casefold() == OWN:
            raise Fault(f"`{OWN}/` belongs to Causeway; a template cannot write there.")
        if path in self._entries:
            if not replace:
                return
            self.remove(path)
        self._check_room(path, entry)
        self._entries[path] = entry
        self._bytes += len(entry.content)
        self._folded[_fold(path)] = path
        for folder in _folders(path):
            self._folders[_fold(folder)] = self._folders.get(_fold(folder), 0) + 1

    def _check_room(self, path: str, entry: Entry) -> None:
        other = self._folded.get(_fold(path))
        if other is not None:
            raise Fault(f"{_shown(path)} and {_shown(other)} differ only in case, so many systems cannot hold both.")
        if _fold(path) in self._folders or any(_fold(folder) in self._folded for folder in _folders(path)):
            raise Fault(f"{_shown(path)} would be a file and a folder at once.")
        if len(self._entries) >= self._max_files:
            raise Fault(f"The template makes more than {self._max_files:,} files.")
        if self._bytes + len(entry.content) > self._max_bytes:
            raise Fault(f"The template makes more than {self._max_bytes / 1e6:,.0f} MB.")
        if entry.mode == LINK:
            _check_link(path, entry.content)

    def remove(self, path: str) -> None:
        entry = self._entries.pop(path)
        self._bytes -= len(entry.content)
        del self._folded[_fold(path)]
        for folder in _folders(path):
            count = self._folders[_fold(folder)] - 1
            if count:
                self._folders[_fold(folder)] = count
            else:
                del self._folders[_fold(folder)]

    def below(self, folder: str) -> Iterator[tuple[str, Entry]]:
        """Yield every file at or below `folder` (empty: all), in order of their paths."""
        prefix = "" if not folder else folder + "/"
        for path in sorted(self._entries):
            if path == folder or path.startswith(prefix):
                yield path, self._entries[path]

    def snapshot(self, folder: str = "", into: str = "") -> dict[str, Entry]:
        """Return the files below `folder`, their paths made relative to it and put below `into`."""
        return {joined(into, relative(path, folder)): entry for path, entry in self.below(folder)}


def _fold(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _folders(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _check_link(path: str, target: bytes) -> None:
    """Refuse a link that leaves the tree. It would be harmless in Git and harmful wherever the tree is written out."""
    depth = path.count("/")
    text = target.decode("utf-8", "replace")
    for part in text.split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            break
    if text.startswith("/") or not text or depth < 0:
        raise Fault(f"The link {_shown(path)} points outside the repository.")


def folder_path(path: str) -> str:
    """Return a folder as given in a step (`./`, `docs/`, `.`) without its dots and slashes; empty for the root."""
    trimmed = "/".join(part for part in path.split("/") if part not in ("", "."))
    if path.startswith("/"):
        raise Fault(f"The folder {_shown(path)} is absolute; paths start inside the repository.")
    return checked_path(trimmed) if trimmed else ""


def joined(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path


def relative(path: str, folder: str) -> str:
    return path[len(folder) + 1 :] if folder and path != folder else path.rpartition("/")[2] if folder else path
