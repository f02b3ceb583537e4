"""The members of JavaScript's strings, arrays and objects that templates use: `.length`, `.split()`, `.join()`, …

A template reaches nothing but what stands here: no attribute of a Python object is ever looked up by a template's word.
Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2.runtime import LoopContext

from bot.golden_paths.faults import Fault
from bot.golden_paths.filters import bounded, join, length, text_of, trim
from bot.golden_paths.values import JsList, LateValue, concatenated, wrap

Method = Callable[..., Any]

LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})


def lookup(obj: Any, key: Any) -> tuple[bool, Any]:
    """Return whether `obj` has the member `key`, and the member."""
    match obj:
        case dict():
            name = key if isinstance(key, str) else concatenated(key)
            return name in obj, obj.get(name)
        case LoopContext():
            return key in LOOP, getattr(obj, key) if key in LOOP else None
        case LateValue():
            raise obj.refuse()
        case str() | list() | tuple():
            return _indexed(obj, key)
        case _:
            return False, None


def _indexed(obj: Any, key: Any) -> tuple[bool, Any]:
    if isinstance(key, str) and key.isdecimal():
        key = int(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return 0 <= key < len(obj), obj[key] if 0 <= key < len(obj) else None
    if key == "length":
        return True, length(obj)
    methods = TEXT_METHODS if isinstance(obj, str) else LIST_METHODS
    if not isinstance(key, str) or key not in methods:
        return False, None
    return True, _bind(key, methods[key], obj)


def _bind(name: str, method: Method, obj: Any) -> Method:
    def bound(*args: Any) -> Any:
        try:
            return wrap(method(obj, *args))
        except (TypeError, ValueError) as error:
            raise Fault(f"`.{name}()` cannot be called like this.") from error

    return bound


def _position(value: Any, length: int, default: int) -> int:
    """Return a JavaScript position, negative ones counted from the end."""
    if value is None:
        return default
    return max(0, length + int(value)) if value < 0 else min(length, int(value))


def _slice(obj: Any, start: Any = 0, end: Any = None) -> Any:
    return obj[_position(start, len(obj), 0) : _position(end, len(obj), len(obj))]


def _split(text: str, by: Any = None, limit: Any = None) -> list[str]:
    if by is None:
        return [text]
    parts = text.split(str(by)) if by != "" else list(text)
    return parts if limit is None else parts[: int(limit)]


def _substring(text: str, start: int = 0, end: int | None = None) -> str:
    first, last = max(0, int(start)), len(text) if end is None else max(0, int(end))
    return text[min(first, last) : max(first, last)]


def _substr(text: str, start: int = 0, count: int | None = None) -> str:
    first = _position(start, len(text), 0)
    return text[first:] if count is None else text[first : first + max(0, int(count))]


def _repeat(text: str, count: int) -> str:
    bounded(len(text) * count)
    return text * count


def _pad(text: str, width: int, filler: str, *, before: bool) -> str:
    missing = bounded(width) - len(text)
    if missing <= 0 or not filler:
        return text
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return padding + text if before else text + padding


def _index_of(obj: Any, value: Any) -> int:
    if isinstance(obj, str):
        return obj.find(str(value))
    return obj.index(value) if value in obj else -1


TEXT_METHODS: dict[str, Method] = {
    "split": _split,
    "replace": lambda text, old, new: text.replace(str(old), str(new), 1),
    "replaceAll": lambda text, old, new: text.replace(str(old), str(new)),
    "toLowerCase": lambda text: text.lower(),
    "toUpperCase": lambda text: text.upper(),
    "toString": text_of,
    "trim": trim,
    "trimStart": lambda text: text.lstrip(),
    "trimEnd": lambda text: text.rstrip(),
    "substring": _substring,
    "substr": _substr,
    "slice": _slice,
    "charAt": lambda text, at=0: text[at : at + 1],
    "indexOf": _index_of,
    "lastIndexOf": lambda text, value: text.rfind(value),
    "includes": lambda text, value: str(value) in text,
    "startsWith": lambda text, value: text.startswith(value),
    "endsWith": lambda text, value: text.endswith(value),
    "concat": lambda text, *more: text + "".join(concatenated(item) for item in more),
    "repeat": _repeat,
    "padStart": lambda text, width, filler=" ": _pad(text, width, filler, before=True),
    "padEnd": lambda text, width, filler=" ": _pad(text, width, filler, before=False),
}

LIST_METHODS: dict[str, Method] = {
    "join": lambda items, by=",": join(items, by),
    "slice": _slice,
    "indexOf": _index_of,
    "includes": lambda items, value: value in items,
    "concat": lambda items, *more: JsList([*items, *(i for m in more for i in (m if isinstance(m, list) else [m]))]),
    "reverse": lambda items: JsList(reversed(items)),
    "toString": lambda items: join(items, ","),
}

__all__ = ["LIST_METHODS", "TEXT_METHODS", "lookup"]
