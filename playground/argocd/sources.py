"""What a repository says should be: the files of a folder at a commit, read as Kubernetes objects."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

import yaml

from playground.kubernetes.controllers.objects import Object

REMEMBERED = 500
SUFFIXES = (".yaml", ".yml", ".json")


class SourceError(Exception):
    """What stands in Git cannot be had or read; the text is the repo server's."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    author: str
    """`Name <email>`"""
    date: str
    message: str
    tags: tuple[str, ...] = ()


class Repositories(Protocol):
    """Git as the repo server reaches it. Raises `SourceError`."""

    async def resolve(self, url: str, revision: str) -> str:
        """Return the commit behind a branch, a tag, a (short) hash or `HEAD`."""

    async def files(self, url: str, commit: str) -> Mapping[str, bytes]:
        """Return path → content of every file of a commit that can hold a manifest."""

    async def commit(self, url: str, commit: str) -> CommitInfo: ...


@dataclass(frozen=True, slots=True)
class Target:
    """What a source wants at one commit."""

    revision: str
    objects: Sequence[Object]
    """Shared by all who ask for the same: copy them before changing them."""


class Sources:
    """Targets by source and commit, read once."""

    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories
        self._read: OrderedDict[str, Sequence[Object]] = OrderedDict()

    async def target(self, source: Object, revision: str = "") -> Target:
        """Return what a source wants at a revision (its own where none is given). Raise `SourceError`."""
        url = source["repoURL"]
        commit = await self.repositories.resolve(url, revision or source.get("targetRevision") or "HEAD")
        key = json.dumps([url, commit, source.get("path"), source.get("directory")], sort_keys=True)
        found = self._read.get(key)
        if found is None:
            found = manifests(await self.repositories.files(url, commit), source)
            self._read[key] = found
            if len(self._read) > REMEMBERED:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return Target(commit, found)

    def forget(self) -> None:
        """Read everything anew, as a hard refresh asks."""
        self._read.clear()


def manifests(files: Mapping[str, bytes], source: Object) -> list[Object]:
    """Read the manifests of a source of type Directory. Raise `SourceError` in the repo server's words."""
    folder = str(source.get("path", "")).strip("/")
    folder = "" if folder == "." else folder
    prefix = f"{folder}/" if folder else ""
    below = {path.removeprefix(prefix): content for path, content in files.items() if path.startswith(prefix)}
    if not below and folder:
        raise SourceError(f"rpc error: code = Unknown desc = {source['path']}: app path does not exist")
    objects: list[Object] = []
    for path in sorted(below):
        if wanted(path, source.get("directory") or {}):
            objects += read(path.rpartition("/")[2], below[path])
    return objects


def wanted(path: str, directory: Mapping[str, Any]) -> bool:
    """Say whether a file (path below the source's folder) counts as a manifest."""
    name = path.rpartition("/")[2]
    if not name.endswith(SUFFIXES) or ("/" in path and not directory.get("recurse")):
        return False
    include, exclude = directory.get("include"), directory.get("exclude")
    if include and not any(fnmatchcase(path, pattern) for pattern in braces(include)):
        return False
    return not (exclude and any(fnmatchcase(path, pattern) for pattern in braces(exclude)))


def braces(pattern: str) -> list[str]:
    """Return what `{a,b}` in a pattern stands for."""
    if not (pattern.startswith("{") and pattern.endswith("}")):
        return [pattern]
    return [part.strip() for part in pattern[1:-1].split(",")]


def read(name: str, content: bytes) -> list[Object]:
    """Return the objects of one file. YAML that does not look like a manifest is passed over, wrong or not."""
    found: list[Object] = []
    try:
        text = content.decode("utf-8-sig")
        for document in [json.loads(text)] if name.endswith(".json") else yaml.load_all(text, Loader=LOADER):
            found += [] if document is None else _listed(as_json(document))
    except (ValueError, yaml.YAMLError) as error:
        looks_like_one = all(word in content for word in (b"apiVersion:", b"kind:", b"metadata:"))
        if found or looks_like_one or name.endswith(".json"):
            text = f'Failed to unmarshal "{name}": failed to unmarshal manifest: {_mistake(error)}'
            raise SourceError(f"rpc error: code = FailedPrecondition desc = {text}") from error
    return found


def _mistake(error: Exception) -> str:
    """Return a mistake in YAML as Go's parser tells it: a line (what the parser finds, it counts from 0), no column."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    line = error.problem_mark.line + (0 if isinstance(error, yaml.parser.ParserError) else 1)
    return f"error converting YAML to JSON: yaml: line {line}: {error.problem}"


def as_json(value: Any) -> Any:
    """Return YAML as JSON, whose keys are text: a key `on` is `true` then, as in Go."""
    if isinstance(value, dict):
        return {_text(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def _text(key: Any) -> str:
    return key if isinstance(key, str) else str(key).lower()


def _listed(document: Any) -> Iterator[Object]:
    """Raise `ValueError` for what is no object."""
    if not isinstance(document, dict) or not document.get("kind"):
        shown = json.dumps(document, default=str, sort_keys=True, separators=(",", ":"))
        raise ValueError(f"error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in '{shown}'")
    if document["kind"] == "List":
        for item in document.get("items") or []:
            yield from _listed(item)
    else:
        yield document


class LOADER(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """YAML as JSON: a date stays the text that it is."""


LOADER.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in LOADER.yaml_implicit_resolvers.items()
}
