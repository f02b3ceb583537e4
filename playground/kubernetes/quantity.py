"""Kubernetes quantities: read, compare, and written the one way the API server writes them (`1000m` becomes `1`)."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

REFUSED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(|[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})")


def amount(text: Any) -> Decimal:
    """Return a quantity as a number. Raise `ValueError` with the API server's sentence for anything else."""
    number, suffix = _parts(text)
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    if suffix in _DECIMAL:
        return number.scaleb(_DECIMAL[suffix])
    return number.scaleb(int(suffix[1:]))


def _parts(text: Any) -> tuple[Decimal, str]:
    match = None if isinstance(text, bool) else _FORM.fullmatch(str(text))
    if match is None:
        raise ValueError(REFUSED)
    try:
        return Decimal(match[1]), match[2]
    except InvalidOperation as error:
        raise ValueError(REFUSED) from error


def canonical(text: Any) -> str:
    """Write it with the largest suffix of its family that leaves a whole number, as the API server does."""
    value = amount(text)
    _, suffix = _parts(text)
    if suffix in _BINARY and abs(value) >= 1024 and value == value.to_integral_value():
        return _binary(int(value))
    if suffix[:1] in {"e", "E"} and len(suffix) > 1:
        return _exponent(value)
    return _decimal(value)


def _binary(value: int) -> str:
    suffix = ""
    for name, power in _BINARY.items():
        if value % 1024**power == 0:
            suffix, divisor = name, 1024**power
    return f"{value // divisor}{suffix}" if suffix else str(value)


def _decimal(value: Decimal) -> str:
    if value == 0:
        return "0"
    for name, power in sorted(_DECIMAL.items(), key=lambda row: -row[1]):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{name}"
    return f"{-int(-value.scaleb(9) // 1)}n"  # finer than a nano is rounded up


def _exponent(value: Decimal) -> str:
    for power in range(18, -10, -3):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}e{power}" if power else str(int(scaled))
    return _decimal(value)
