"""`causeway render`: what platform documents become, without any system. It reads the `platform` part of the
configuration only, so that it starts fast and needs no secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.errors import Invalid, Mistake, PlatformError, UsageError
from bot.model.databases import Seeding
from bot.model.environment import LONGEST, Environment
from bot.model.platform import Environment as PlatformEnvironment
from bot.model.platform import Platform
from bot.model.previews import Previews
from bot.model.web_service import WebService
from bot.rendering.clashes import Owned, clashes
from bot.rendering.environments import read_all
from bot.rendering.mistakes import mistakes_of
from bot.rendering.printing import to_stream
from bot.rendering.render import render, render_files
from bot.rendering.rollout import Rollout
from bot.rendering.stores import store_for

Answer = tuple[str, list[str]]
"""The YAML stream, or the lines that say what is wrong."""
Made = tuple[list[str], list[Mistake]]
Read = tuple[str, WebService | Environment]


def rendered(files: Sequence[Path], *, platform: Platform, environment: str, team: str, version: str) -> Answer:
    """Return all objects of the documents in `files` as one stream, or one line for each mistake in them.

    With an Environment among them it is what is shown, and the WebServices are the documents of its services.
    """
    read, wrong = _read(files, platform)
    environments = [(source, one) for source, one in read if isinstance(one, Environment)]
    owned = [Owned(one, team, source) for source, one in read if isinstance(one, WebService)]
    rollout = Rollout(team=team, version=version)
    if environments:
        streams, more = _previews(environments, owned, platform, rollout)
    else:
        streams, more = _services(owned, environment or next(iter(platform.environments)), platform, rollout)
    wrong += more + clashes(owned, platform=platform)
    return ("", [str(mistake) for mistake in wrong]) if wrong else ("".join(streams), [])


def _services(owned: Sequence[Owned], environment: str, platform: Platform, rollout: Rollout) -> Made:
    streams, wrong = [], []
    for one in owned:
        try:
            objects = render(one.document, environment=environment, platform=platform, rollout=rollout)
            streams += [to_stream(objects), *_beside(one.document, environment, platform, rollout)]
        except Invalid as error:
            wrong += [one.mistake(mistake.path, mistake.message) for mistake in error.mistakes]
    return streams, wrong


def _beside(document: WebService, environment: str, platform: Platform, rollout: Rollout) -> Iterator[str]:
    """Yield what is committed beside the objects, as comments: it is no YAML."""
    store = store_for(
        service=document.name,
        team=rollout.team,
        environment=environment,
        platform=platform,
        document=document.for_environment(environment).spec.database,
    )
    for path, text in render_files(store, platform).items():
        yield "".join(f"# {line}".rstrip() + "\n" for line in (f"{path}:", *text.splitlines()))


def _previews(
    environments: Sequence[tuple[str, Environment]], owned: Sequence[Owned], platform: Platform, rollout: Rollout
) -> Made:
    from bot.rendering.previews import render_preview  # noqa: PLC0415  # most documents are of services alone

    services = {one.document.name: one.document for one in owned}
    streams, wrong = [], list(_strangers(environments, owned))
    if platform.previews is None:
        platform = _with_previews(platform)
        streams.append(f"# There is no `platform.previews`: these take after {next(iter(platform.environments))}.\n")
    for source, document in environments:
        rollouts = {service.name: rollout for service in document.spec.services}
        try:
            streams.append(to_stream(render_preview(document, services, platform, rollouts, team=rollout.team)))
        except Invalid as error:
            wrong += [Mistake(_path(source, mistake.path), mistake.message) for mistake in error.mistakes]
    return streams, wrong


def _strangers(environments: Sequence[tuple[str, Environment]], owned: Sequence[Owned]) -> Iterator[Mistake]:
    """Yield a mistake for each service that no environment names: it would silently be left out."""
    named = {service.name for _, document in environments for service in document.spec.services}
    for one in owned:
        if one.document.name not in named:
            told = f"`{one.document.name}` is no service of the environment; add it there, or leave its document out"
            yield one.mistake("metadata.name", told)


def _with_previews(platform: Platform) -> Platform:
    """Return the platform as if it had previews: those of its first environment, filled from any over the network."""
    environments = {
        name: here.model_copy(update={"database": here.database.model_copy(update={"seeding": _seeding(name, here)})})
        for name, here in platform.environments.items()
    }
    previews = Previews(base=next(iter(environments)))
    return platform.model_copy(update={"environments": environments, "previews": previews})


def _seeding(name: str, here: PlatformEnvironment) -> Seeding:
    return here.database.seeding or Seeding(method="import", secret=f"{name}-seed")


def _read(
    files: Sequence[Path], platform: Platform
) -> tuple[list[tuple[str, WebService | Environment]], list[Mistake]]:
    """Return the documents, each with what begins the path of its mistakes."""
    longest = platform.previews.longest if platform.previews else LONGEST
    found: list[Read] = []
    wrong: list[Mistake] = []
    for file in files:
        source = str(file) if len(files) > 1 else ""
        try:
            found += [(source, one) for one in read_all(_bytes(file), longest=longest, source=str(file))]
        except Invalid as error:
            wrong += [Mistake(_path(source, mistake.path), mistake.message) for mistake in error.mistakes]
    return found, wrong


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
    return platform.model_copy(
        update={
            "templates": tuple(base / folder for folder in platform.templates),
            "queries": tuple(base / folder for folder in platform.queries),
        }
    )


def _part(file: Path) -> Any:
    try:
        content = yaml.load(_bytes(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both safe
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 1}" if mark else ""
        raise PlatformError(f"{file} is not YAML{line}.", hint="Mend it and try again.") from None
    return (content.get("platform") if isinstance(content, dict) else None) or {}
