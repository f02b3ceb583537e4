"""The library of golden paths: templates from folders and from Git repositories, with the broken ones beside them."""

from __future__ import annotations

import asyncio
import difflib
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from bot.errors import Invalid, Mistake, NotFound, PlatformError, UsageError
from bot.golden_paths.evaluation import has_tags
from bot.golden_paths.library import BrokenTemplate, GoldenPath
from bot.golden_paths.revisions import folder_revision, git_tree
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.skeletons import Skeletons
from bot.golden_paths.template import Template, read_template
from bot.golden_paths.tree import EXECUTABLE, LINK, PLAIN, Entry
from bot.golden_paths.wire import Contents, Message
from bot.model.canonical import JSON
from bot.ports import File, Forge

NAMES = ("template.yaml", "template.yml")
FILES_MAX = 10_000
BYTES_MAX = 100_000_000

CheckForm = Callable[[JSON], Any]
"""`bot.forms.schema.form_of`: raises `Invalid` for parameters that no form can show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All files of one source at one moment."""

    files: Mapping[str, File]
    commit: str = ""


class Source(Protocol):
    """A place where templates are kept."""

    label: str

    async def read(self) -> Snapshot: ...


class FolderSource:
    """A folder of this machine. Links are read as links and never followed."""

    def __init__(self, root: Path, label: str = "") -> None:
        self.root = root
        self.label = label or f"folder {root.name}"

    async def read(self) -> Snapshot:
        return Snapshot(files=await asyncio.to_thread(read_folder, self.root))


class GitSource:
    """A folder of a repository on the forge, at the head of a branch (empty: the default branch)."""

    def __init__(self, forge: Forge, repository: str, *, branch: str = "", path: str = "") -> None:
        self._forge = forge
        self._repository = repository
        self._branch = branch
        self._path = path.strip("/")
        self.label = " ".join(part for part in ("github", repository, branch, self._path) if part)

    async def read(self) -> Snapshot:
        branch = self._branch
        if not branch:
            repository = await self._forge.repository(self._repository)
            if repository is None:
                raise NotFound(f"There is no repository `{self._repository}`, or it may not be read.")
            branch = repository.default_branch
        tree = await self._forge.tree(self._repository, branch, self._path)
        prefix = self._path + "/" if self._path else ""
        files = (replace(file, path=file.path.removeprefix(prefix)) for file in tree.files)
        return Snapshot(files={file.path: file for file in files}, commit=tree.commit)


def read_folder(root: Path) -> dict[str, File]:
    """Return path → file of everything below `root`. Raise `UsageError` when it is no folder or too large."""
    if not root.is_dir():
        raise UsageError(f"There is no folder `{root}`.")
    files: dict[str, File] = {}
    size = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *links]):
            file = _read_file(root, Path(folder) / name)
            if file is None:
                continue
            files[file.path] = file
            size += len(file.content)
            if len(files) > FILES_MAX or size > BYTES_MAX:
                raise UsageError(f"`{root}` holds more than {FILES_MAX:,} files or {BYTES_MAX / 1e6:.0f} MB.")
    return files


def _read_file(root: Path, path: Path) -> File | None:
    mode = path.lstat().st_mode
    name = path.relative_to(root).as_posix()
    if stat.S_ISLNK(mode):
        return File(path=name, content=os.fsencode(path.readlink()), mode=LINK)
    if not stat.S_ISREG(mode) or "__pycache__" in path.parts:
        return None
    return File(path=name, content=path.read_bytes(), mode=EXECUTABLE if mode & stat.S_IXUSR else PLAIN)


