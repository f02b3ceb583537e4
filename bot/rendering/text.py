"""YAML in: bounded, and with everything noticed that two readers would read differently.

The parser's events are walked once, without recursion, so that neither depth nor aliases can hurt. What stands there is
read as YAML 1.2 reads it; where YAML 1.1 (kubectl, Argo CD, Helm) would read something else, that is a mistake.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.errors import Mistake

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
MAX_VALUES = 20_000
"""Values in one file, counted after its aliases are expanded."""
MAX_DOCUMENTS = 100
MAX_MISTAKES = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"(~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"([-+]?(0|[1-9][0-9]{0,17}))\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,3})?\Z")
_UNCLEAR_BOOL = re.compile(r"(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)\Z")
_UNCLEAR_NUMBER = re.compile(
    r"[-+]?(0[0-9_]+|0o[0-7]+|0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[0-9]+(_[0-9]+)+|[0-9]{19,}"
    r"|\.(inf|Inf|INF))\Z|\.(nan|NaN|NAN)\Z"
)
_STR = "tag:yaml.org,2002:str"
_TAGS = {"tag:yaml.org,2002:" + name: name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


class Unreadable(Exception):
    """The text is no YAML, or too much of it; reading cannot go on."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read."""

    value: Any
    path: str
    anchor: str | None
    size: int = 1
    key: str | None = None
    waiting: bool = False
    """Whether `key` waits for its value."""
    merges: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parsed:
    documents: tuple[Any, ...]
    mistakes: tuple[Mistake, ...]


def decoded(text: bytes | str, *, room: int = 1) -> str:
    """Return the text without its byte order mark. Raise `Unreadable` for what is not UTF-8 or too long."""
    if len(text) > room * MAX_BYTES:
        raise Unreadable(Mistake("", f"the file is larger than {room * MAX_BYTES // 1024} KiB; split it"))
    if isinstance(text, bytes):
        text = _decoded(text)
    text = text.removeprefix("\ufeff")
    if (odd := _ODD.search(text)) is not None:
        line = text.count("\n", 0, odd.start()) + 1
        told = f"holds the character U+{ord(odd[0]):04X}, which YAML does not allow; remove it"
        raise Unreadable(Mistake(f"line {line}", told))
    return text


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise Unreadable(Mistake(f"line {line}", "is not UTF-8; save the file in that encoding")) from None


_ODD = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def parse(text: bytes | str, *, several: bool = True, room: int = 1) -> Parsed:
    """Return the non-empty documents of a text and what is unclear in them. Raise `Unreadable` for no YAML at all.

    Paths begin with `documents[n].` where there is more than one document. `room` times as much is taken as a person
    may write: for files that we have written ourselves.
    """
    reader = _Reader(room * MAX_VALUES)
    try:
        for event in yaml.parse(decoded(text, room=room), Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_yaml_mistake(error)) from None
    except yaml.YAMLError:
        raise Unreadable(Mistake("", "is not YAML")) from None
    many = several and len(reader.documents) > 1
    mistakes = [
        Mistake(f"documents[{number}].{mistake.path}".rstrip(".") if many else mistake.path, mistake.message)
        for number, mistake in reader.mistakes
        if number < len(reader.documents) or mistake.path
    ]
    return Parsed(tuple(reader.documents), tuple(mistakes))


