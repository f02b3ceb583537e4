"""From the text of a `catalog-info.yaml` to entities, and every mistake on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bot.errors import Mistake
from bot.model.entities import Entity, Location, read_entity

MAX_BYTES = 1_000_000
MAX_ALIASES = 100
"""A YAML file with more anchors' uses than this is an attack or a mistake."""
MAX_VALUES = 100_000
"""Values in one file, counted after its aliases are expanded: few aliases of aliases are many values."""
MAX_DEPTH = 200
"""Levels of lists and maps. Some ten thousand of them end the whole process, within the reader in C."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was read. `source` is `folder:PATH` or `github:OWNER/NAME`."""

    source: str
    revision: str
    text: str
    web_url: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    document: Document
    entities: tuple[Entity, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Further files that Location entities of this one name."""
        places = [entity.spec for entity in self.entities if isinstance(entity, Location)]
        return tuple(target for place in places for target in [place.target, *place.targets] if target)


def read(document: Document) -> Read:
    """Return what `document` declares; broken entities are listed and never hide the others."""
    entities: list[Entity] = []
    mistakes: list[Mistake] = []
    try:
        for number, content in enumerate(_parsed(document.text)):
            if content is None:
                continue
            result = read_entity(content, f"{document.source}[{number}]")
            if isinstance(result, list):
                mistakes += result
            else:
                entities.append(result)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mistakes.append(Mistake(document.source, _yaml_sentence(error)))
    return Read(document, tuple(entities), tuple(mistakes))


def _parsed(text: str) -> Iterator[Any]:
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES:,} bytes; split it")
    aliases, values = _counted(text)
    if aliases > MAX_ALIASES:
        raise ValueError(f"the file uses more than {MAX_ALIASES} YAML aliases; write the values out")
    if values > MAX_VALUES:
        raise ValueError(f"the file holds more than {MAX_VALUES:,} values, its aliases expanded; write less")
    yield from yaml.load_all(text, Loader=yaml.CSafeLoader)


def _counted(text: str) -> tuple[int, int]:
    """Return how many aliases and how many values the text holds; it stops counting above the limits."""
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    """Anchor, and how many values there were before, of what is still being read."""
    aliases = count = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        match event:
            case yaml.AliasEvent():
                aliases += 1
                count += sizes.get(str(event.anchor), 1)
            case yaml.ScalarEvent():
                count += 1
            case yaml.CollectionStartEvent():
                opened.append((event.anchor, count))
                count += 1
                if len(opened) > MAX_DEPTH:
                    raise ValueError("is nested too deeply")
            case yaml.CollectionEndEvent():
                anchor, before = opened.pop()
                if anchor is not None:
                    sizes[anchor] = count - before
        if count > MAX_VALUES or aliases > MAX_ALIASES:
            break
    return aliases, count


def _yaml_sentence(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem or 'is not YAML'}"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return str(error).splitlines()[0] if str(error) else "is not YAML"
