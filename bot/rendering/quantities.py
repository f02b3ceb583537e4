"""Kubernetes' amounts as numbers: `100m` CPU, `256Mi` memory."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(1000),
    "M": Decimal(1000**2),
    "G": Decimal(1000**3),
    "T": Decimal(1000**4),
    "Ki": Decimal(1024),
    "Mi": Decimal(1024**2),
    "Gi": Decimal(1024**3),
    "Ti": Decimal(1024**4),
}
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")


def amount(quantity: str) -> Decimal:
    """Return a quantity in its base unit (cores, bytes). Raise `ValueError` for what is none."""
    match = _SHAPE.fullmatch(quantity)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{quantity[:30]} is not a quantity")
    return Decimal(match[1]) * _UNITS[match[2]]


def cpu_m(quantity: str) -> int:
    """Return thousandths of a core."""
    return int(amount(quantity) * 1000)


def memory_bytes(quantity: str) -> int:
    return int(amount(quantity))


def gibibytes(quantity: str) -> int:
    """Return whole GiB, at least as many as asked for."""
    return -(-memory_bytes(quantity) // 1024**3)


def share(quantity: str, percent: int) -> str:
    """Return a part of an amount of memory, in whole MiB."""
    return f"{memory_bytes(quantity) * percent // 100 // 1024**2}Mi"
