"""Files inside effects: plain data that survives in the database, and Git's hash of their content."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import BaseModel, field_validator, model_validator

from bot.effects.marks import known
from bot.model.late import Late, Text
from bot.ports import File, Tree

Paths = Mapping[str, tuple[str, str]]
"""Path → Git mode and content hash."""


class FileBody(BaseModel, frozen=True, extra="forbid"):
    """One file: its content as text where it is UTF-8, else as base64."""

    path: str
    text: Text | None = None
    """Known now, or once earlier effects have run."""
    base64: str | None = None
    mode: Literal["100644", "100755", "120000"] = "100644"

    @field_validator("path")
    @classmethod
    def _inside_the_repository(cls, path: str) -> str:
        return safe_path(path)

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.text is None) == (self.base64 is None):
            raise ValueError("a file has either text or base64 content")
        if isinstance(self.text, Late):
            return self
        try:
            self.content()
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ValueError(f"the content of {self.path} cannot be read: {error}") from error
        return self

    def content(self) -> bytes:
        """Raise `Conflict` while a part of it is still to come from an earlier effect."""
        if self.base64 is not None:
            return base64.b64decode(self.base64, validate=True)
        return known(self.text or "").encode()

    def file(self) -> File:
        return File(self.path, self.content(), self.mode)

    @classmethod
    def of(cls, file: File) -> Self:
        """Raise `ValueError` for a path that Git would not take or a mode that is not a file's."""
        try:
            content = {"text": file.content.decode()}
        except UnicodeDecodeError:
            content = {"base64": base64.b64encode(file.content).decode()}
        return cls.model_validate({"path": file.path, "mode": file.mode, **content})


def safe_path(path: str) -> str:
    """Return `path` if it stays inside a repository and outside Git's own folder. Raise `ValueError` otherwise."""
    parts = path.split("/")
    if not path or "\0" in path or "\\" in path or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{path!r} is not a path inside a repository")
    if any(part.lower().rstrip(". ") == ".git" for part in parts):
        raise ValueError(f"{path!r} lies in Git's own folder")
    return path


def blob_sha(content: bytes) -> str:
    """Return the hash under which Git stores this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def wanted(files: Iterable[FileBody]) -> dict[str, tuple[str, str]]:
    return {file.path: (file.mode, blob_sha(file.content())) for file in files}


def found(tree: Tree) -> dict[str, tuple[str, str]]:
    return {file.path: (file.mode, file.sha) for file in tree.files}


def as_wanted(now: Paths, want: Paths, deleted: Iterable[str] = ()) -> bool:
    """Return whether every wanted file stands there as wanted and every deleted one is missing."""
    return all(now.get(path) == entry for path, entry in want.items()) and not any(path in now for path in deleted)
