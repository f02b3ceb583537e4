"""YAML out: the same object, the same bytes, and the same meaning to every reader.

Only what all YAML versions read as that text stands bare; everything else is quoted as JSON quotes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from bot.model.canonical import JSON
from bot.rendering.text import means_text

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

_BARE = re.compile(r"[1-9][0-9]*(m|[KMGT]i)\Z|[A-Za-z/][A-Za-z0-9_./-]*([ :=@+,%^$()][A-Za-z0-9_./-]+)*\Z")
_RISKY = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
STEP = "  "


def to_yaml(obj: Object) -> str:
    """Return one object as YAML, its keys in their order."""
    return "\n".join(_lines(dict(obj), "")) + "\n"


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


def _lines(value: JSON, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _entry(f"{indent}{_text(key)}:", inner, indent)
    else:
        assert isinstance(value, list)  # noqa: S101 - the only other collection
        for inner in value:
            yield from _item(inner, indent)


def _entry(head: str, value: JSON, indent: str) -> Iterator[str]:
    if isinstance(value, (Mapping, list)) and value:
        yield head
        yield from _lines(value, indent + STEP)
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: JSON, indent: str) -> Iterator[str]:
    if isinstance(value, (Mapping, list)) and value:
        first, *rest = _lines(value, indent + STEP)
        yield f"{indent}- {first[len(indent) + len(STEP) :]}"
        yield from rest
    else:
        yield f"{indent}- {_scalar(value)}"


def _scalar(value: JSON) -> str:
    if isinstance(value, str):
        return _text(value)
    written = json.dumps(value)
    # YAML 1.1 reads `1e-05` as a text: a number with an exponent needs a point there.
    return written.replace("e", ".0e") if isinstance(value, float) and "." not in written else written


def _text(text: str) -> str:
    if _BARE.match(text) and means_text(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
