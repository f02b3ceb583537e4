"""A golden path as it was read: the template, the files around it, and where all that came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import Mistake
from bot.golden_paths.template import Template
from bot.model.plan import Revision
from bot.ports import File


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenPath:
    """One template of a library."""

    id: str
    """What people type: the template's name."""
    template: Template
    base: str
    """The template's folder inside `files`; empty for the root."""
    files: Mapping[str, File]
    """All files of the source it stands in, so that a skeleton may lie beside the template's folder."""
    source: str
    """Where it was read: `folder golden_paths`, `github acme/templates main`."""
    revision: str
    """The hash of the template's folder: Git's tree hash for Git, `sha256:…` for folders."""
    commit: str = ""
    """The commit at which this revision was first seen; empty for folders."""
    warnings: tuple[Mistake, ...] = ()

    def as_revision(self) -> Revision:
        return Revision(of=f"template:{self.id}", at=self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenTemplate:
    """A template, or a whole source, that cannot be used, and why."""

    source: str
    path: str
    message: str
    mistakes: tuple[Mistake, ...] = ()