def _yaml_mistake(error: yaml.MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it cannot be read"
    if "\\t" in problem or "cannot start any token" in problem:
        problem = f"{problem}; tabs and some signs must not begin a value: indent with blanks and quote texts"
    elif "mapping values are not allowed" in problem:
        problem = f"{problem}; quote a text that holds a colon, and look at the indentation"
    return Mistake(f"line {mark.line + 1}" if mark else "", f"is not YAML: {problem}")


def child(path: str, key: str | int) -> str:
    """Return the path of a value below `path`: `spec.ports[0].name`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


class _Reader:
    """Builds values from events, top down, with an explicit stack."""

    def __init__(self, most_values: int) -> None:
        self._most_values = most_values
        self.documents: list[Any] = []
        self.mistakes: list[tuple[int, Mistake]] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(event)
            case yaml.AliasEvent():
                self._alias(event)

    def _wrong(self, path: str, message: str) -> None:
        if len(self.mistakes) < MAX_MISTAKES:
            self.mistakes.append((len(self.documents), Mistake(path, message)))

    def _count(self, more: int, event: yaml.Event) -> None:
        self._values += more
        if self._values > self._most_values:
            told = (
                f"the file holds more than {self._most_values:,} values, its aliases expanded; write less or split it"
            )
            raise Unreadable(Mistake(_line(event), told))

    def _here(self) -> str:
        """Return the path of the value that comes next."""
        if not self._stack:
            return ""
        top = self._stack[-1]
        if isinstance(top.value, list):
            return child(top.path, len(top.value))
        return child(top.path, top.key) if top.waiting and top.key is not None else top.path

    def _awaits_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and not self._stack[-1].waiting

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        self._count(1, event)
        if len(self._stack) >= MAX_DEPTH:
            raise Unreadable(Mistake(_line(event), f"is nested more than {MAX_DEPTH} levels deep"))
        if self._awaits_key():
            raise Unreadable(Mistake(_line(event), "a key must be a text; a list or map cannot be one"))
        self._check_tag(event)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(value, self._here(), event.anchor))

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        done = self._stack.pop()
        for merged in done.merges:
            done.value = {**merged, **done.value}
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.value, done.size)
        self._put(done.value, done.size, event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        anchor = str(event.anchor)
        known = self._anchors.get(anchor)
        if known is None:
            inside = any(part.anchor == anchor for part in self._stack)
            told = "stands inside itself" if inside else "has no anchor before it"
            raise Unreadable(Mistake(_line(event), f"the alias `*{anchor[:40]}` {told}"))
        value, size = known
        self._count(size, event)
        if self._awaits_key():
            self._key(value if isinstance(value, str) else str(value), event, plain=False)
            return
        self._put(value, size, event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(1, event)
        if self._awaits_key():
            self._key(event.value, event, plain=not event.style)
            return
        value = self._resolved(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, 1, event)

    def _key(self, key: str, event: yaml.NodeEvent, *, plain: bool) -> None:
        top = self._stack[-1]
        path = child(top.path, key[:60])
        if plain and not means_text(key) and key != "":
            self._wrong(path, f'the key `{key[:60]}` is not a text for every reader; write it in quotes: "{key[:60]}"')
        elif plain and key == "":
            self._wrong(top.path, "a key is missing before a colon")
        if key in top.value:
            self._wrong(path, "is given twice; keep one")
        if event.anchor is not None and isinstance(event, yaml.ScalarEvent):
            self._anchors[event.anchor] = (key, 1)
        top.key, top.waiting = key, True

    def _put(self, value: Any, size: int, event: yaml.Event) -> None:
        if not self._stack:
            if value is not None:
                self.documents.append(value)
            if len(self.documents) > MAX_DOCUMENTS:
                raise Unreadable(Mistake(_line(event), f"the file holds more than {MAX_DOCUMENTS} documents; split it"))
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if top.key == "<<":
            self._merge(top, value)
        elif top.key is not None:
            top.value[top.key] = value
        top.waiting = False

    def _merge(self, top: _Open, value: Any) -> None:
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            self._wrong(child(top.path, "<<"), "merges something that is not a map; name anchors of maps")
            return
        top.merges.extend(parts)

    def _check_tag(self, event: yaml.CollectionStartEvent | yaml.ScalarEvent) -> str | None:
        """Return the short name of an explicit tag."""
        if event.tag is None or event.tag == "!":
            return None if event.tag is None else "str"
        name = _TAGS.get(event.tag)
        if name is None:
            self._wrong(self._here(), f"the tag `{event.tag[:60]}` is not known here; remove it")
        return name

    def _resolved(self, event: yaml.ScalarEvent) -> Any:
        text, tag = event.value, self._check_tag(event)
        if tag == "str" or (tag is None and event.style):
            return text
        if _NULL.match(text):
            return None
        if _BOOL.match(text):
            return text.lower() == "true"
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text) and math.isfinite(float(text)):
            return float(text)
        for pattern, mend in (
            (_UNCLEAR_BOOL, "`true` or `false`, or"),
            (_UNCLEAR_NUMBER, "a plain decimal number, or"),
        ):
            if pattern.match(text):
                told = f"`{text[:60]}` is read differently by different readers of YAML"
                self._wrong(self._here(), f'{told}; write {mend} quotes: "{text[:60]}"')
        return text


_OTHER_MEANING = re.compile(
    "|".join(f"(?:{one.pattern})" for one in (_NULL, _BOOL, _INT, _FLOAT, _UNCLEAR_BOOL, _UNCLEAR_NUMBER))
)


def means_text(bare: str) -> bool:
    """Say whether every reader of YAML takes this for a text where it stands without quotes."""
    return _OTHER_MEANING.match(bare) is None


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else ""
