"""`causeway render`: what platform documents become, without any system. It reads the `platform` part of the
configuration only, so that it starts fast and needs no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.errors import Invalid, Mistake, PlatformError, UsageError
from bot.model.platform import Platform
from bot.rendering.clashes import Owned, clashes
from bot.rendering.documents import read
from bot.rendering.mistakes import mistakes_of
from bot.rendering.printing import to_stream
from bot.rendering.render import render
from bot.rendering.rollout import Rollout

Answer = tuple[str, list[str]]
"""The YAML stream, or the lines that say what is wrong."""


def rendered(files: Sequence[Path], *, platform: Platform, environment: str, team: str, version: str) -> Answer:
    """Return all objects of the documents in `files` as one stream, or one line for each mistake in them."""
    environment = environment or next(iter(platform.environments))
    rollout = Rollout(team=team, version=version)
    owned, wrong = _read(files, team)
    streams = []
    for one in owned:
        try:
            objects = render(one.document, environment=environment, platform=platform, rollout=rollout)
            streams.append(to_stream(objects))
        except Invalid as error:
            wrong += [one.mistake(mistake.path, mistake.message) for mistake in error.mistakes]
    wrong += clashes(owned, platform=platform)
    return ("", [str(mistake) for mistake in wrong]) if wrong else ("".join(streams), [])


def _read(files: Sequence[Path], team: str) -> tuple[list[Owned], list[Mistake]]:
    owned: list[Owned] = []
    wrong: list[Mistake] = []
    for file in files:
        source = str(file) if len(files) > 1 else ""
        try:
            documents = read(_bytes(file), source=str(file))
            owned += [Owned(document, team, source) for document in documents]
        except Invalid as error:
            wrong += [Mistake(_path(source, mistake.path), mistake.message) for mistake in error.mistakes]
    return owned, wrong


def _path(source: str, path: str) -> str:
    return f"{source}: {path}".rstrip(": ") if source else path


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}.", hint="Name a file that holds a document."
        ) from None


def platform_of(config: Path | None, environ: Mapping[str, str]) -> Platform:
    """Return the `platform` part of causeway.yaml; the defaults where there is no file and none was named."""
    named = config or (Path(environ["CAUSEWAY_CONFIG"]) if environ.get("CAUSEWAY_CONFIG") else None)
    file = named or Path("causeway.yaml")
    if named is None and not file.exists():
        return Platform()
    part = _part(file)
    try:
        platform = Platform.model_validate(part)
    except ValidationError as error:
        told = [Mistake(f"platform.{mistake.path}", mistake.message) for mistake in mistakes_of(error, Platform, part)]
        raise Invalid(f"{file} is wrong.", told) from None
    base = file.resolve().parent
    return platform.model_copy(update={"templates": tuple(base / folder for folder in platform.templates)})


def _part(file: Path) -> Any:
    try:
        content = yaml.load(_bytes(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both safe
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 1}" if mark else ""
        raise PlatformError(f"{file} is not YAML{line}.", hint="Mend it and try again.") from None
    return (content.get("platform") if isinstance(content, dict) else None) or {}
