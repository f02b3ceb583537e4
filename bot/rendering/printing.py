"""YAML out: the same object, the same bytes, and the same meaning to every reader.

Only what all YAML versions read as that text stands bare; everything else is quoted as JSON quotes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.model.canonical import JSON
from bot.rendering.text import means_text

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

_BARE = re.compile(r"[1-9][0-9]*(m|[KMGT]i)\Z|[A-Za-z/][A-Za-z0-9_./-]*([ :=@+,%^$()][A-Za-z0-9_./-]+)*\Z")
_RISKY = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
STEP = "  "
MOST_REMEMBERED = 100
"""Characters of a text whose written form is kept; longer ones seldom come twice."""


def to_yaml(obj: Object) -> str:
    """Return one object as YAML, its keys in their order."""
    lines: list[str] = []
    _lines(dict(obj), "", lines)
    return "\n".join(lines) + "\n"


def files(objects: Iterable[Object]) -> dict[str, str]:
    """Return name and text of the files that hold the objects, one each: `deployment-orders-api.yaml`."""
    return {file_name(obj): to_yaml(obj) for obj in objects}


def to_stream(objects: Iterable[Object]) -> str:
    """Return all objects as one YAML stream."""
    return "".join(f"---\n{to_yaml(obj)}" for obj in objects)


def file_name(obj: Object) -> str:
    metadata = obj["metadata"]
    assert isinstance(metadata, Mapping)  # noqa: S101 - checked when it was rendered
    return f"{str(obj['kind']).lower()}-{metadata['name']}.yaml"


def _lines(value: JSON, indent: str, lines: list[str]) -> None:
    """Append the lines of a collection that is not empty."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _entry(f"{indent}{_text(key)}:", inner, indent, lines)
    elif isinstance(value, list):
        for inner in value:
            _item(inner, indent, lines)


def _entry(head: str, value: JSON, indent: str, lines: list[str]) -> None:
    if value and isinstance(value, (dict, list)):
        lines.append(head)
        _lines(value, indent + STEP, lines)
    else:
        lines.append(f"{head} {_scalar(value)}")


def _item(value: JSON, indent: str, lines: list[str]) -> None:
    if value and isinstance(value, (dict, list)):
        first = len(lines)
        _lines(value, indent + STEP, lines)
        lines[first] = f"{indent}- {lines[first][len(indent) + len(STEP) :]}"
    else:
        lines.append(f"{indent}- {_scalar(value)}")


def _scalar(value: JSON) -> str:
    if isinstance(value, str):
        return _text(value) if len(value) <= MOST_REMEMBERED else _quoted(value)
    written = json.dumps(value)
    # YAML 1.1 reads `1e-05` as a text: a number with an exponent needs a point there.
    return written.replace("e", ".0e") if isinstance(value, float) and "." not in written else written


@lru_cache(maxsize=4096)  # the same keys, names and labels stand in every object
def _text(text: str) -> str:
    return text if _BARE.match(text) and means_text(text) else _quoted(text)


def _quoted(text: str) -> str:
    return _RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