class TemplateLibrary:
    """All golden paths of an installation, held in memory. `refresh` reads the sources again."""

    def __init__(
        self, sources: Iterable[Source], *, sandbox: Sandbox | None = None, form: CheckForm | None = None
    ) -> None:
        self._sources = tuple(sources)
        self._sandbox = sandbox
        self._form = form
        self._paths: dict[str, GoldenPath] = {}
        self._broken: tuple[BrokenTemplate, ...] = ()

    async def load(self) -> None:
        """Read all sources for the first time; the same as `refresh`."""
        await self.refresh()

    async def refresh(self) -> bool:
        """Read all sources again and return whether anything changed. An unreadable source keeps what it had."""
        paths: dict[str, GoldenPath] = {}
        broken: list[BrokenTemplate] = []
        for source in self._sources:
            found, wrong = await self._read(source)
            broken += wrong
            for path in found:
                if path.id in paths:
                    text = f"The name `{path.id}` is taken by {paths[path.id].source}."
                    broken.append(_broken(path.source, path.base, Invalid(text, [Mistake("metadata.name", text)])))
                else:
                    paths[path.id] = self._unmoved(path)
        changed = (paths, tuple(broken)) != (self._paths, self._broken)
        self._paths, self._broken = paths, tuple(broken)
        return changed

    def broken(self) -> tuple[BrokenTemplate, ...]:
        return self._broken

    def get(self, name: str) -> GoldenPath:
        """Return a golden path by its id. Raise `NotFound` with the nearest names."""
        if name in self._paths:
            return self._paths[name]
        near = difflib.get_close_matches(name, self._paths, n=3, cutoff=0.4) or sorted(self._paths)[:5]
        told = f"There are: {', '.join(f'`{one}`' for one in near)}." if near else "There is none yet."
        raise NotFound(f"There is no golden path `{name[:63]}`.", hint=told)

    def _unmoved(self, path: GoldenPath) -> GoldenPath:
        """Keep the commit that was first seen with this revision: other people's commits must not change a plan."""
        before = self._paths.get(path.id)
        same = before is not None and before.revision == path.revision and before.source == path.source
        return path if before is None or not same or before is path else replace(path, commit=before.commit)

    async def _read(self, source: Source) -> tuple[Sequence[GoldenPath], Sequence[BrokenTemplate]]:
        try:
            snapshot = await source.read()
        except (PlatformError, OSError) as error:
            kept = [path for path in self._paths.values() if path.source == source.label]
            reason = error if isinstance(error, PlatformError) else UsageError("The folder cannot be read.")
            return kept, [_broken(source.label, "", reason)]
        names = template_files(snapshot.files)
        found = await asyncio.gather(*(self._whole_or_broken(source, snapshot, name) for name in names))
        paths = [one for one in found if isinstance(one, GoldenPath)]
        return paths, [one for one in found if isinstance(one, BrokenTemplate)]

    async def _whole_or_broken(self, source: Source, snapshot: Snapshot, name: str) -> GoldenPath | BrokenTemplate:
        try:
            return await self._golden_path(source, snapshot, name)
        except PlatformError as error:
            return _broken(source.label, name, error)

    async def _golden_path(self, source: Source, snapshot: Snapshot, name: str) -> GoldenPath:
        base = name.rpartition("/")[0]
        for before in self._paths.values():
            if (before.source, before.base) == (source.label, base) and before.files == snapshot.files:
                return before
        path = await asyncio.to_thread(golden_path, snapshot, name, source.label)
        if self._form is not None:
            self._form(path.template.form_schema())
        if self._sandbox is None:
            return path
        return await inspected(path, self._sandbox)

    def list(self) -> tuple[GoldenPath, ...]:
        return tuple(sorted(self._paths.values(), key=lambda path: (path.template.title.casefold(), path.id)))


def template_files(files: Iterable[str]) -> list[str]:
    """Return the paths of template files, without those that lie below another template's folder."""
    found = sorted(
        (path for path in files if path.rpartition("/")[2] in NAMES), key=lambda path: (path.count("/"), path)
    )
    tops: list[str] = []
    for path in found:
        if not any(path.startswith(top.rpartition("/")[0] + "/") or "/" not in top for top in tops):
            tops.append(path)
    return sorted(tops)


def golden_path(snapshot: Snapshot, name: str, source: str) -> GoldenPath:
    """Read one template file of a snapshot. Raise `Invalid` with its mistakes."""
    try:
        text = snapshot.files[name].content.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The template cannot be read.", [Mistake("", "It is not UTF-8 text.")]) from error
    template = read_template(text)
    base = name.rpartition("/")[0]
    prefix = base + "/" if base else ""
    own = [
        replace(file, path=path.removeprefix(prefix))
        for path, file in snapshot.files.items()
        if path.startswith(prefix)
    ]
    return GoldenPath(
        id=template.name,
        template=template,
        base=base,
        files=snapshot.files,
        source=source,
        revision=git_tree(own) if snapshot.commit else folder_revision(own),
        commit=snapshot.commit,
        warnings=template.warnings,
    )


async def inspected(path: GoldenPath, sandbox: Sandbox) -> GoldenPath:
    """Look at the skeletons that lie beside the template. Raise `Invalid` with every mistake in their files."""
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    for place, url, inputs in _skeletons(path.template):
        files = await Skeletons(path, None).fetch(url, single=False)
        contents = Contents()
        listed = contents.files({file.path: Entry(file.mode, file.content) for file in files})
        found, _ = await sandbox.run(contents.frame({"job": "inspect", "files": listed, "options": inputs}), _no_answer)
        mistakes += [Mistake(f"{place} {name}".strip(), text) for name, text in found["mistakes"]]
        warnings += [Mistake(f"{place} {name}".strip(), text) for name, text in found["warnings"]]
    if mistakes:
        raise Invalid(f"The skeleton of `{path.id}` has mistakes.", mistakes)
    return replace(path, warnings=(*path.warnings, *warnings))


def _skeletons(template: Template) -> list[tuple[str, str, dict[str, JSON]]]:
    found = []
    for index, step in enumerate(template.steps):
        url = step.input.get("url")
        if step.action == "fetch:template" and isinstance(url, str) and "://" not in url and not has_tags(url):
            options = {key: value for key, value in step.input.items() if key not in ("values", "targetPath", "url")}
            if not any(isinstance(value, str) and has_tags(value) for value in options.values()):
                found.append((f"spec.steps[{index}]", url, options))
    return found


async def _no_answer(question: Message) -> bytes:
    raise UsageError(f"An inspection asks for nothing, and this one asked for {question['ask']}.")


def _broken(source: str, path: str, error: PlatformError) -> BrokenTemplate:
    mistakes = error.mistakes if isinstance(error, Invalid) else ()
    return BrokenTemplate(source=source, path=path, message=str(error), mistakes=mistakes)
