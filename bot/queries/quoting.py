"""Values as PromQL, LogQL and TraceQL write them. All three read texts as Go does; no value can end its own text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

_QUOTES = ("\\", '"')
_NEEDS_WORK = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffd\ud800-\udfff]')
"""Quotes, what ends a line or is taken for a byte order mark, and what is no character."""
_REPLACEMENT = 0xFFFD
"""Stands for what cannot be read. Prometheus refuses it where it is not escaped."""
_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
"""Signs that mean something in a regular expression of RE2."""
NOTHING = r"[^\s\S]"
"""Fits no text at all."""
_SHORT_UNITS = (("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000))
_UNITS = (("d", 86_400_000_000), *_SHORT_UNITS)
_UNITS_OF_TRACES = (*_SHORT_UNITS, ("us", 1))


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression that fits exactly these texts."""

    of: tuple[str, ...]

    def __init__(self, of: Iterable[str]) -> None:
        object.__setattr__(self, "of", tuple(dict.fromkeys(of)))


def text(value: str, *, traces: bool = False) -> str:
    """Return a text in quotes.

    What is no character at all (half of a surrogate pair) becomes U+FFFD. Readers of TraceQL know an escaped quote and
    an escaped backslash alone, so there every other sign that needs one becomes U+FFFD too: nothing is called so.
    """
    return f'"{_NEEDS_WORK.sub(_escaped_in_traces if traces else _escaped, value)}"'


def _escaped(found: re.Match[str]) -> str:
    sign, code = found[0], ord(found[0])
    if sign in _QUOTES:
        return f"\\{sign}"
    return f"\\u{_REPLACEMENT if 0xD800 <= code <= 0xDFFF else code:04x}"


def _escaped_in_traces(found: re.Match[str]) -> str:
    return f"\\{found[0]}" if found[0] in _QUOTES else chr(_REPLACEMENT)


def regex(value: Regex) -> str:
    """Return a regular expression in quotes. Its ends are bound: not every reader does that by itself."""
    if not value.of:
        return text(NOTHING)
    return text(f"^(?:{'|'.join(_literal(one) for one in value.of)})$")


def _literal(value: str) -> str:
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in value)


def number(value: float | Decimal) -> str:
    """Return plain digits, without an exponent. Raise `ValueError` for what is no finite number."""
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    digits = format(Decimal(str(value)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def span(value: timedelta, *, traces: bool = False) -> str:
    """Return a length of time in the largest unit that needs no fraction: `5m`, `300ms`.

    PromQL and LogQL know nothing below a millisecond; it is rounded up there. Raise `ValueError` for none at all.
    """
    micros = value // timedelta(microseconds=1)
    if micros <= 0:
        raise ValueError(f"{value} is not a length of time")
    if not traces:
        micros = -(-micros // 1000) * 1000
    unit, size = next((unit, size) for unit, size in (_UNITS_OF_TRACES if traces else _UNITS) if micros % size == 0)
    return f"{micros // size}{unit}"


def bound(seconds: float | Decimal) -> str:
    """Return a regular expression in quotes that fits a bucket's bound (`le`), however it is written.

    Clients write `1`, `1.0` or `1e-05`, and Prometheus 3 writes them anew.
    """
    whole, _, part = number(seconds).partition(".")
    plain = f"{whole}\\.{part}0*" if part else f"{whole}(?:\\.0*)?"
    short = f"{float(seconds):g}"
    return text(plain if "e" not in short else f"{plain}|{_literal(short)}")
