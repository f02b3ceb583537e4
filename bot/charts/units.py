"""Numbers as people say them: `320 ms`, `1.5 %`, `12 req/s`."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of one axis are written: all alike."""

    factor: float
    """What a value is multiplied by."""
    suffix: str


_TIME = ((1e-6, 1e6, "µs"), (1e-3, 1e3, "ms"), (1.0, 1.0, "s"), (60.0, 1 / 60, "min"), (3600.0, 1 / 3600, "h"))
_BYTES = tuple((1024.0**power, 1024.0**-power, name) for power, name in enumerate(("B", "KiB", "MiB", "GiB", "TiB")))
_COUNTS = ((1.0, 1.0, ""), (1e3, 1e-3, "k"), (1e6, 1e-6, "M"), (1e9, 1e-9, "G"))


def scale(unit: str, largest: float) -> Scale:
    """Return how values of a unit are written when `largest` is the largest of them."""
    size = abs(largest) if math.isfinite(largest) else 0.0
    match unit:
        case "s":
            return _fitting(_TIME, size or 1.0, "")
        case "ms":
            found = _fitting(_TIME, size / 1000 or 1.0, "")
            return Scale(found.factor / 1000, found.suffix)
        case "ratio":
            return Scale(100.0, "%")
        case "%":
            return Scale(1.0, "%")
        case "bytes":
            return _fitting(_BYTES, size, "")
        case "cores" if size < 1:
            return Scale(1000.0, "millicores")
        case _:
            return _fitting(_COUNTS, size if size >= 10_000 else 1.0, unit)


def _fitting(steps: tuple[tuple[float, float, str], ...], size: float, unit: str) -> Scale:
    fitting = [step for step in steps if size >= step[0]] or [steps[0]]
    _, factor, name = fitting[-1]
    return Scale(factor, f"{name} {unit}".strip())


def said(value: float, unit: str) -> str:
    """Return one value for a sentence, with three digits that count."""
    if math.isnan(value):
        return "no number"
    if math.isinf(value):
        return "beyond all bounds"
    found = scale(unit, value)
    return f"{number(value * found.factor)} {found.suffix}".strip()


def number(value: float) -> str:
    """Return three digits that count, without zeros that tell nothing: `0.012`, `1.5`, `320`, `12,000`."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{round(value, min(digits, 9)):,.{min(digits, 9)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text.replace("-", "−")
