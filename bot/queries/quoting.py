"""Values as PromQL, LogQL and TraceQL write them. All three read texts as Go does; no value can end its own text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

_QUOTES = ("\\", '"')
_ODD = frozenset({0x2028, 0x2029, 0xFEFF})
"""Ends of lines and a byte order mark, which some readers take for themselves."""
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
    whole = "".join(_escaped(sign, traces=traces) for sign in value)
    return f'"{whole}"'


def _escaped(sign: str, *, traces: bool) -> str:
    if sign in _QUOTES:
        return f"\\{sign}"
    code = ord(sign)
    odd = code < 0x20 or 0x7F <= code < 0xA0 or code in _ODD
    broken = 0xD800 <= code <= 0xDFFF or code == _REPLACEMENT
    if not odd and not broken:
        return sign
    if traces:
        return chr(_REPLACEMENT)
    return f"\\u{_REPLACEMENT if broken else code:04x}"


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
