"""Values as a nunjucks template sees them: JSON with the members, the truth and the printed form of JavaScript.

Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from jinja2 import ChainableUndefined

from bot.golden_paths.faults import Fault

SAFE_INTEGER = 2**53


class Missing(ChainableUndefined):
    """JavaScript's `undefined`: prints nothing, has no members that are not missing too, and is less than nothing."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Missing)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(None)

    def __lt__(self, _other: object) -> bool:  # type: ignore[override]  # Jinja2's own raise
        return False

    __le__ = __gt__ = __ge__ = __lt__  # type: ignore[assignment]  # same reason


class JsList(list[Any]):
    """An array: true even when empty; slices stay arrays."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return JsList(found) if isinstance(index, slice) else found


class JsDict(dict[str, Any]):
    """An object: true even when empty."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


class LateValue:
    """An output that exists only after its step has run. It may be handed on, and nothing else."""

    __slots__ = ("output", "step")

    def __init__(self, step: str, output: str) -> None:
        self.step = step
        self.output = output

    def refuse(self) -> Fault:
        return Fault(
            f"`steps.{self.step}.output.{self.output}` is known only after the step has run, so nothing can be computed"
            " from it.",
            hint="Use it as it is, in the input of a later step or in the output links.",
        )

    def __bool__(self) -> bool:
        raise self.refuse()

    def __eq__(self, other: object) -> bool:
        raise self.refuse()

    def __hash__(self) -> int:
        raise self.refuse()

    def __str__(self) -> str:
        raise self.refuse()

    def __iter__(self) -> Iterator[Any]:
        raise self.refuse()


def wrap(value: Any) -> Any:
    """Return JSON (or what a filter made of it) with its lists and dicts as JavaScript's."""
    match value:
        case JsList() | JsDict():
            return value
        case list() | tuple():
            return JsList(wrap(item) for item in value)
        case dict():
            return JsDict((str(key), wrap(item)) for key, item in value.items())
        case float():
            return number(value)
        case _:
            return value


def number(value: int | float) -> int | float:
    """Return a JavaScript number: whole values up to 2^53 as int, all else as float."""
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < SAFE_INTEGER
        return int(value) if whole and not (value == 0 and math.copysign(1, value) < 0) else value
    return value if -SAFE_INTEGER < value < SAFE_INTEGER else _to_float(value)


def _to_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def printed(value: Any) -> str:
    """Return what JavaScript's string conversion prints; `null` and `undefined` print nothing, as in nunjucks."""
    match value:
        case str():
            return str(value)
        case None | Missing():
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return printed_number(value)
        case list() | tuple():
            return ",".join(printed(item) for item in value)
        case dict():
            return "[object Object]"
        case LateValue():
            raise value.refuse()
        case _:
            return ""  # a macro or function: JavaScript would print its source


def concatenated(value: Any) -> str:
    """Return the text that `+` makes of a value: there, `null` and `undefined` are words."""
    if isinstance(value, Missing):
        return "undefined"
    return "null" if value is None else printed(value)


def printed_number(value: int | float) -> str:
    """Return a number as JavaScript prints it: `1e+21`, `0.000001`, `1e-7`, `Infinity`."""
    value = number(value)
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    return ("-" if value < 0 else "") + _shortest(abs(value))


def _shortest(value: float) -> str:
    """Return a positive number by ECMAScript's `Number::toString`: Python finds the same shortest digits."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{tail}e{point - 1:+d}"


def truthy(value: Any) -> bool:
    """Return whether Backstage runs a step with this `if`: not for false, null, 0, an empty text or an empty list."""
    if isinstance(value, list | tuple):
        return len(value) > 0
    if isinstance(value, float) and math.isnan(value):
        return False
    return True if isinstance(value, dict) else bool(value)


def dumped(value: Any, spaces: Any = None) -> str | None:
    """Return `JSON.stringify(value, null, spaces)`; None where JavaScript gives `undefined`."""
    if isinstance(value, Missing) or callable(value):
        return None
    indent: str | None = None
    if isinstance(spaces, int | float) and not isinstance(spaces, bool):
        indent = " " * max(0, min(10, int(spaces))) or None
    elif isinstance(spaces, str):
        indent = spaces[:10] or None
    return _dump(value, indent, "\n")


def _dump(value: Any, indent: str | None, line: str) -> str:
    match value:
        case LateValue():
            raise value.refuse()
        case None | Missing():
            return "null"
        case bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return printed_number(value) if math.isfinite(value) else "null"
        case list() | tuple():
            return _bracketed("[]", [_dump(item, indent, line + (indent or "")) for item in value], indent, line)
        case dict():
            colon = ": " if indent else ":"
            inner = line + (indent or "")
            items = [
                json.dumps(key, ensure_ascii=False) + colon + _dump(item, indent, inner)
                for key, item in value.items()
                if not isinstance(item, Missing) and not callable(item)
            ]
            return _bracketed("{}", items, indent, line)
        case _:
            return "null" if callable(value) else json.dumps(str(value), ensure_ascii=False)


def _bracketed(brackets: str, items: list[str], indent: str | None, line: str) -> str:
    if not items:
        return brackets
    if indent is None:
        return brackets[0] + ",".join(items) + brackets[1]
    inner = line + indent
    return brackets[0] + inner + ("," + inner).join(items) + line + brackets[1]
